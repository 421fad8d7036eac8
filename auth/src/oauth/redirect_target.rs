//! The place that an authorization request is answered at.

use url::Url;

use super::{
    client::Client,
    error::{ErrorCode, OAuthError},
    loopback::LoopbackUri,
};

/// A place that a verified client may be answered at. There is one way to get one, so nothing is
/// ever sent to a place that the client did not register.
#[derive(Clone, Debug)]
pub(crate) struct RedirectTarget {
    uri: String,
    state: Option<String>,
    issuer: String,
}

impl RedirectTarget {
    /// Finds the registered URI that the request means. It may be left out by a client that has
    /// registered only one (RFC 6749 §3.1.2.3).
    pub(crate) fn verify(
        client: &Client,
        requested: Option<&str>,
        state: Option<&str>,
        issuer: &str,
    ) -> Result<Self, OAuthError> {
        let uri = match (requested, client.metadata.redirect_uris.as_slice()) {
            (None, [only]) => only.as_str(),
            (None, _) => {
                return Err(ErrorCode::UnregisteredRedirectUri
                    .error("redirect_uri_missing", "The parameter redirect_uri is missing."));
            }
            (Some(uri), known) if known.iter().any(|one| one.matches(uri)) => uri,
            (Some(_), _) => {
                return Err(ErrorCode::UnregisteredRedirectUri.error(
                    "redirect_uri_unregistered",
                    "The redirect_uri is not one that the client has registered.",
                ));
            }
        };
        let state = state.map(Into::into);
        Ok(Self { uri: uri.into(), state, issuer: issuer.into() })
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Where the answer goes, as people are shown it.
    pub(crate) fn shown_host(&self) -> String {
        shown_host(&self.uri)
    }

    /// Whether the answer stays on the person's machine.
    pub(crate) fn is_loopback(&self) -> bool {
        LoopbackUri::parse(&self.uri).is_some()
    }

    /// Whether an answer to this URI went where this one goes: to the same URI, or to this machine,
    /// where a program takes another port each time (RFC 8252 §7.3).
    pub(crate) fn is_same_place(&self, uri: &str) -> bool {
        self.uri == uri || self.is_loopback() && LoopbackUri::parse(uri).is_some()
    }

    /// The URI with an authorization code (RFC 6749 §4.1.2, RFC 9207 §2).
    pub(crate) fn with_code(&self, code: &str) -> String {
        self.with(&[("code", code)])
    }

    /// The URI with a refusal (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub(crate) fn with_error(&self, error: &OAuthError) -> String {
        self.with(&[("error", error.code.as_str()), ("error_description", &error.description)])
    }

    fn with(&self, answer: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.uri, query.finish())
    }
}

/// Host and port, or the scheme of a private-use URI: what people are shown.
pub(crate) fn shown_host(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else { return String::new() };
    host_of(&url).unwrap_or_else(|| format!("{}:", url.scheme()))
}

/// Host and port of a URL of https or, on this machine, of http.
pub(crate) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|_| matches!(url.scheme(), "https" | "http"))?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_use_uri_is_shown_by_its_scheme_whatever_host_it_names() {
        for (uri, shown) in [
            ("https://app.example:8443/cb", "app.example:8443"),
            ("http://127.0.0.1/cb", "127.0.0.1"),
            ("com.example.app://bank.example/cb", "com.example.app:"),
            ("http.example.app://bank.example/cb", "http.example.app:"),
            ("not a URI", ""),
        ] {
            assert_eq!(shown_host(uri), shown, "{uri}");
        }
    }

    #[test]
    fn a_state_of_any_content_stays_one_parameter() {
        let target = RedirectTarget {
            uri: "http://localhost:1/cb?a=b".into(),
            state: Some("x&code=evil\r\nSet-Cookie: x=1".into()),
            issuer: "http://localhost:3000".into(),
        };
        assert_eq!(
            target.with_code("pcc_1"),
            "http://localhost:1/cb?a=b&code=pcc_1&state=x%26code%3Devil%0D%0ASet-Cookie%3A+x%3D1\
             &iss=http%3A%2F%2Flocalhost%3A3000"
        );
    }
}
