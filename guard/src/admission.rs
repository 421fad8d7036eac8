//! The checks that an MCP request must pass before the server behind the guard sees it.
//!
//! header → token → [`Caller`] → host and origin → session → operation → scopes → server

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures::StreamExt;
use tokio::time::timeout;

use crate::{
    Guard,
    bearer::{self, BearerToken, Scheme},
    caller::Caller,
    challenge::Challenge,
    deny_list::Revocable,
    events,
    in_progress::Held,
    issuer::{self, VerifiedToken},
    operation::Asked,
    possession::SentToken,
    refusal::Refusal,
    stream::{Purpose, Stopping, Watched, is_stream},
};

/// Header of the session id, in revisions before 2026-07-28.
const SESSION: &str = "mcp-session-id";
/// Replaces the id of another caller's session, which must look like one that does not exist.
const NO_SESSION: HeaderValue = HeaderValue::from_static("none-of-yours");
/// Maximum length of a body, in bytes.
const MAX_BODY: usize = 4 << 20;
/// Time limit for receiving a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A request that has passed every check.
struct Admitted {
    caller: Caller,
    request: Request,
    purpose: Purpose,
    held: Arc<Held>,
    reads_empty_events: bool,
}

/// Passes a request to the server, or refuses it.
pub(crate) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let challenge = guard.challenge(request.headers());
    match guard.check(request).await {
        Ok(admitted) => {
            let mut response = guard.pass(admitted, next).await;
            challenge.add_nonce(response.headers_mut());
            response
        }
        Err(refusal) => challenge.refuse(&refusal),
    }
}

impl Guard {
    /// The challenge for a request, should it be refused.
    pub(crate) fn challenge(&self, headers: &HeaderMap) -> Challenge {
        Challenge {
            resource_metadata: self.0.resource.metadata_url(headers),
            scopes: self.0.requirements.basic.clone(),
            scheme: Scheme::from_headers(headers),
            bound_only: self.0.possession.required,
            nonce: self.0.possession.next_nonce(self.0.clock.now()),
        }
    }

    /// Every check, in order. The token comes first, so that strangers learn nothing else.
    async fn check(&self, request: Request) -> Result<Admitted, Refusal> {
        let (mut parts, mut body) = request.into_parts();
        bearer::refuse_repeated(&parts.headers)?;
        let url = self.called_url(&parts);
        let caller = self.authenticate(&parts, &url).await?;
        self.0.site.check(&parts.headers, &parts.uri)?;
        self.hide_foreign_session(&caller, &mut parts.headers);
        let mut purpose = Purpose::Answering(None);
        let mut held = Held::default();
        let mut revision = None;
        match parts.method {
            Method::POST => {
                // Counted before the body is read, which takes as long as the sender likes.
                held = self.0.in_progress.begin(&caller)?;
                let bytes = read_body(body, &mut held).await?;
                let asked = self.authorize(&caller, &parts.headers, &bytes)?;
                body = Body::from(bytes);
                purpose = asked.purpose();
                revision = asked.revision;
            }
            Method::GET => purpose = Purpose::Listening(None),
            Method::DELETE => {}
            _ => return Err(Refusal::Method),
        }
        if parts.method != Method::POST {
            // A body that was not checked here must not reach the server.
            body = Body::empty();
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.remove(header::TRANSFER_ENCODING);
        }
        if let Purpose::Listening(id) = &purpose {
            self.0.in_progress.listen(&mut held, &caller, id.as_ref())?;
        }
        let reads_empty_events = events::reads_empty_events(revision.as_deref(), &parts.headers);
        let held = Arc::new(held);
        hand_over(&caller, &held, &mut parts);
        let request = Request::from_parts(parts, body);
        Ok(Admitted { caller, request, purpose, held, reads_empty_events })
    }

    /// The public URL of the resource as the client called it, for its proof of possession.
    fn called_url(&self, parts: &Parts) -> String {
        let mut url = self.0.resource.as_called(&parts.headers);
        if parts.uri.path().ends_with('/') && !url.ends_with('/') {
            url.push('/');
        }
        url
    }

    /// Verifies token and proof of a request to `url`.
    pub(crate) async fn authenticate(&self, parts: &Parts, url: &str) -> Result<Caller, Refusal> {
        let (scheme, token) = BearerToken::from_request(&parts.headers, &parts.uri)?;
        let now = self.0.clock.now();
        let VerifiedToken { issuer, claims, key_id } =
            issuer::verify(&self.0.issuers, &token, now).await?;
        let revocable = Revocable { token_id: &claims.jti, key_id: key_id.as_deref() };
        issuer.deny_list.check(revocable).await?;
        let sent = SentToken {
            scheme,
            token: &token,
            method: &parts.method,
            headers: &parts.headers,
            url,
        };
        self.0.possession.check(&claims, &sent, now)?;
        Ok(Caller::from_claims(Arc::unwrap_or_clone(claims), key_id, &self.0.hierarchy))
    }

    /// Checks that the caller has the scopes for the operation in the body.
    fn authorize(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Asked, Refusal> {
        let asked = Asked::parse(body)?;
        self.0.requirements.check(&asked.operation, caller)?;
        asked.check(headers)?;
        Ok(asked)
    }

    fn hide_foreign_session(&self, caller: &Caller, headers: &mut HeaderMap) {
        let Some(id) = headers.get(SESSION) else {
            return;
        };
        let id = id.to_str().unwrap_or_default();
        if !self.0.sessions.use_session(id, &caller.owner(), self.0.clock.now()) {
            headers.insert(SESSION, NO_SESSION);
        }
    }

    async fn pass(&self, admitted: Admitted, next: Next) -> Response {
        let Admitted { caller, request, purpose, held, reads_empty_events } = admitted;
        let stopping = request.extensions().get::<Stopping>().cloned().unwrap_or_default();
        let closing = match *request.method() {
            Method::DELETE => request.headers().get(SESSION).cloned(),
            _ => None,
        };
        let host = request.headers().get(header::HOST).cloned();
        let mut response = next.clone().run(request).await;
        if response.status().is_success() {
            if let Some(closed) = closing {
                self.0.sessions.close(closed.to_str().unwrap_or_default());
                // rmcp answers 202 even for a session that it does not know.
                let is_unknown = closed == NO_SESSION;
                let status =
                    if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT };
                response = status.into_response();
            } else if let Some(opened) = response.headers().get(SESSION) {
                let opened = opened.to_str().unwrap_or_default().to_owned();
                self.remember_session(&caller, &opened, host, next).await;
            }
        }
        if is_stream(&response) && !reads_empty_events {
            response = response.map(events::without_empty);
        }
        self.watch(response, Watched { caller, purpose, stopping, held })
    }

    /// Records that a new session belongs to the caller. If they have too many, the oldest ends.
    async fn remember_session(
        &self,
        caller: &Caller,
        id: &str,
        host: Option<HeaderValue>,
        next: Next,
    ) {
        let owner = caller.owner();
        let now = self.0.clock.now();
        if self.0.sessions.use_session(id, &owner, now) {
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
}

/// Gives the server the caller instead of the token. The request also keeps its share of what the
/// caller may hold, because a handler can go on after the client has left.
pub(crate) fn hand_over(caller: &Caller, held: &Arc<Held>, parts: &mut Parts) {
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove("dpop");
    parts.extensions.insert(held.clone());
    parts.extensions.insert(caller.clone());
}

/// Reads a whole body, within the caller's share of memory.
async fn read_body(body: Body, held: &mut Held) -> Result<Bytes, Refusal> {
    let collect = async {
        let mut whole = BytesMut::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::Unreadable)?;
            if whole.len() + chunk.len() > MAX_BODY {
                return Err(Refusal::TooLarge);
            }
            held.add_body_bytes(chunk.len())?;
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    };
    timeout(BODY_TIMEOUT, collect).await.unwrap_or(Err(Refusal::TooSlow))
}
