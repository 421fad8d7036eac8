//! Looks for a document at several well-known places (RFC 8615).

use serde::de::DeserializeOwned;
use url::Url;

use super::OAuthError;
use crate::http::Fetch;

pub(super) enum Found<T> {
    Document(T),
    /// None of the places has one.
    Nothing {
        /// The places, each with what it answered.
        tried: String,
    },
}

/// The first of `candidates` that answers with a document that `judge` accepts.
///
/// Servers answer unknown paths with anything: 404, a redirect to a sign-in page, 501, the page of
/// a single-page application, the document of another tenant. So one place never ends the search.
/// If no place has the document, the error is the most specific failure: a server in trouble, which
/// may have the document a moment later, before a document that did not fit.
pub(super) async fn first_document<T: DeserializeOwned>(
    fetch: &Fetch,
    candidates: &[Url],
    judge: impl Fn(&T, &Url) -> Result<(), OAuthError>,
) -> Result<Found<T>, OAuthError> {
    let mut trouble: Option<OAuthError> = None;
    let mut unfit: Option<OAuthError> = None;
    let mut tried = Vec::new();
    for url in candidates {
        let answer = match fetch.get(url).await {
            Ok(answer) => answer,
            // The other places are on the same host, so they cannot be reached either.
            Err(error) if error.is_unreachable() => return Err(error.into()),
            Err(error) => {
                unfit = Some(more_specific(unfit, error.into()));
                continue;
            }
        };
        tried.push(format!("{url} ({})", answer.status));
        if answer.is_in_trouble() {
            trouble = trouble.or_else(|| Some(answer.unavailable().into()));
        } else if answer.status.is_success() && !answer.is_empty() {
            let judged = answer.json().map_err(OAuthError::from).and_then(|document| {
                judge(&document, url)?;
                Ok(document)
            });
            match judged {
                Ok(document) => return Ok(Found::Document(document)),
                Err(error) => unfit = Some(more_specific(unfit, error)),
            }
        }
    }
    match trouble.or(unfit) {
        Some(error) => Err(error),
        None => Ok(Found::Nothing { tried: tried.join(", ") }),
    }
}

/// A document about another server says more than a page that is not a document.
fn more_specific(known: Option<OAuthError>, new: OAuthError) -> OAuthError {
    match known {
        Some(known) if !matches!(known, OAuthError::Fetch(_)) => known,
        Some(known) if matches!(new, OAuthError::Fetch(_)) => known,
        _ => new,
    }
}
