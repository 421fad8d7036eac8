//! What the authorization server says of itself, fetched when first needed (RFC 8414 §3).

use std::sync::{Arc, PoisonError, RwLock};

use keys::{KeyError, lenient};
use net::body::{self, BodyError};
use reqwest::{Client, Response};
use serde::{Deserialize, Deserializer};
use thiserror::Error;
use url::Url;

/// Largest document, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// The authorization server cannot be asked, or gives no usable answer.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No answer in time.
    #[error("no answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// Another status than expected.
    #[error("{url} answered with status {status}")]
    Status { url: Url, status: u16 },
    /// The metadata is that of another issuer.
    #[error("the metadata names the issuer {0:?}; trust it by exactly this name")]
    Issuer(String),
    /// Not a set of public keys.
    #[error("the key set is not usable: {0}")]
    Keys(KeyError),
    /// Not the document that was expected.
    #[error("{0}")]
    Unusable(&'static str),
}

/// The members that matter to a resource server. What is empty, or no text, is missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    issuer: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) jwks_uri: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) introspection_endpoint: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) userinfo_endpoint: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) revocations_endpoint: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) authorization_endpoint: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) token_endpoint: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) registration_endpoint: Option<String>,
    #[serde(deserialize_with = "address")]
    pub(crate) revocation_endpoint: Option<String>,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(lenient(deserializer)?.filter(|address: &String| !address.is_empty()))
}

/// An authorization server, known by its issuer identifier.
#[derive(Debug)]
pub(crate) struct AuthorizationServer {
    pub(crate) http: Client,
    pub(crate) issuer: String,
    metadata: RwLock<Option<Arc<Metadata>>>,
}

impl AuthorizationServer {
    pub(crate) fn new(http: Client, issuer: String) -> Self {
        Self { http, issuer, metadata: RwLock::default() }
    }

    /// Its metadata. A failed fetch is tried again at the next call.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, FetchError> {
        if let Some(known) = &*self.metadata.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(known.clone());
        }
        let metadata = Arc::new(self.discover().await?);
        self.remember(Some(metadata.clone()));
        Ok(metadata)
    }

    /// Lets the next call discover anew. For whoever finds that an endpoint does not answer: it
    /// may have moved.
    pub(crate) fn forget(&self) {
        self.remember(None);
    }

    fn remember(&self, metadata: Option<Arc<Metadata>>) {
        *self.metadata.write().unwrap_or_else(PoisonError::into_inner) = metadata;
    }

    /// Tries the well-known places in the order of RFC 8414 §3.1 and OpenID Connect Discovery §4.
    async fn discover(&self) -> Result<Metadata, FetchError> {
        let mut first = None;
        for url in well_known(&self.issuer) {
            match self.fetch_metadata(&url).await {
                Ok(metadata) => return Ok(metadata),
                Err(error @ FetchError::Unreachable(_)) => return Err(error),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(FetchError::Unusable("the issuer is not a URL")))
    }

    async fn fetch_metadata(&self, url: &str) -> Result<Metadata, FetchError> {
        let answer = self.http.get(url).send().await?;
        let mut metadata: Metadata = serde_json::from_slice(&body(answer).await?)
            .map_err(|_| FetchError::Unusable("the metadata is not a JSON object"))?;
        match &metadata.issuer {
            Some(named) if *named == self.issuer => {}
            named => return Err(FetchError::Issuer(named.clone().unwrap_or_default())),
        }
        if self.issuer.starts_with("https://") {
            metadata.drop_insecure();
        }
        Ok(metadata)
    }
}

impl Metadata {
    /// Passes over every endpoint that gives up the https of its issuer. It is missed where it is
    /// needed, and nowhere else.
    fn drop_insecure(&mut self) {
        let endpoints = [
            &mut self.jwks_uri,
            &mut self.introspection_endpoint,
            &mut self.userinfo_endpoint,
            &mut self.revocations_endpoint,
            &mut self.authorization_endpoint,
            &mut self.token_endpoint,
            &mut self.registration_endpoint,
            &mut self.revocation_endpoint,
        ];
        for endpoint in endpoints {
            if let Some(url) = endpoint.take_if(|url| !url.starts_with("https://")) {
                tracing::warn!(url, "the metadata leads from https to http; passed over");
            }
        }
    }
}

/// The body of an answer that succeeded, unless it is larger than any document should be.
pub(crate) async fn body(answer: Response) -> Result<Vec<u8>, FetchError> {
    if !answer.status().is_success() {
        let status = answer.status().as_u16();
        return Err(FetchError::Status { url: answer.url().clone(), status });
    }
    body::read(answer, MAX_DOCUMENT).await.map_err(|error| match error {
        BodyError::TooLarge => FetchError::Unusable("the document is too large"),
        BodyError::Failed(error) => FetchError::Unreachable(error),
    })
}

/// A slash at the end is part of the issuer's name, and of no place.
fn well_known(issuer: &str) -> Vec<String> {
    let issuer = issuer.trim_end_matches('/');
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
    use super::{Metadata, well_known};

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

    #[test]
    fn a_slash_at_the_end_of_an_issuer_is_no_part_of_its_places() {
        for issuer in ["https://a.test", "https://a.test/t1"] {
            assert_eq!(well_known(&format!("{issuer}/")), well_known(issuer), "{issuer}");
        }
    }

    #[test]
    fn an_endpoint_that_leads_from_https_to_http_is_missing_and_the_others_are_not() {
        let mut metadata = Metadata {
            jwks_uri: Some("https://keys.test/jwks".into()),
            userinfo_endpoint: Some("http://a.test/userinfo".into()),
            ..Metadata::default()
        };
        metadata.drop_insecure();
        assert_eq!(metadata.jwks_uri.as_deref(), Some("https://keys.test/jwks"));
        assert_eq!(metadata.userinfo_endpoint, None);
    }

    #[test]
    fn a_member_of_a_wrong_type_is_missing_and_the_others_are_not() {
        let document = r#"{"issuer":"https://a.test","jwks_uri":"https://a.test/jwks",
            "userinfo_endpoint":"","token_endpoint":null,"revocation_endpoint":["x"]}"#;
        let metadata: Metadata = serde_json::from_str(document).unwrap();
        assert_eq!(metadata.jwks_uri.as_deref(), Some("https://a.test/jwks"));
        assert_eq!(metadata.userinfo_endpoint, None);
        assert_eq!(metadata.revocation_endpoint, None);
    }
}
