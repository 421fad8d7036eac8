//! Looking for a document at the places where it may be (RFC 8615).

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use url::Url;

use super::OAuthError;
use crate::fetch::{Fetch, FetchError};

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
