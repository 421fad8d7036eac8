//! What surrounds every request: its id, the host check, its story and the log of its refusal.
//!
//! This is one layer, because for each request axum clones every layer with all that it wraps.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    http::{
        HeaderValue,
        header::{STRICT_TRANSPORT_SECURITY, USER_AGENT},
    },
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Span};

use super::{host, report, request_id};
use crate::{error_response::Refusal, extract::visitor, state::AppState, story};

const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The layer around all routes.
pub(crate) async fn surround(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let began_at = Instant::now();
    let id = request_id::assign(&mut request, state.config.trusted_proxies > 0);
    let uri = request.uri().clone();
    let span = span(&state, &request, request_id::shown(&id));
    let answer = async {
        begin(&request);
        match host::refusal(&state, &request) {
            Some(refusal) => refusal,
            None => next.run(request).await,
        }
    };
    let mut response = answer.instrument(span.clone()).await;
    span.in_scope(|| {
        if let Some(Refusal(error)) = response.extensions().get() {
            let path = story::shown_path(uri.path());
            report::log(error, &path, request_id::shown(&id));
        }
        end(&response, began_at);
    });
    let is_told = span.metadata().is_some_and(|span| span.name() != story::UNTOLD);
    // The user may look up the story of a refusal at once.
    if is_told && is_refusal(&response) {
        story::flush().await;
    }
    let headers = response.headers_mut();
    headers.insert(request_id::X_REQUEST_ID, id);
    // A browser that has used https once never tries plain http.
    if state.config.is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    response
}

fn is_refusal(response: &Response) -> bool {
    let status = response.status();
    // Some refusals are redirects.
    let is_refusal = response.extensions().get::<Refusal>().is_some();
    is_refusal || status.is_client_error() || status.is_server_error()
}

/// The fields of every line of a story. The path is without the query, which may hold a code or a
/// state.
fn span(state: &AppState, request: &Request, request_id: &str) -> Span {
    let method = request.method().as_str();
    let path = &*story::shown_path(request.uri().path());
    let proxies = state.config.trusted_proxies;
    let address = visitor::address_of(request.extensions(), request.headers(), proxies);
    if state.limits.keeps_story(&visitor::limited_address(address), state.clock.now()) {
        tracing::debug_span!("request", method, path, request_id)
    } else {
        tracing::debug_span!(story::UNTOLD, method, path, request_id)
    }
}

/// The beginning of a request's story.
fn begin(request: &Request) {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.unwrap_or_default();
    let agent = agent.get(..100).unwrap_or(agent);
    tracing::debug!(user_agent = agent, "received");
}

/// The end of a request's story.
fn end(response: &Response, began_at: Instant) {
    let milliseconds = u64::try_from(began_at.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    tracing::debug!(target: story::ANSWERED, status, milliseconds, "answered");
}
