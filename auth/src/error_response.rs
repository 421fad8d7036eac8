//! The ways a refusal travels: as JSON, as a bearer challenge, as a page, by redirect.
//!
//! Each delivery leaves the refusal in the response's extensions, where `middleware::report` finds
//! it and logs it once, and `middleware::pages` draws the page where one is due.

mod page;
mod scim;

use std::sync::Arc;

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use keys::Algorithm;
use serde_json::{Value, json};
use web::{Onward, error::ErrorKind};

pub use self::page::PageError;
pub(crate) use self::page::{PageDue, WayOn};
pub(crate) use self::scim::{SCIM_JSON, ScimResponse};
use crate::oauth::{Client, ErrorCode, OAuthError, RedirectTarget};

/// JSON with the standard's status (RFC 6749 §5.2).
pub(crate) struct JsonError(pub(crate) OAuthError);

/// JSON with a challenge (RFC 6750 §3).
pub(crate) struct BearerError(pub(crate) OAuthError);

/// A refusal at `/authorize`: to the client where its redirect target is certain, else a page.
pub(crate) enum AuthorizationError {
    /// No redirect target is certain: a page, or JSON for a program that asks for it.
    Local(PageError),
    /// The client hears of it at its redirect URI (RFC 6749 §4.1.2.1).
    Redirect(RedirectTarget, OAuthError),
    /// A page shows the redirect URI, and the person decides whether the client hears of it
    /// (RFC 9700 §4.11.2).
    Ask(RedirectTarget, OAuthError),
}

impl AuthorizationError {
    /// The refusal of a request of this client that is answered at `target`. A client that
    /// registers itself may name any site as its own; if refusals went there without a page, every
    /// link to this server could be one to that site. Programs on the person's machine are no site.
    pub(crate) fn of(client: &Client, target: RedirectTarget, error: OAuthError) -> Self {
        if client.vouches_for_itself() && !target.is_loopback() {
            Self::Ask(target, error)
        } else {
            Self::Redirect(target, error)
        }
    }
}

/// What was refused, for the log.
#[derive(Clone)]
pub(crate) struct Refusal(pub(crate) Arc<OAuthError>);

impl<E> From<E> for JsonError
where
    OAuthError: From<E>,
{
    #[track_caller]
    fn from(error: E) -> Self {
        Self(OAuthError::from(error))
    }
}

impl<E> From<E> for BearerError
where
    OAuthError: From<E>,
{
    #[track_caller]
    fn from(error: E) -> Self {
        Self(OAuthError::from(error))
    }
}

impl<E> From<E> for AuthorizationError
where
    PageError: From<E>,
{
    #[track_caller]
    fn from(error: E) -> Self {
        Self::Local(PageError::from(error))
    }
}

/// The table of refusals: the status that goes with the JSON, and the kind of page.
fn delivery(code: ErrorCode) -> (StatusCode, ErrorKind) {
    match code {
        ErrorCode::InvalidClient => (StatusCode::UNAUTHORIZED, ErrorKind::ClientUnknown),
        ErrorCode::InvalidToken => (StatusCode::UNAUTHORIZED, ErrorKind::ClientRequest),
        // A person's no is an answer to the client's question, not a matter of its rights.
        ErrorCode::AccessDenied => (StatusCode::BAD_REQUEST, ErrorKind::Refused),
        ErrorCode::UnregisteredRedirectUri => {
            (StatusCode::BAD_REQUEST, ErrorKind::RedirectNotRegistered)
        }
        ErrorCode::RequestTooLarge => (StatusCode::BAD_REQUEST, ErrorKind::TooLarge),
        ErrorCode::NotFound => (StatusCode::NOT_FOUND, ErrorKind::NotFound),
        ErrorCode::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, ErrorKind::TooMany),
        ErrorCode::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::ServerMistake),
        ErrorCode::TemporarilyUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unavailable)
        }
        ErrorCode::AuthorizationPending
        | ErrorCode::ConsentRequired
        | ErrorCode::ExpiredToken
        | ErrorCode::InvalidClientMetadata
        | ErrorCode::InvalidDpopProof
        | ErrorCode::InvalidGrant
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidRequest
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::LoginRequired
        | ErrorCode::SlowDown
        | ErrorCode::UnapprovedSoftwareStatement
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::UseDpopNonce => (StatusCode::BAD_REQUEST, ErrorKind::ClientRequest),
    }
}

impl IntoResponse for JsonError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let mut response = (delivery(error.code).0, json_body(&error)).into_response();
        if error.code == ErrorCode::InvalidClient {
            insert(&mut response, WWW_AUTHENTICATE.as_str(), "Basic realm=\"token\"");
        }
        refuse(response, error)
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        // The client must prove again that it holds a key (RFC 9449 §7.1).
        let is_about_proof =
            matches!(error.code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce);
        let status = if is_about_proof { StatusCode::UNAUTHORIZED } else { delivery(error.code).0 };
        let code = error.code.as_str();
        let description = &error.description;
        let challenge = match error.code {
            _ if is_about_proof => format!(
                "DPoP error=\"{code}\", error_description=\"{description}\", algs=\"{}\"",
                Algorithm::NAMES.join(" ")
            ),
            ErrorCode::InvalidToken => {
                format!("Bearer error=\"{code}\", error_description=\"{description}\"")
            }
            _ => "Bearer".to_owned(),
        };
        let mut response = (status, json_body(&error)).into_response();
        insert(&mut response, WWW_AUTHENTICATE.as_str(), &challenge);
        refuse(response, error)
    }
}

impl IntoResponse for AuthorizationError {
    fn into_response(self) -> Response {
        match self {
            Self::Local(error) => error.into_response(),
            Self::Redirect(target, error) => {
                let response = see_other(&target.with_error(&error));
                refuse(response, error)
            }
            Self::Ask(target, error) => {
                let onward =
                    Onward { host: target.shown_host(), address: target.with_error(&error) };
                PageError::from(error).with_way_on(onward).into_response()
            }
        }
    }
}

/// `303 See Other`: a browser never posts a form on (RFC 9700 §4.12).
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    insert(&mut response, LOCATION.as_str(), location);
    insert(&mut response, CACHE_CONTROL.as_str(), "no-store");
    response
}

/// The body of every refusal that is told to a program.
pub(crate) fn json_body(error: &OAuthError) -> Json<Value> {
    Json(json!({"error": error.code.as_str(), "error_description": error.description}))
}

/// Adds what every refusal has, whatever its delivery.
fn refuse(mut response: Response, error: OAuthError) -> Response {
    insert(&mut response, CACHE_CONTROL.as_str(), "no-store");
    if let Some(nonce) = &error.dpop_nonce {
        insert(&mut response, "dpop-nonce", nonce);
    }
    let outage = (error.code == ErrorCode::TemporarilyUnavailable).then_some(5);
    if let Some(seconds) = error.retry_after.or(outage) {
        insert(&mut response, RETRY_AFTER.as_str(), &seconds.to_string());
    }
    response.extensions_mut().insert(Refusal(Arc::new(error)));
    response
}

/// Sets a header. A value that cannot be one is left out; ours are printable by construction.
fn insert(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StorageError;

    fn asks_the_database() -> Result<(), JsonError> {
        Err(StorageError::Custom("the disk is full".into()))?
    }

    #[test]
    fn a_failure_of_the_database_is_one_reason_and_names_where_it_was_needed() {
        let JsonError(error) = asks_the_database().unwrap_err();
        let told = (error.code, error.reason);
        assert_eq!(told, (ErrorCode::TemporarilyUnavailable, "database_failed"));
        let cause = error.cause.unwrap().to_string();
        assert!(cause.contains("the disk is full"), "{cause}");
        assert!(cause.contains("error_response.rs:"), "{cause}");
    }
}
