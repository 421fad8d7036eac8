//! What a library refuses with a bare status, and what takes too long or fails: told like any other
//! refusal, to people as a page, to programs as JSON.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    error_response::{JsonError, PageError, Refusal},
    oauth::{ErrorCode, OAuthError},
    scim::ScimError,
};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A layer around the pages.
pub(crate) async fn explain_to_people(request: Request, next: Next) -> Response {
    explain(next.run(request), REQUEST_TIMEOUT, |error| PageError::from(error).into_response())
        .await
}

/// A layer around the endpoints for programs.
pub(crate) async fn explain_to_programs(request: Request, next: Next) -> Response {
    explain(next.run(request), REQUEST_TIMEOUT, |error| JsonError(error).into_response()).await
}

/// A layer around the endpoints of SCIM.
pub(crate) async fn explain_to_provisioning(request: Request, next: Next) -> Response {
    explain(next.run(request), REQUEST_TIMEOUT, |error| ScimError::from(error).into_response())
        .await
}

async fn explain(
    answer: impl Future<Output = Response>,
    limit: Duration,
    tell: impl FnOnce(OAuthError) -> Response,
) -> Response {
    let Ok(response) = tokio::time::timeout(limit, answer).await else {
        return tell(timed_out());
    };
    match unexplained(&response) {
        None => response,
        Some(error) => {
            // Its headers are worth keeping: a 405 names the methods that there are.
            let (mut parts, _) = response.into_parts();
            parts.headers.remove(CONTENT_TYPE);
            let (told, body) = tell(error).into_parts();
            parts.headers.extend(told.headers);
            parts.extensions.extend(told.extensions);
            Response::from_parts(parts, body)
        }
    }
}

/// What a bare status means; `None` where nothing was refused, or where it was explained already.
fn unexplained(response: &Response) -> Option<OAuthError> {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    if !refused || response.extensions().get::<Refusal>().is_some() {
        return None;
    }
    Some(match status {
        StatusCode::NOT_FOUND => OAuthError::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::NotFound
            .error("method_not_allowed", "Use one of the methods that the header Allow names."),
        StatusCode::INTERNAL_SERVER_ERROR => {
            OAuthError::server_error("panicked", "the handler of this request panicked")
        }
        _ => OAuthError::malformed(),
    })
}

fn timed_out() -> OAuthError {
    ErrorCode::TemporarilyUnavailable.error("timed_out", "The request took too long. Try again.")
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::error_response::PageDue;

    fn page(error: OAuthError) -> Response {
        PageError::from(error).into_response()
    }

    fn reason(response: &Response) -> Option<&'static str> {
        response.extensions().get::<Refusal>().map(|refusal| refusal.0.reason)
    }

    #[tokio::test]
    async fn what_takes_too_long_becomes_a_refusal_that_is_worth_another_try() {
        let response = explain(pending(), Duration::ZERO, page).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reason(&response), Some("timed_out"));
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(response.extensions().get::<PageDue>().is_some());
    }

    #[tokio::test]
    async fn a_bare_status_is_explained_and_keeps_its_headers() {
        let bare = (StatusCode::METHOD_NOT_ALLOWED, [("allow", "GET")], "no").into_response();
        let response = explain(ready(bare), REQUEST_TIMEOUT, page).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(reason(&response), Some("method_not_allowed"));
        assert_eq!(response.headers()["allow"], "GET");
    }

    #[tokio::test]
    async fn what_is_explained_or_no_refusal_stays_as_it_is() {
        let refused = page(OAuthError::invalid_request("scope_unknown", "No such scope."));
        let response = explain(ready(refused), REQUEST_TIMEOUT, page).await;
        assert_eq!(reason(&response), Some("scope_unknown"));
        let fine = explain(ready(StatusCode::OK.into_response()), REQUEST_TIMEOUT, page).await;
        assert_eq!((fine.status(), reason(&fine)), (StatusCode::OK, None));
    }
}
