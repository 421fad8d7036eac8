//! The middleware: what a request must pass before the server behind the guard sees it.
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
    issuer::{self, VerifiedToken},
    operation::Asked,
    possession::Shown,
    refusal::Refusal,
    stream::{Purpose, Stopping, Watched, is_stream},
    under_way::Held,
};

/// The header that names a session of the older wires.
const SESSION: &str = "mcp-session-id";
/// What a foreign session's id is replaced by: to the server behind the guard, it does not exist.
const NO_SESSION: HeaderValue = HeaderValue::from_static("none-of-yours");
/// Largest body, in bytes.
const LARGEST_BODY: usize = 4 << 20;
/// How long a body may take to arrive.
const LONGEST_BODY: Duration = Duration::from_secs(30);

/// A request that has passed.
struct Admitted {
    caller: Caller,
    request: Request,
    purpose: Purpose,
    held: Arc<Held>,
    reads_empty_events: bool,
}

/// Lets a request through to the server, or refuses it.
pub(crate) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let challenge = guard.challenge(request.headers());
    match guard.examine(request).await {
        Ok(admitted) => {
            let mut response = guard.pass(admitted, next).await;
            challenge.add_nonce(response.headers_mut());
            response
        }
        Err(error) => challenge.refuse(&error),
    }
}

impl Guard {
    /// What a request is told if it is refused.
    fn challenge(&self, headers: &HeaderMap) -> Challenge {
        Challenge {
            resource_metadata: self.0.resource.metadata_url(headers),
            scopes: self.0.requirements.basic.clone(),
            scheme: Scheme::of(headers),
            bound_only: self.0.possession.required,
            nonce: self.0.possession.next_nonce(self.0.clock.now()),
        }
    }

    /// All checks, in their order. Nothing is said about the request before the token is good.
    async fn examine(&self, request: Request) -> Result<Admitted, Refusal> {
        let (mut parts, mut body) = request.into_parts();
        bearer::refuse_doubled(&parts.headers)?;
        let caller = self.authenticate(&parts).await?;
        self.0.site.check(&parts.headers, &parts.uri)?;
        self.hide_foreign_session(&caller, &mut parts.headers);
        let (mut purpose, mut held) = (Purpose::Answering(None), Held::default());
        let mut revision = None;
        match parts.method {
            Method::POST => {
                // Before the body is read, which can take as long as the sender likes.
                held = self.0.under_way.begin(&caller)?;
                let bytes = read(body, &mut held).await?;
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
            // What is not read here must not be read behind.
            body = Body::empty();
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.remove(header::TRANSFER_ENCODING);
        }
        if let Purpose::Listening(id) = &purpose {
            self.0.under_way.listen(&mut held, &caller, id.as_ref())?;
        }
        // The handler holds it too: it may go on when the client is gone.
        let held = Arc::new(held);
        parts.extensions.insert(held.clone());
        let reads_empty_events = events::reads_empty_events(revision.as_deref(), &parts.headers);
        // The server behind gets the caller; the token itself ends here.
        parts.headers.remove(header::AUTHORIZATION);
        parts.headers.remove("dpop");
        parts.extensions.insert(caller.clone());
        let request = Request::from_parts(parts, body);
        Ok(Admitted { caller, request, purpose, held, reads_empty_events })
    }

    /// Who sends the request, once token and proof have passed every check.
    async fn authenticate(&self, parts: &Parts) -> Result<Caller, Refusal> {
        let (scheme, token) = BearerToken::of(&parts.headers, &parts.uri)?;
        let now = self.0.clock.now();
        let VerifiedToken { issuer, claims, key_id } =
            issuer::verify(&self.0.issuers, &token, now).await?;
        let revocable = Revocable { token_id: &claims.jti, key_id: key_id.as_deref() };
        issuer.deny_list.check(revocable).await?;
        let mut url = self.0.resource.as_called(&parts.headers);
        // The proof names the address that was called, which may have a slash at the end.
        if parts.uri.path().ends_with('/') && !url.ends_with('/') {
            url.push('/');
        }
        let shown = Shown {
            scheme,
            token: &token,
            method: &parts.method,
            headers: &parts.headers,
            url: &url,
        };
        self.0.possession.check(&claims, &shown, now)?;
        Ok(Caller::from_claims(Arc::unwrap_or_clone(claims), key_id, &self.0.hierarchy))
    }

    /// Checks the scopes of what the body asks for, before anything of it runs.
    fn authorize(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Asked, Refusal> {
        let asked = Asked::read(body)?;
        if let Some(needed) = self.0.requirements.lacking(&asked.operation, caller) {
            return Err(Refusal::InsufficientScope(needed));
        }
        asked.check(headers)?;
        Ok(asked)
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
            let id = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
            if let Some(closed) = closing {
                self.0.sessions.close(&id(&closed));
                // rmcp answers 202 even for a session that it does not know.
                let is_unknown = closed == NO_SESSION;
                let status =
                    if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT };
                response = status.into_response();
            } else if let Some(opened) = response.headers().get(SESSION).map(id) {
                self.remember_session(&caller, &opened, host, next).await;
            }
        }
        if is_stream(&response) && !reads_empty_events {
            response = response.map(events::without_empty);
        }
        self.watch(response, Watched { caller, purpose, stopping, held })
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
}

/// Reads a whole body, within the caller's share of memory.
async fn read(body: Body, held: &mut Held) -> Result<Bytes, Refusal> {
    let collect = async {
        let mut whole = BytesMut::new();
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Refusal::Unreadable)?;
            if whole.len() + piece.len() > LARGEST_BODY {
                return Err(Refusal::TooLarge);
            }
            held.add_body_bytes(piece.len())?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    };
    timeout(LONGEST_BODY, collect).await.unwrap_or(Err(Refusal::TooSlow))
}
