//! Steps 2 and 3 together: from a server's refusal to the authorization server it trusts.

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    OAuthError,
    authorization_server_metadata::{self, AuthorizationServerMetadata},
    challenge::AuthorizationChallenge,
    protected_resource::{self, ProtectedResourceMetadata},
};
use crate::fetch::{Fetch, FetchError};

/// What is known about a server before anybody signs in.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// What the MCP server says about itself.
    pub resource: ProtectedResourceMetadata,
    /// What its authorization server says about itself.
    pub authorization_server: AuthorizationServerMetadata,
}

/// Finds out where to sign in. Done anew for every sign-in: a server may have moved to another
/// authorization server since the last one.
///
/// # Errors
/// [`OAuthError`] when a document is missing, unusable or about something else.
pub async fn discover(
    fetch: &Fetch,
    server: &Url,
    challenge: &AuthorizationChallenge,
) -> Result<Discovery, OAuthError> {
    let announced = challenge.resource_metadata.as_deref();
    let resource = protected_resource::discover(fetch, server, announced).await?;
    let authorization_server =
        authorization_server_metadata::discover(fetch, resource.issuer()?).await?;
    Ok(Discovery { resource, authorization_server })
}

/// The first of `candidates` that answers with JSON, and where it was. A place that answers 4xx or
/// with something else than JSON (as single-page applications do for every path) has no document;
/// one that is in trouble has not said so, and ends the search.
pub(super) async fn first_document<T: DeserializeOwned>(
    fetch: &Fetch,
    candidates: &[Url],
) -> Result<Option<(Url, T)>, OAuthError> {
    let mut unreadable: Option<FetchError> = None;
    for url in candidates {
        let answer = fetch.get(url).await?;
        match answer.status {
            StatusCode::OK => match answer.json() {
                Ok(document) => return Ok(Some((url.clone(), document))),
                Err(error) => unreadable = unreadable.or(Some(error)),
            },
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {}
            status => return Err(OAuthError::UnexpectedStatus { url: url.to_string(), status }),
        }
    }
    unreadable.map_or(Ok(None), |error| Err(error.into()))
}

/// Addresses in one line.
pub(super) fn list(urls: &[Url]) -> String {
    urls.iter().map(Url::as_str).collect::<Vec<_>>().join(", ")
}
