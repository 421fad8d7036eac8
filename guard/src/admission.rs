//! The checks that an MCP request must pass before the server behind the guard sees it.
//!
//! header → token → [`Caller`] → host and origin → session → operation → scopes → server

use std::{convert::Infallible, mem, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures::StreamExt;
use net::unread_body::track;
use tokio::time::timeout;
use tower::{Service, ServiceExt};

use crate::{
    Guard,
    bearer::{self, BearerToken, Scheme},
    caller::Caller,
    challenge::Challenge,
    events,
    in_progress::Held,
    operation::Asked,
    possession::SentToken,
    refusal::Refusal,
    stream::{Purpose, Stopping, Watched, is_stream},
};

/// Header of the session id, in revisions before 2026-07-28.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// Replaces the id of another caller's session, which must look like one that does not exist.
const NO_SESSION: HeaderValue = HeaderValue::from_static("none-of-yours");
/// Maximum length of a body, in bytes.
const MAX_BODY: usize = 4 << 20;
/// Time limit for receiving a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// As an extension of a response, this demands more scopes: the caller gets the challenge that names them in
/// place of the response. For servers whose needs are not declared with [`needs`](crate::needs).
#[derive(Clone, Debug)]
pub struct NeedsScopes(pub Vec<String>);

/// A request that has passed every check.
struct Admitted {
    caller: Caller,
    request: Request,
    purpose: Purpose,
    held: Arc<Held>,
    reads_empty_events: bool,
    opens_session: bool,
}

impl Guard {
    /// Refuses a request that could be meant for two servers, hands any other to `service`, and reads
    /// what is left of the body.
    pub(crate) async fn enter<S>(self, request: Request, service: S) -> Result<Response, Infallible>
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        let (request, rest) = track(request, || ());
        let (parts, body) = request.into_parts();
        let mut response = match self.0.site.refuse_ambiguous(&parts) {
            Some(refused) => {
                drop(body);
                refused
            }
            None => service.oneshot(Request::from_parts(parts, body)).await?,
        };
        rest.drain(&mut response).await;
        Ok(response)
    }

    /// Passes a request to the MCP server `server`, or refuses it.
    pub(crate) async fn admit<S>(&self, request: Request, server: S) -> Response
    where
        S: Service<Request, Error = Infallible> + Clone,
        S::Response: IntoResponse,
    {
        let challenge = self.challenge(request.headers(), true);
        match self.check(request).await {
            Ok(admitted) => {
                let mut response = self.pass(admitted, server).await;
                if let Some(NeedsScopes(scopes)) = response.extensions_mut().remove() {
                    return challenge.refuse(&Refusal::InsufficientScope(scopes));
                }
                challenge.add_nonce(response.headers_mut());
                response
            }
            Err(refusal) => challenge.refuse(&refusal),
        }
    }

    /// The challenge for a request, should it be refused. `is_json_rpc` says whether the service is an
    /// MCP server.
    pub(crate) fn challenge(&self, headers: &HeaderMap, is_json_rpc: bool) -> Challenge<'_> {
        let scheme = Scheme::from_headers(headers);
        let nonce = match scheme {
            Scheme::Dpop => self.0.possession.next_nonce(self.0.clock.now()),
            Scheme::Bearer => None,
        };
        Challenge {
            resource_metadata: &self.0.resource.as_called(headers).metadata_url,
            scopes: &self.0.requirements.basic,
            scheme,
            bound_only: self.0.possession.required,
            nonce,
            is_json_rpc,
        }
    }

    /// Every check, in order. The token comes first, so that strangers learn nothing else.
    async fn check(&self, request: Request) -> Result<Admitted, Refusal> {
        let (mut parts, mut body) = request.into_parts();
        bearer::refuse_repeated(&parts.headers)?;
        let caller = self.authenticate(&parts, self.called_url(&parts)).await?;
        self.0.site.check(&parts.headers, &parts.uri)?;
        self.hide_foreign_session(&caller, &mut parts.headers);
        let mut purpose = Purpose::Answering(None);
        let mut held = self.0.in_progress.nothing(&caller);
        let mut reads_empty_events = events::reads_empty_events(None, &parts.headers);
        let mut opens_session = false;
        match parts.method {
            Method::POST => {
                // Counted before the body is read, which takes as long as the sender likes.
                held = self.0.in_progress.begin(&caller)?;
                let bytes = read_body(body, &mut held).await?;
                let asked = self.authorize(&caller, &parts.headers, &bytes)?;
                purpose = asked.purpose();
                opens_session = asked.opens_session();
                let revision = asked.revision.as_deref();
                reads_empty_events = events::reads_empty_events(revision, &parts.headers);
                body = Body::from(bytes);
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
            held.add_stream(id.as_ref())?;
        }
        let held = Arc::new(held);
        hand_over(&caller, &held, &mut parts);
        let request = Request::from_parts(parts, body);
        Ok(Admitted { caller, request, purpose, held, reads_empty_events, opens_session })
    }

    /// The public URL of the resource as the client called it, for its proof of possession.
    fn called_url(&self, parts: &Parts) -> [&str; 2] {
        let url = &self.0.resource.as_called(&parts.headers).identifier;
        let needs_slash = parts.uri.path().ends_with('/') && !url.ends_with('/');
        [url, if needs_slash { "/" } else { "" }]
    }

    /// Verifies token and proof of a request to `url`, which is in two pieces.
    pub(crate) async fn authenticate(
        &self,
        parts: &Parts,
        url: [&str; 2],
    ) -> Result<Caller, Refusal> {
        let (scheme, token) = BearerToken::from_request(&parts.headers, &parts.uri)?;
        let now = self.0.clock.now();
        let (verified, issuer) = self.0.issuers.verify(token, now).await?;
        issuer.deny_list.check(verified.caller.revocable()).await?;
        let headers = &parts.headers;
        let sent = SentToken { scheme, token, method: &parts.method, headers, url };
        self.0.possession.check(&verified, &sent, now)?;
        Ok(verified.caller.clone())
    }

    /// Checks that the caller has the scopes for the operation in the body.
    fn authorize<'a>(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: &'a [u8],
    ) -> Result<Asked<'a>, Refusal> {
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

    async fn pass<S>(&self, admitted: Admitted, mut server: S) -> Response
    where
        S: Service<Request, Error = Infallible> + Clone,
        S::Response: IntoResponse,
    {
        let Admitted { caller, request, purpose, held, reads_empty_events, opens_session } =
            admitted;
        let stopping = request.extensions().get::<Stopping>().cloned();
        let closing = match *request.method() {
            Method::DELETE => request.headers().get(SESSION).cloned(),
            _ => None,
        };
        let host = opens_session.then(|| request.headers().get(header::HOST).cloned());
        let mut response = answer(async { server.ready().await?.call(request).await }.await);
        if response.status().is_success() {
            if let Some(closed) = closing {
                self.0.sessions.close(closed.to_str().unwrap_or_default());
                // rmcp answers 202 even for a session that it does not know.
                let is_unknown = closed == NO_SESSION;
                let status =
                    if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT };
                response = status.into_response();
            } else if let Some(host) = host
                && let Some(opened) = response.headers().get(SESSION)
            {
                let opened = opened.to_str().unwrap_or_default().to_owned();
                if let Some(end) = self.remember_session(&caller, &opened, host) {
                    answer(server.oneshot(end).await);
                }
            }
        }
        if is_stream(&response) && !reads_empty_events {
            response = response.map(events::without_empty);
        }
        self.watch(response, Watched { caller, purpose, stopping, held })
    }

    /// Records that a new session belongs to the caller. If they have too many, returns the request that
    /// ends the oldest.
    fn remember_session(
        &self,
        caller: &Caller,
        id: &str,
        host: Option<HeaderValue>,
    ) -> Option<Request> {
        let owner = caller.owner();
        let now = self.0.clock.now();
        if self.0.sessions.use_session(id, &owner, now) {
            return None;
        }
        let oldest = self.0.sessions.open(id, owner, now)?;
        let oldest = HeaderValue::from_str(&oldest).ok()?;
        tracing::info!(reason = "sessions_too_many", "ends the oldest session of a caller");
        let mut end = Request::new(Body::empty());
        *end.method_mut() = Method::DELETE;
        end.headers_mut().insert(SESSION, oldest);
        end.headers_mut().extend(host.map(|host| (header::HOST, host)));
        end.extensions_mut().insert(caller.clone());
        Some(end)
    }
}

/// The response of a service that cannot fail.
fn answer(outcome: Result<impl IntoResponse, Infallible>) -> Response {
    match outcome {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

/// Gives the server the caller instead of the token. The request also keeps its share of what the
/// caller may hold, because a handler can go on after the client has left.
pub(crate) fn hand_over(caller: &Caller, held: &Arc<Held>, parts: &mut Parts) {
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove(DPOP);
    parts.extensions.insert(held.clone());
    parts.extensions.insert(caller.clone());
}

/// Reads a whole body, within the caller's share of memory.
async fn read_body(body: Body, held: &mut Held) -> Result<Bytes, Refusal> {
    let collect = async {
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::Unreadable)?;
            if first.len() + whole.len() + chunk.len() > MAX_BODY {
                return Err(Refusal::TooLarge);
            }
            held.add_body_bytes(chunk.len())?;
            // Most bodies come in one piece, which need not be copied.
            if first.is_empty() && whole.is_empty() {
                first = chunk;
                continue;
            }
            whole.extend_from_slice(&mem::take(&mut first));
            whole.extend_from_slice(&chunk);
        }
        Ok(if first.is_empty() { whole.freeze() } else { first })
    };
    timeout(BODY_TIMEOUT, collect).await.unwrap_or(Err(Refusal::TooSlow))
}
