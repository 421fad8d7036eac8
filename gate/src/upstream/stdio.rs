//! A server that speaks over stdin and stdout, as a child of the gate: Streamable HTTP on one side,
//! lines of JSON on the other.

mod exchange;
mod link;
mod message;
mod process;
mod queue;
mod session;
mod shared;
mod table;
mod wire;

use std::{sync::Arc, time::Duration};

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use guard::Caller;
use net::clock::Clock;
use rmcp::model::ErrorCode;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::{
    exchange::{Exchange, json_response, listen, refuse},
    link::{Link, Pending},
    message::{Message, Params},
    process::Starter,
    queue::queue,
    session::{Session, Sessions},
    shared::SharedChild,
    table::PartyId,
    wire::{MODERN, Wire, initialized, to_legacy, unsupported_by},
};
use crate::{
    config::{Config, child::Sharing},
    failure::Failure,
    identity::{Identity, META_PREFIX},
};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// Time between two looks for idle children.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A server as a child of the gate. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct StdioUpstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    starter: Starter,
    shared: SharedChild,
    sessions: Sessions,
    identity: Identity,
    answer_timeout: Duration,
    clock: Clock,
}

/// A message of a caller, and how it came.
struct Incoming {
    message: Message,
    params: Params,
    wire: Wire,
    caller: Option<Caller>,
    session: Option<String>,
}

impl StdioUpstream {
    pub(super) fn new(config: &Config, identity: Identity, clock: Clock) -> Self {
        let starter = Starter::new(config.child.clone());
        Self(Arc::new(Inner {
            shared: SharedChild::new(starter.clone(), clock.clone()),
            starter,
            sessions: Sessions::default(),
            identity,
            answer_timeout: Duration::from_secs(config.answer_timeout),
            clock,
        }))
    }

    /// Stops idle children until the gate stops.
    pub(super) async fn keep_up(&self) {
        let idle_timeout = self.0.starter.options().idle_timeout;
        let mut ticks = interval(UPKEEP_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.0.sessions.end_idle(self.0.clock.now(), idle_timeout);
            self.0.shared.stop_if_idle(idle_timeout).await;
        }
    }

    /// Stops all children, and waits until they have ended.
    pub(super) async fn stop(&self) {
        self.0.starter.stop().await;
    }

    /// Passes a request that the guard has admitted, and what the child answers.
    pub(super) async fn pass(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let session = parts.headers.get(SESSION).and_then(|id| id.to_str().ok());
        match parts.method {
            Method::POST => {
                // The guard has read the body, within its limit.
                let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
                let caller = parts.extensions.get::<Caller>().cloned();
                match self.read(&parts.headers, caller, &body) {
                    Ok(incoming) => self.post(incoming).await,
                    Err(refused) => *refused,
                }
            }
            Method::GET => self.get(session),
            Method::DELETE => match session {
                Some(id) if self.0.sessions.end(id) => StatusCode::NO_CONTENT.into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            },
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }

    /// Reads a message, and says who sends it. The response is the refusal.
    fn read(
        &self,
        headers: &HeaderMap,
        caller: Option<Caller>,
        body: &Bytes,
    ) -> Result<Incoming, Box<Response>> {
        let bad = || Box::new(StatusCode::BAD_REQUEST.into_response());
        let message = Message::parse(body).ok_or_else(bad)?;
        let mut params = Params::parse(message.params.as_deref()).ok_or_else(bad)?;
        let wire = Wire::of(&message, &params, headers).map_err(|error| {
            let error = error.response(message.id.clone());
            Box::new(json_response(StatusCode::BAD_REQUEST, error.to_line()))
        })?;
        let meta = caller.as_ref().map(|caller| self.0.identity.meta(caller)).transpose();
        let meta = meta.map_err(|error| {
            tracing::error!(%error, "an identity cannot be signed");
            Box::new(refuse(Failure::Unsigned, message.id.as_ref()))
        })?;
        // Only the gate may say who calls.
        params.meta.retain(|name, _| !name.starts_with(META_PREFIX));
        params.meta.extend(meta.unwrap_or_default());
        let session = headers.get(SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned);
        Ok(Incoming { message, params, wire, caller, session })
    }

    async fn post(&self, incoming: Incoming) -> Response {
        if incoming.wire == Wire::Stateless {
            return self.stateless(incoming).await;
        }
        if incoming.message.method() == "initialize" {
            return match self.0.starter.options().sharing {
                Sharing::PerSession => self.open_own(incoming).await,
                Sharing::Shared => self.open_shared(incoming).await,
            };
        }
        let Some(id) = &incoming.session else {
            let why = "the header Mcp-Session-Id is missing; send initialize to open a session";
            return no_session(StatusCode::BAD_REQUEST, incoming.message, why);
        };
        let Some(session) = self.0.sessions.find(id, self.0.clock.now()) else {
            let why = "the session does not exist, or has ended; send initialize to open another";
            return no_session(StatusCode::NOT_FOUND, incoming.message, why);
        };
        if !incoming.message.is_request() {
            return match session.link.pass(session.party, incoming.message).await {
                Ok(()) => StatusCode::ACCEPTED.into_response(),
                Err(_) => StatusCode::NOT_FOUND.into_response(),
            };
        }
        if let Some(answer) = answer_for_shared(&session, &incoming) {
            return json_response(StatusCode::OK, answer.to_line());
        }
        let link = session.link.clone();
        let party = session.party;
        // The session may end while the child answers.
        drop(session);
        self.ask(&link, Some(party), incoming, None).await
    }

    /// A request of 2026-07-28, by the shared child.
    async fn stateless(&self, mut incoming: Incoming) -> Response {
        if !incoming.message.is_request() {
            return StatusCode::ACCEPTED.into_response();
        }
        let server = match self.0.shared.get().await {
            Ok(server) => server,
            Err(failure) => return refuse(failure, incoming.message.id.as_ref()),
        };
        if server.is_modern {
            return self.ask(&server.link, None, incoming, None).await;
        }
        let Incoming { message, params, .. } = &mut incoming;
        if let Some(answer) = to_legacy(message, params, &server.about) {
            return json_response(incoming.wire.status(&answer), answer.to_line());
        }
        let method = incoming.message.method().to_owned();
        self.ask(&server.link, None, incoming, Some(method)).await
    }

    /// Sends a request to a child, and answers it.
    async fn ask(
        &self,
        link: &Arc<Link>,
        party: Option<PartyId>,
        incoming: Incoming,
        translated: Option<String>,
    ) -> Response {
        let Incoming { message, params, wire, .. } = incoming;
        let id = message.id.clone();
        let sent = timeout(self.0.answer_timeout, link.call(party, message, params)).await;
        match sent {
            Ok(Ok(pending)) => {
                let answer_timeout = self.0.answer_timeout;
                Exchange { id, wire, translated, answer_timeout }.respond(pending).await
            }
            Ok(Err(_)) => refuse(Failure::Unreachable, id.as_ref()),
            Err(_) => refuse(Failure::TooSlow, id.as_ref()),
        }
    }

    /// Opens a session with a child of its own, which answers `initialize` itself.
    async fn open_own(&self, incoming: Incoming) -> Response {
        let Incoming { message, params, caller, .. } = incoming;
        let id = message.id.clone();
        self.0.sessions.make_room(caller.as_ref());
        if self.0.starter.count() >= self.0.starter.options().max_children {
            return refuse(Failure::Busy, id.as_ref());
        }
        let Ok(child) = self.0.starter.start(false) else {
            return refuse(Failure::Unreachable, id.as_ref());
        };
        let session = Session::new(caller.as_ref(), child.link.clone(), Some(child));
        let asked = async {
            let pending = session.link.call(Some(session.party), message, params).await.ok()?;
            Pending::response(pending).await
        };
        match timeout(self.0.answer_timeout, asked).await {
            Ok(Some(answer)) if answer.result.is_some() => self.opened(session, &answer),
            Ok(Some(answer)) => json_response(StatusCode::OK, answer.to_line()),
            Ok(None) => refuse(Failure::Unreachable, id.as_ref()),
            Err(_) => refuse(Failure::TooSlow, id.as_ref()),
        }
    }

    /// Opens a session at the shared child, which the gate has initialized.
    async fn open_shared(&self, incoming: Incoming) -> Response {
        let Incoming { message, params, caller, .. } = incoming;
        let server = match self.0.shared.get().await {
            Ok(server) => server,
            Err(failure) => return refuse(failure, message.id.as_ref()),
        };
        let requested = params.text("protocolVersion").unwrap_or_default();
        if server.is_modern {
            let answer = unsupported_by(&[MODERN], &requested).response(message.id);
            return json_response(StatusCode::OK, answer.to_line());
        }
        let answer = Message::result(message.id, &initialized(&server.about, &requested));
        self.opened(Session::new(caller.as_ref(), server.link, None), &answer)
    }

    fn opened(&self, session: Session, answer: &Message) -> Response {
        let session = self.0.sessions.open(session, self.0.clock.now());
        let mut response = json_response(StatusCode::OK, answer.to_line());
        if let Ok(id) = HeaderValue::from_str(&session.id) {
            response.headers_mut().insert(SESSION, id);
        }
        response
    }

    /// Listens to what belongs to no request.
    fn get(&self, session: Option<&str>) -> Response {
        let Some(id) = session else {
            let allowed = [(header::ALLOW, "POST")];
            return (StatusCode::METHOD_NOT_ALLOWED, allowed).into_response();
        };
        let Some(session) = self.0.sessions.find(id, self.0.clock.now()) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let (sender, receiver) = queue();
        session.link.table().listen(session.party, sender);
        listen(receiver)
    }
}

fn no_session(status: StatusCode, message: Message, why: &str) -> Response {
    let id = message.id.filter(|_| message.method.is_some());
    json_response(status, Message::error(id, ErrorCode::INVALID_REQUEST.0, why, None).to_line())
}

/// The answer to a request that would change a shared child for all of its callers.
fn answer_for_shared(session: &Session, incoming: &Incoming) -> Option<Message> {
    let Incoming { message, params, .. } = incoming;
    let mut table = session.link.table();
    if !table.is_shared() {
        return None;
    }
    let uri = params.text("uri").unwrap_or_default();
    match message.method() {
        "resources/subscribe" => {
            table.subscribe(session.party, &uri);
            None
        }
        "resources/unsubscribe" if !table.unsubscribe(session.party, &uri) => {
            Some(Message::result(message.id.clone(), &json!({})))
        }
        "logging/setLevel" => {
            let why = "callers share this server, so none may set its log level";
            let code = ErrorCode::METHOD_NOT_FOUND.0;
            Some(Message::error(message.id.clone(), code, why, None))
        }
        _ => None,
    }
}
