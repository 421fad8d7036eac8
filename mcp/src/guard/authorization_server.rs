//! What the authorization server says of itself, fetched when first needed (RFC 8414 §3).

use reqwest::Client;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::OnceCell;
use url::Url;

/// Largest document, in bytes.
pub(super) const LARGEST_DOCUMENT: usize = 1 << 20;

/// The authorization server cannot be asked, or gives no usable answer.
#[derive(Debug, Error)]
pub(super) enum FetchError {
    /// No answer in time.
    #[error("no answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// Another status than expected.
    #[error("status {0}")]
    Status(u16),
    /// Not the document that was expected.
    #[error("{0}")]
    Unusable(&'static str),
}

/// The members that matter to a resource server.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) jwks_uri: String,
    pub(super) introspection_endpoint: Option<String>,
    pub(super) userinfo_endpoint: Option<String>,
}

/// An authorization server, known by its issuer identifier.
#[derive(Debug)]
pub(super) struct AuthorizationServer {
    pub(super) http: Client,
    pub(super) issuer: String,
    metadata: OnceCell<Metadata>,
}

impl AuthorizationServer {
    pub(super) fn new(http: Client, issuer: String) -> Self {
        Self { http, issuer, metadata: OnceCell::new() }
    }

    /// Its metadata. A failed fetch is tried again at the next call.
    pub(super) async fn metadata(&self) -> Result<&Metadata, FetchError> {
        self.metadata.get_or_try_init(|| self.discover()).await
    }

    /// Tries the well-known places in the order of RFC 8414 §3.1 and OpenID Connect Discovery §4.
    async fn discover(&self) -> Result<Metadata, FetchError> {
        let mut last = FetchError::Unusable("the issuer is not a URL");
        for url in well_known(&self.issuer) {
            match self.fetch_metadata(&url).await {
                Ok(metadata) => return Ok(metadata),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn fetch_metadata(&self, url: &str) -> Result<Metadata, FetchError> {
        let answer = self.http.get(url).send().await?;
        if !answer.status().is_success() {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let metadata: Metadata = serde_json::from_slice(&bounded(answer).await?)
            .map_err(|_| FetchError::Unusable("the metadata is not usable"))?;
        match metadata.issuer == self.issuer {
            true => Ok(metadata),
            false => Err(FetchError::Unusable("the metadata names another issuer")),
        }
    }
}

/// Reads a body that must not be larger than [`LARGEST_DOCUMENT`].
pub(super) async fn bounded(mut answer: reqwest::Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LARGEST_DOCUMENT {
            return Err(FetchError::Unusable("the document is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn well_known(issuer: &str) -> Vec<String> {
    let Ok(url) = Url::parse(issuer) else {
        return Vec::new();
    };
    let path = url.path().trim_end_matches('/');
    let origin = issuer.strip_suffix(path).unwrap_or(issuer);
    let mut places = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{issuer}/.well-known/openid-configuration"));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::well_known;

    #[test]
    fn an_issuer_with_a_path_is_looked_for_in_three_places() {
        assert_eq!(
            well_known("https://a.test/t1"),
            [
                "https://a.test/.well-known/oauth-authorization-server/t1",
                "https://a.test/.well-known/openid-configuration/t1",
                "https://a.test/t1/.well-known/openid-configuration",
            ]
        );
        assert_eq!(well_known("http://localhost:3000").len(), 2);
    }
}
