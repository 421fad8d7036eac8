//! The middleware: what a request must pass before the server behind the guard sees it.
//!
//! header → token → [`Caller`] → host and origin → session → operation → scopes → server

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use futures::StreamExt;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Guard,
    bearer::{self, BearerToken},
    caller::Caller,
    error::BearerError,
    operation::Operation,
};

/// The header that names a session of the older wires.
const SESSION: &str = "mcp-session-id";
/// What a foreign session's id is replaced by: to the server behind the guard, it does not exist.
const NO_SESSION: HeaderValue = HeaderValue::from_static("none-of-yours");
/// Largest body, in bytes.
const LARGEST_BODY: usize = 4 << 20;
/// How often an open stream is looked at: it outlives its token by no more than this.
const STREAM_CHECK: Duration = Duration::from_secs(1);

/// Lets a request through to the server, or refuses it.
pub(super) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let challenge = guard.0.resource.challenge(request.headers());
    match guard.examine(request).await {
        Ok((caller, request)) => guard.pass(caller, request, next).await,
        Err(error) => challenge.refuse(&error),
    }
}

impl Guard {
    /// All checks, in their order. Nothing is said about the request before the token is good.
    async fn examine(&self, mut request: Request) -> Result<(Caller, Request), BearerError> {
        bearer::refuse_doubled(request.headers())?;
        let token = BearerToken::of(request.headers(), request.uri())?;
        let caller = self.authenticate(&token).await?;
        self.0.site.check(request.headers(), request.uri())?;
        self.hide_foreign_session(&caller, request.headers_mut());
        if request.method() == Method::POST {
            request = self.authorize(&caller, request).await?;
        }
        // The server behind gets the caller; the token itself ends here.
        request.headers_mut().remove(header::AUTHORIZATION);
        request.extensions_mut().insert(caller.clone());
        Ok((caller, request))
    }

    /// Checks the scopes of what the body asks for, before anything of it runs.
    async fn authorize(&self, caller: &Caller, request: Request) -> Result<Request, BearerError> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| BearerError::TooLarge)?;
        let operation = Operation::of(&body).ok_or(BearerError::Unreadable)?;
        match self.0.requirements.lacking(&operation, caller) {
            Some(needed) => Err(BearerError::InsufficientScope(needed)),
            None => Ok(Request::from_parts(parts, Body::from(body))),
        }
    }

    fn hide_foreign_session(&self, caller: &Caller, headers: &mut HeaderMap) {
        let Some(id) = headers.get(SESSION) else {
            return;
        };
        let is_own = id
            .to_str()
            .is_ok_and(|id| self.0.sessions.is_of(id, &caller.owner(), self.0.clock.now()));
        if !is_own {
            headers.insert(SESSION, NO_SESSION);
        }
    }

    async fn pass(&self, caller: Caller, request: Request, next: Next) -> Response {
        let closing = match *request.method() {
            Method::DELETE => request.headers().get(SESSION).cloned(),
            _ => None,
        };
        let host = request.headers().get(header::HOST).cloned();
        let response = next.clone().run(request).await;
        if response.status().is_success() {
            let id = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
            if let Some(closed) = closing {
                self.0.sessions.close(&id(&closed));
            } else if let Some(opened) = response.headers().get(SESSION).map(id) {
                self.remember_session(&caller, &opened, host, next).await;
            }
        }
        self.end_with_token(caller, response)
    }

    /// A session that is new belongs to the caller; one too many ends another of theirs.
    async fn remember_session(
        &self,
        caller: &Caller,
        id: &str,
        host: Option<HeaderValue>,
        next: Next,
    ) {
        let (owner, now) = (caller.owner(), self.0.clock.now());
        if self.0.sessions.is_of(id, &owner, now) {
            return;
        }
        let Some(oldest) = self.0.sessions.open(id, owner, now) else {
            return;
        };
        let Ok(oldest) = HeaderValue::from_str(&oldest) else {
            return;
        };
        let mut end = Request::new(Body::empty());
        *end.method_mut() = Method::DELETE;
        end.headers_mut().insert(SESSION, oldest);
        end.headers_mut().extend(host.map(|host| (header::HOST, host)));
        end.extensions_mut().insert(caller.clone());
        next.run(end).await;
        tracing::info!(reason = "sessions_too_many", "ended the oldest session of a caller");
    }

    /// A stream ends when its token does: the client then refreshes, and goes on where it was.
    fn end_with_token(&self, caller: Caller, response: Response) -> Response {
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if !is_stream {
            return response;
        }
        let guard = self.clone();
        let over = async move {
            let mut ticks = interval(STREAM_CHECK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while guard.is_still_good(&caller) {
                ticks.tick().await;
            }
            tracing::info!(reason = "token_over", "ended a stream");
        };
        response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(over))))
    }
}
