//! Step 8: the token request, for a code or a refresh token (OAuth 2.1 §3.2, RFC 8707 §2.2).

use http::{HeaderMap, header::AUTHORIZATION};
use reqwest::StatusCode;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::{
    OAuthError,
    authorization_request::AuthorizationRequest,
    authorization_server_metadata::AuthorizationServerMetadata,
    dpop::{DPOP, DpopKey, USE_DPOP_NONCE},
    grant_type::{AUTHORIZATION_CODE, REFRESH_TOKEN},
    registration::ClientRegistration,
    scope::Scope,
};
use crate::{
    clock::Clock,
    explain::Rule,
    fetch::{Answer, Fetch},
    secret::Secret,
};

/// Servers cut headers off long before this.
const LONGEST_TOKEN: usize = 64 * 1024;
const EXCHANGE: Rule = Rule {
    title: "Exchange the code for tokens",
    because: "The verifier proves that the code came back to whoever asked for it; the resource \
              names the one server the token is for.",
    section: "OAuth 2.1 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2",
};
const REFRESH: Rule = Rule {
    title: "Renew the access token",
    because: "One process at a time, for the same resource; the refresh token may be replaced by \
              each use.",
    section: "OAuth 2.1 §4.3, RFC 8707 §2.2",
};

/// A successful answer (OAuth 2.1 §3.2.3).
#[derive(Debug, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    token_type: String,
    /// How long it lives, in seconds, if the server says.
    #[serde(default, deserialize_with = "seconds")]
    pub expires_in: Option<i64>,
    /// The refresh token, if one was issued.
    pub refresh_token: Option<Secret>,
    /// What was granted, if it differs from what was asked for.
    pub scope: Option<Scope>,
}

/// The error form (OAuth 2.1 §3.2.4).
#[derive(Deserialize)]
struct TokenErrorResponse {
    error: String,
    error_description: Option<String>,
}

/// The token endpoint of one authorization server, as one client speaks to it.
#[derive(Clone, Copy)]
pub struct TokenEndpoint<'a> {
    /// How servers are spoken to.
    pub fetch: &'a Fetch,
    /// The server.
    pub metadata: &'a AuthorizationServerMetadata,
    /// The client.
    pub client: &'a ClientRegistration,
    /// The key that the tokens are to be bound to.
    pub dpop_key: Option<&'a DpopKey>,
    /// What time it is, for assertions.
    pub clock: &'a Clock,
}

impl TokenEndpoint<'_> {
    /// Exchanges the code that came back for `request`.
    ///
    /// # Errors
    /// [`OAuthError::TokenRefused`] with the server's words, or another [`OAuthError`].
    pub async fn exchange_code(
        &self,
        request: &AuthorizationRequest,
        code: &Secret,
    ) -> Result<TokenResponse, OAuthError> {
        self.fetch.explanation.step(&EXCHANGE);
        let form = [
            ("grant_type", AUTHORIZATION_CODE),
            ("code", code.reveal()),
            ("redirect_uri", &request.client.redirect_uri),
            ("code_verifier", request.code_verifier.reveal()),
            ("resource", &request.resource),
        ];
        self.ask(&form).await
    }

    /// Renews a token for `resource` with `refresh_token`. No scope is sent: the new token has the
    /// old one's.
    ///
    /// # Errors
    /// As [`Self::exchange_code`].
    pub async fn refresh(
        &self,
        resource: &str,
        refresh_token: &Secret,
    ) -> Result<TokenResponse, OAuthError> {
        self.fetch.explanation.step(&REFRESH);
        let form = [
            ("grant_type", REFRESH_TOKEN),
            ("refresh_token", refresh_token.reveal()),
            ("resource", resource),
        ];
        self.ask(&form).await
    }

    /// Sends `form`, with what proves the client and the key.
    ///
    /// # Errors
    /// As [`Self::exchange_code`].
    pub async fn ask(&self, form: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
        let answer = self.post(self.metadata.token_endpoint()?, form).await?;
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(OAuthError::UnexpectedStatus {
                url: answer.url.to_string(),
                status: answer.status,
            });
        }
        let issuer = self.metadata.issuer.clone();
        if !answer.status.is_success() {
            let (error, reason) = describe(&answer);
            return Err(OAuthError::TokenRefused { issuer, error, reason });
        }
        let response: TokenResponse = answer.json()?;
        check(&response, self.dpop_key.is_some())
            .map_err(|reason| OAuthError::UnusableToken { issuer, reason: reason.to_owned() })?;
        self.explain(&response);
        Ok(response)
    }

    /// Posts to an endpoint where the client proves itself. A server that wants its nonce in the
    /// proof is asked once more, with a new proof (RFC 9449 §8).
    pub(super) async fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, OAuthError> {
        let answer = self.post_once(url, form).await?;
        let has_new_nonce = self.dpop_key.is_some_and(|key| key.learn(url, &answer.headers));
        if has_new_nonce
            && answer.status == StatusCode::BAD_REQUEST
            && describe(&answer).0 == USE_DPOP_NONCE
        {
            return self.post_once(url, form).await;
        }
        Ok(answer)
    }

    async fn post_once(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, OAuthError> {
        let proof = self.client.proof(&self.metadata.issuer, self.clock.now())?;
        let mut form = form.to_vec();
        form.extend(proof.form.iter().map(|(name, value)| (*name, value.as_str())));
        let mut headers = HeaderMap::new();
        if let Some(authorization) = proof.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(key) = self.dpop_key {
            headers.insert(DPOP, key.proof("POST", url, None)?);
        }
        Ok(self.fetch.post_form(url, &form, headers).await?)
    }

    fn explain(&self, response: &TokenResponse) {
        let explanation = &self.fetch.explanation;
        explanation.secret("access_token");
        explanation.fact("token_type", &response.token_type);
        if let Some(seconds) = response.expires_in {
            explanation.fact("expires_in", seconds);
        }
        if response.refresh_token.is_some() {
            explanation.secret("refresh_token");
        }
        if let Some(scope) = &response.scope {
            explanation.fact("scope", scope);
        }
    }
}

/// The error of an answer that is not a success, and that error with the server's words.
pub(super) fn describe(answer: &Answer) -> (String, String) {
    match answer.json::<TokenErrorResponse>() {
        Ok(TokenErrorResponse { error, error_description: Some(words) }) => {
            let reason = format!("{error}: {words}");
            (error, reason)
        }
        Ok(TokenErrorResponse { error, error_description: None }) => (error.clone(), error),
        Err(_) => (answer.status.to_string(), format!("it answered {}", answer.status)),
    }
}

/// A token of a type this client cannot present, or with characters no header can carry, is worth
/// nothing (RFC 6749 §7.1, RFC 6750 §2.1). One that was to be bound to a key and is not would be
/// weaker than what was asked for (RFC 9449 §5).
fn check(response: &TokenResponse, is_bound: bool) -> Result<(), &'static str> {
    let is_of = |kind: &str| response.token_type.eq_ignore_ascii_case(kind);
    if is_bound && !is_of("DPoP") {
        return Err("it is not bound to the key that was presented");
    }
    if !is_bound && !is_of("Bearer") {
        return Err("it is not a Bearer token");
    }
    let tokens = [Some(&response.access_token), response.refresh_token.as_ref()];
    for token in tokens.into_iter().flatten().map(Secret::reveal) {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has characters that no token may have");
        }
        if token.len() > LONGEST_TOKEN {
            return Err("it is longer than any header can be");
        }
    }
    Ok(())
}

/// A number, or the same in quotes, as some servers send it. A negative one counts as zero.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(i64),
        Text(String),
    }
    let seconds = match Option::<Seconds>::deserialize(deserializer)? {
        Some(Seconds::Number(number)) => Some(number),
        Some(Seconds::Text(text)) => Some(text.parse().map_err(serde::de::Error::custom)?),
        None => None,
    };
    Ok(seconds.map(|seconds| seconds.clamp(0, i64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(text: &str) -> Result<TokenResponse, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_lifetime_may_be_a_number_a_text_or_absent() {
        let lifetime = |member: &str| {
            response(&format!(r#"{{"access_token":"a","token_type":"bearer"{member}}}"#))
                .map(|response| response.expires_in)
        };
        assert_eq!(lifetime(r#","expires_in":600"#).expect("read"), Some(600));
        assert_eq!(lifetime(r#","expires_in":"600""#).expect("read"), Some(600));
        assert_eq!(lifetime(r#","expires_in":-5"#).expect("read"), Some(0));
        assert_eq!(lifetime(r#","expires_in":null"#).expect("read"), None);
        assert_eq!(lifetime("").expect("read"), None);
        assert!(lifetime(r#","expires_in":"soon""#).is_err());
    }

    #[test]
    fn only_bearer_tokens_that_fit_a_header_are_usable() {
        let usable = |token: &str, kind: &str| {
            let text = serde_json::json!({"access_token": token, "token_type": kind}).to_string();
            check(&response(&text).expect("read"), false).is_ok()
        };
        assert!(usable("abc.def-~", "bearer") && usable("a", "Bearer"));
        assert!(!usable("abc", "DPoP") && !usable("a b", "Bearer") && !usable("", "Bearer"));
        assert!(!usable("a\nb", "Bearer") && !usable(&"a".repeat(LONGEST_TOKEN + 1), "Bearer"));
    }

    #[test]
    fn a_token_that_was_to_be_bound_and_is_not_is_refused() {
        let bound = |kind: &str| {
            let text = serde_json::json!({"access_token": "a", "token_type": kind}).to_string();
            check(&response(&text).expect("read"), true).is_ok()
        };
        assert!(bound("DPoP") && bound("dpop") && !bound("Bearer"));
    }
}
