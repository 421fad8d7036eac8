//! The ways a refusal travels: as JSON, as a bearer challenge, as a page, by redirect.
//!
//! Each delivery also leaves the refusal in the response's extensions. [`report`] stands around
//! all routes, logs it once with the request id, and draws the page where a page was due.

mod page;
mod unexplained;

use std::sync::Arc;

use axum::{
    Json,
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde_json::json;
use tower_http::request_id::RequestId;
use web::{Frame, Onward};

pub use self::unexplained::{explain_to_people, explain_to_programs};
use crate::{
    oauth::{
        client::Client,
        error::{ErrorCode, OAuthError, RefusalKind},
        redirect_target::RedirectTarget,
    },
    story,
};

/// JSON with the standard's status (RFC 6749 §5.2).
#[derive(Debug)]
pub struct TokenError(pub OAuthError);

/// A challenge besides the JSON (RFC 6750 §3).
#[derive(Debug)]
pub struct BearerError(pub OAuthError);

/// A page for the person at the browser.
#[derive(Debug)]
pub struct PageError(pub OAuthError);

/// A refusal at `/authorize`: to the client where its redirect target is certain, else a page.
#[derive(Debug)]
pub enum AuthorizationError {
    /// Nobody may be redirected: a page, or JSON for a program that asks for it.
    Local(OAuthError),
    /// The client hears of it at its redirect URI (RFC 6749 §4.1.2.1).
    Redirect(RedirectTarget, OAuthError),
    /// A page shows the redirect URI, and the person decides whether the client hears of it
    /// (RFC 9700 §4.11.2).
    Ask(RedirectTarget, OAuthError),
}

impl AuthorizationError {
    /// The refusal of a request of this client that is answered at `target`. Whoever registers
    /// itself may name any site as its own; if refusals went there without a page, every link to
    /// this server could be one to that site. Programs on the person's machine are no site.
    pub fn of(client: &Client, target: RedirectTarget, error: OAuthError) -> Self {
        match client.vouches_for_itself() && !target.is_loopback() {
            true => Self::Ask(target, error),
            false => Self::Redirect(target, error),
        }
    }
}

#[derive(Clone)]
struct Refusal(Arc<OAuthError>);

/// A page is due, with a way on to the program if there is one.
#[derive(Clone)]
struct PageDue(Option<Onward>);

impl<E> From<E> for TokenError
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

impl<E> From<E> for PageError
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
    OAuthError: From<E>,
{
    #[track_caller]
    fn from(error: E) -> Self {
        Self::Local(OAuthError::from(error))
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        // A person's no is an answer to the client's question, not a matter of its rights.
        let status = match self.0.code {
            ErrorCode::AccessDenied => StatusCode::BAD_REQUEST,
            _ => status(&self.0),
        };
        let mut response = (status, json_body(&self.0)).into_response();
        if self.0.code == ErrorCode::InvalidClient {
            insert(&mut response, WWW_AUTHENTICATE.as_str(), "Basic realm=\"token\"");
        }
        if let Some(nonce) = &self.0.dpop_nonce {
            insert(&mut response, "dpop-nonce", nonce);
        }
        refuse(response, self.0)
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let is_about_proof = is_about_proof(self.0.code);
        let status = match is_about_proof {
            true => StatusCode::UNAUTHORIZED,
            false => status(&self.0),
        };
        let mut response = (status, json_body(&self.0)).into_response();
        let challenge = match self.0.code {
            code if is_about_proof => format!(
                "DPoP error=\"{}\", error_description=\"{}\", algs=\"ES256 EdDSA RS256\"",
                code.as_str(),
                self.0.description
            ),
            ErrorCode::InvalidToken => {
                format!(
                    "Bearer error=\"invalid_token\", error_description=\"{}\"",
                    self.0.description
                )
            }
            _ => "Bearer".to_owned(),
        };
        insert(&mut response, WWW_AUTHENTICATE.as_str(), &challenge);
        if let Some(nonce) = &self.0.dpop_nonce {
            insert(&mut response, "dpop-nonce", nonce);
        }
        refuse(response, self.0)
    }
}

/// Whether the client must prove anew that it holds a key (RFC 9449 §7.1).
fn is_about_proof(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce)
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = refuse(page_status(&self.0).into_response(), self.0);
        response.extensions_mut().insert(PageDue(None));
        response
    }
}

/// A refusal that a page of its own tells, such as a form that is to be filled in again.
pub fn answered_with(mut page: Response, error: OAuthError) -> Response {
    *page.status_mut() = page_status(&error);
    refuse(page, error)
}

fn page_status(error: &OAuthError) -> StatusCode {
    match (error.kind, status(error)) {
        (Some(RefusalKind::NotFound), _) => StatusCode::NOT_FOUND,
        (Some(RefusalKind::MethodNotAllowed), _) => StatusCode::METHOD_NOT_ALLOWED,
        (Some(RefusalKind::TooLarge), _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Some(RefusalKind::UpstreamFault), StatusCode::INTERNAL_SERVER_ERROR) => {
            StatusCode::BAD_GATEWAY
        }
        // Nobody can answer a challenge at a page.
        (_, StatusCode::UNAUTHORIZED) => StatusCode::BAD_REQUEST,
        (_, status) => status,
    }
}

impl IntoResponse for AuthorizationError {
    fn into_response(self) -> Response {
        match self {
            Self::Local(error) => PageError(error).into_response(),
            Self::Redirect(target, error) => {
                let response = see_other(&target.with_error(&error));
                refuse(response, error)
            }
            Self::Ask(target, error) => {
                let onward =
                    Onward { host: target.shown_host(), address: target.with_error(&error) };
                let mut response = PageError(error).into_response();
                response.extensions_mut().insert(PageDue(Some(onward)));
                response
            }
        }
    }
}

/// `303 See Other`: a browser never posts a form on (RFC 9700 §4.12).
pub fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    insert(&mut response, "location", location);
    insert(&mut response, CACHE_CONTROL.as_str(), "no-store");
    response
}

/// Logs each refusal once and draws the pages. Programs that ask for JSON get JSON.
pub async fn report(frame: Frame, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.header_value().clone());
    let request_id = request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or("-").to_owned();
    let path = story::shown_path(request.uri().path());
    let wants_json = request
        .headers()
        .get("accept")
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"));

    let again = page::again(request.method(), request.uri());
    let mut response = next.run(request).await;
    let Some(Refusal(error)) = response.extensions_mut().remove() else {
        return response;
    };
    log(&error, &path, &request_id);
    let Some(PageDue(onward)) = response.extensions_mut().remove() else {
        return response;
    };
    let drawn = match wants_json {
        true => json_body(&error).into_response(),
        false => {
            let page = page::page(&error, request_id, page::Ways { again, onward });
            Html(page.render(&frame)).into_response()
        }
    };
    let (mut parts, _) = response.into_parts();
    let (drawn, body) = drawn.into_parts();
    parts.headers.extend(drawn.headers);
    Response::from_parts(parts, body)
}

fn log(error: &OAuthError, path: &str, request_id: &str) {
    let (code, reason, description) = (error.code.as_str(), error.reason, &*error.description);
    let cause = error.cause.as_ref().map(|cause| tracing::field::display(cause.to_string()));
    match error.code {
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            tracing::error!(code, reason, description, path, request_id, cause, "refused");
        }
        _ => tracing::info!(code, reason, description, path, request_id, cause, "refused"),
    }
}

fn status(error: &OAuthError) -> StatusCode {
    if error.kind == Some(RefusalKind::TooMany) {
        return StatusCode::TOO_MANY_REQUESTS;
    }
    match error.code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::AccessDenied => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn json_body(error: &OAuthError) -> Json<serde_json::Value> {
    Json(json!({"error": error.code.as_str(), "error_description": error.description}))
}

fn refuse(mut response: Response, error: OAuthError) -> Response {
    insert(&mut response, CACHE_CONTROL.as_str(), "no-store");
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

    fn asks_the_database() -> Result<(), TokenError> {
        Err(StorageError::Custom("the disk is full".into()))?
    }

    #[test]
    fn a_failure_of_the_database_is_one_reason_and_names_where_it_was_needed() {
        let TokenError(error) = asks_the_database().unwrap_err();
        assert_eq!(
            (error.code, error.reason),
            (ErrorCode::TemporarilyUnavailable, "database_failed")
        );
        let cause = error.cause.unwrap().to_string();
        assert!(
            cause.contains("the disk is full") && cause.contains("error_response.rs:"),
            "{cause}"
        );
    }
}
