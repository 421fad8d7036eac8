//! The metadata of an authorization server, fetched when first needed (RFC 8414 §3).

use std::sync::{Arc, PoisonError, RwLock};

use keys::{KeyError, Profile, lenient};
use net::body::{self, BodyError};
use reqwest::{Client, Response};
use serde::{Deserialize, Deserializer};
use thiserror::Error;
use url::Url;

/// Maximum length of a document, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// A document of the authorization server cannot be fetched.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    #[error("no response: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("{url} answered with status {status}")]
    Status { url: Url, status: u16 },
    #[error("the metadata names the issuer {0:?}; trust it by exactly this name")]
    Issuer(String),
    #[error("the key set is not usable: {0}")]
    Keys(KeyError),
    #[error("{0}")]
    Unusable(&'static str),
}

/// The members that matter to a resource server. Empty ones and those of a wrong type are missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    issuer: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) jwks_uri: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) introspection_endpoint: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) userinfo_endpoint: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) revocations_endpoint: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) authorization_endpoint: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) token_endpoint: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) registration_endpoint: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) revocation_endpoint: Option<String>,
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(lenient(deserializer)?.filter(|url: &String| !url.is_empty()))
}

/// An authorization server, known by its issuer identifier.
#[derive(Debug)]
pub(crate) struct AuthorizationServer {
    pub(crate) http: Client,
    pub(crate) issuer: String,
    /// How it writes its tokens.
    pub(crate) profile: Profile,
    metadata: RwLock<Option<Arc<Metadata>>>,
}

impl AuthorizationServer {
    pub(crate) fn new(http: Client, issuer: String) -> Self {
        Self { http, issuer, profile: Profile::default(), metadata: RwLock::default() }
    }

    pub(crate) fn with_profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// The metadata. The next call repeats a fetch that failed.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, FetchError> {
        if let Some(known) = &*self.metadata.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(known.clone());
        }
        let metadata = Arc::new(self.discover().await?);
        self.set(Some(metadata.clone()));
        Ok(metadata)
    }

    /// Makes the next call fetch the metadata again. Called when an endpoint does not answer, because
    /// it may have moved.
    pub(crate) fn forget(&self) {
        self.set(None);
    }

    fn set(&self, metadata: Option<Arc<Metadata>>) {
        *self.metadata.write().unwrap_or_else(PoisonError::into_inner) = metadata;
    }

    /// Tries the well-known URLs in the order of RFC 8414 §3.1 and OpenID Connect Discovery §4.
    async fn discover(&self) -> Result<Metadata, FetchError> {
        let mut first_error = None;
        for url in well_known(&self.issuer) {
            match self.fetch_metadata(&url).await {
                Ok(metadata) => return Ok(metadata),
                Err(error @ FetchError::Unreachable(_)) => return Err(error),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or(FetchError::Unusable("the issuer is not a URL")))
    }

    async fn fetch_metadata(&self, url: &str) -> Result<Metadata, FetchError> {
        let response = self.http.get(url).send().await?;
        let mut metadata: Metadata = serde_json::from_slice(&body(response).await?)
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
    /// Ignores every endpoint without https, although its issuer has it.
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
                tracing::warn!(url, "ignored an endpoint without https of an issuer with https");
            }
        }
    }
}

/// The body of a successful response.
pub(crate) async fn body(response: Response) -> Result<Vec<u8>, FetchError> {
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(FetchError::Status { url: response.url().clone(), status });
    }
    body::read(response, MAX_DOCUMENT).await.map_err(|error| match error {
        BodyError::TooLarge => FetchError::Unusable("the document is too large"),
        BodyError::Failed(error) => FetchError::Unreachable(error),
    })
}

/// The URLs of the metadata. A trailing slash is part of the issuer identifier, but not of these.
fn well_known(issuer: &str) -> Vec<String> {
    let issuer = issuer.trim_end_matches('/');
    let Ok(url) = Url::parse(issuer) else {
        return Vec::new();
    };
    let path = url.path().trim_end_matches('/');
    let origin = issuer.strip_suffix(path).unwrap_or(issuer);
    let mut urls = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        urls.push(format!("{issuer}/.well-known/openid-configuration"));
    }
    urls
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
