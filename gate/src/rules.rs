//! What each caller may use of the server behind the gate.
//!
//! Rules name tools, prompts and resources by patterns; the first that fits decides. What a caller may not
//! use is taken out of lists, and a request for it reaches the server under a name that the server
//! cannot know, so the answer is that for an unknown name.

mod asked;
mod catalogue;
mod decision;
mod limits;
mod lists;
mod messages;
mod pattern;
mod pins;
mod refusal;
mod section;

use std::{future::Future, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, Method, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use guard::Caller;
use http_body_util::BodyExt;
use net::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use self::{
    asked::Asked,
    decision::Rules,
    messages::watch_messages,
    pins::{PinnedTools, PinsError},
    refusal::Refused,
    section::{RulesSection, check},
};
use self::{
    catalogue::Catalogue,
    decision::{Kind, Pin, Rights, Rule, Verdict},
    limits::{Limits, Running, User},
    lists::Completed,
    messages::{Edit, edit_messages},
    pins::Pins,
    refusal::Refusal,
};

/// Most pages of a list that the gate reads to learn of a tool.
const MAX_PAGES: usize = 50;
/// The number by which all calls of a user are counted; rules count from one.
const ALL_CALLS: usize = 0;

/// Applies the rules. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Gatekeeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Rules,
    catalogue: Catalogue,
    pins: Option<(Pin, Pins)>,
    limits: Limits,
}

/// What one caller may know of the server.
#[derive(Clone, Debug)]
struct Viewer {
    gatekeeper: Gatekeeper,
    caller: Caller,
}

impl Gatekeeper {
    pub(crate) fn new(rules: Rules, clock: Clock) -> Result<Self, PinsError> {
        let pins = match &rules.pin {
            Some((pin, path)) => Some((*pin, Pins::open(path.clone())?)),
            None => None,
        };
        let limits = Limits::new(clock);
        Ok(Self(Arc::new(Inner { rules, catalogue: Catalogue::default(), pins, limits })))
    }

    /// Passes a request to the server behind `ask` as far as the rules allow it, and the answer back.
    pub(crate) async fn pass<F, A>(&self, request: Request, ask: F) -> Response
    where
        F: Fn(Request) -> A,
        A: Future<Output = Response>,
    {
        let Some(caller) = request.extensions().get::<Caller>().cloned() else {
            return Refusal::NotGuarded.into_response();
        };
        if self.0.rules.is_empty() {
            return ask(request).await;
        }
        let viewer = Viewer { gatekeeper: self.clone(), caller };
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            // A stream can repeat the answer to a list (MCP, resumability).
            let response = ask(Request::from_parts(parts, body)).await;
            return viewer.filter(response, &Value::Null).await;
        }
        // The guard has read the body, within its limit.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let Some(asked) = Asked::read(&body) else {
            return Refusal::Unreadable.into_response();
        };
        if !asked.is_call() && !asked.is_list() && !asked.is_foreign() {
            return ask(Request::from_parts(parts, Body::from(body))).await;
        }
        let id = asked.id().clone();
        match viewer.admit(asked, (parts, body), &ask).await {
            Ok(response) => response,
            Err(refusal) => refusal.answer(&id),
        }
    }
}

impl Viewer {
    /// Passes a call or a list on.
    async fn admit<F, A>(
        &self,
        mut asked: Asked,
        (mut parts, mut body): (Parts, Bytes),
        ask: &F,
    ) -> Result<Response, Refusal>
    where
        F: Fn(Request) -> A,
        A: Future<Output = Response>,
    {
        let rules = &self.gatekeeper.0.rules;
        if asked.is_foreign() && rules.denies_by_default {
            return Err(Refusal::Method);
        }
        let running = self.count(&asked)?;
        self.look_up(&asked, &parts, ask).await;
        let hidden = self.judge(&asked)?;
        let id = asked.id().clone();
        let completed = Completed::read(&asked);
        let substitutes: Vec<(String, String)> =
            hidden.into_iter().map(|name| (substitute(&name), name)).collect();
        for (new, old) in &substitutes {
            asked.rename(old, new);
            rename_header(&mut parts, new);
            tracing::info!(reason = "rule_unknown", name = old, "hid something from a caller");
        }
        if !substitutes.is_empty() {
            body = asked.message.to_string().into();
        }
        let is_list = asked.is_list();
        let response = ask(Request::from_parts(parts, Body::from(body))).await;
        let response = if is_list { self.filter(response, &id).await } else { response };
        let response = if !substitutes.is_empty() {
            let named = edit_messages(response, move |message| put_back(message, &substitutes));
            named.await.unwrap_or_else(|| Refusal::List.answer(&id))
        } else if let Some(completed) = completed {
            let viewer = self.clone();
            let edit = move |message: &mut Value| completed.filter(message, &viewer);
            edit_messages(response, edit).await.unwrap_or_else(|| Refusal::List.answer(&id))
        } else {
            response
        };
        Ok(match running {
            Some(running) => hold(response, running),
            None => response,
        })
    }

    /// The names that the caller may not know of, or the refusal of what they may not do.
    fn judge(&self, asked: &Asked) -> Result<Vec<String>, Refusal> {
        let mut hidden = Vec::new();
        for (kind, name) in asked.subjects() {
            match self.verdict(kind, name) {
                Verdict::Unknown => hidden.push(name.to_owned()),
                Verdict::NeedsScopes(scopes) => return Err(Refusal::Scopes(scopes)),
                Verdict::Allowed(rule) => self.check_amount(asked, rule)?,
            }
        }
        Ok(hidden)
    }

    fn check_amount(&self, asked: &Asked, rule: Option<&Rule>) -> Result<(), Refusal> {
        let Some(rule) = rule else {
            return Ok(());
        };
        if let Some(max) = rule.max_arguments.filter(|max| asked.arguments_length() > *max) {
            return Err(Refusal::Arguments(max));
        }
        if let Some(max) = rule.calls_per_minute {
            let limits = &self.gatekeeper.0.limits;
            let counted = limits.count(&User::new(&self.caller), rule.number, max);
            return counted.map_err(|full| Refusal::TooManyCalls(full.0));
        }
        Ok(())
    }

    /// Counts a call of this user, of whatever kind.
    fn count(&self, asked: &Asked) -> Result<Option<Running>, Refusal> {
        let Inner { rules, limits, .. } = &*self.gatekeeper.0;
        if !asked.is_call() {
            return Ok(None);
        }
        let user = User::new(&self.caller);
        if let Some(max) = rules.calls_per_minute {
            let counted = limits.count(&user, ALL_CALLS, max);
            counted.map_err(|full| Refusal::TooManyCalls(full.0))?;
        }
        let running = rules.concurrent_calls.map(|max| limits.begin(&user, max)).transpose();
        running.map_err(|full| Refusal::TooManyAtOnce(full.0))
    }

    fn verdict(&self, kind: Kind, name: &str) -> Verdict<&Rule> {
        let Inner { rules, catalogue, pins, .. } = &*self.gatekeeper.0;
        let rights = Rights { scopes: &self.caller.scopes, groups: self.caller.groups() };
        let verdict = rules.judge(kind, name, rights);
        if kind != Kind::Tool || verdict == Verdict::Unknown {
            return verdict;
        }
        let is_read_only = match &verdict {
            Verdict::Allowed(Some(rule)) => rule.read_only || rules.read_only,
            _ => rules.read_only,
        };
        let is_refused = matches!(pins, Some((Pin::Refuse, pins)) if !pins.is_accepted(name));
        if is_refused || is_read_only && !catalogue.is_read_only(name) {
            return Verdict::Unknown;
        }
        verdict
    }

    fn sees(&self, kind: Kind, name: &str) -> bool {
        self.verdict(kind, name) != Verdict::Unknown
    }

    /// Notes what the server says of a tool.
    fn learn(&self, name: &str, definition: &Value) {
        let Inner { catalogue, pins, .. } = &*self.gatekeeper.0;
        catalogue.learn(name, definition);
        if let Some((_, pins)) = pins {
            pins.note(name, definition);
        }
    }

    /// The response without what the caller may not know of.
    async fn filter(&self, response: Response, id: &Value) -> Response {
        let viewer = self.clone();
        let edit = move |message: &mut Value| lists::filter(message, &viewer);
        edit_messages(response, edit).await.unwrap_or_else(|| Refusal::List.answer(id))
    }

    /// Reads the server's list of tools, with the caller's headers, if annotations or pins decide about a
    /// tool that no list has named since the start.
    async fn look_up<F, A>(&self, asked: &Asked, parts: &Parts, ask: &F)
    where
        F: Fn(Request) -> A,
        A: Future<Output = Response>,
    {
        let Inner { rules, catalogue, pins, .. } = &*self.gatekeeper.0;
        let tools = || rules.tools.iter().any(|rule| rule.read_only);
        let is_needed = rules.read_only || pins.is_some() || tools();
        let unknown = asked.tool().filter(|name| is_needed && !catalogue.knows(name));
        if unknown.is_none() {
            return;
        }
        let mut cursor = Value::Null;
        for _ in 0..MAX_PAGES {
            let response = ask(list_request(asked, parts, &cursor)).await;
            let response = self.filter(response, &Value::Null).await;
            let Ok(body) = to_bytes(response.into_body(), messages::MAX_MESSAGE).await else {
                return;
            };
            cursor = next_cursor(&body);
            if cursor.is_null() {
                return;
            }
        }
    }
}

/// A request for the list of tools that the caller of another request could send.
fn list_request(asked: &Asked, parts: &Parts, cursor: &Value) -> Request {
    let mut parts = parts.clone();
    if parts.headers.remove("mcp-name").is_some() || parts.headers.contains_key("mcp-method") {
        parts.headers.insert("mcp-method", HeaderValue::from_static("tools/list"));
    }
    let mut params = json!({});
    if let Some(meta) = asked.message.pointer("/params/_meta") {
        params["_meta"] = meta.clone();
        params["_meta"].as_object_mut().and_then(|meta| meta.remove("progressToken"));
    }
    if !cursor.is_null() {
        params["cursor"] = cursor.clone();
    }
    let id = format!("gate-{}", Uuid::new_v4().simple());
    let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params});
    Request::from_parts(parts, Body::from(message.to_string()))
}

/// Where the next page begins, in a body of one message or of events.
fn next_cursor(body: &[u8]) -> Value {
    let cursor = |text: &[u8]| {
        let message: Value = serde_json::from_slice(text).ok()?;
        message.pointer("/result/nextCursor").filter(|cursor| cursor.is_string()).cloned()
    };
    let events = body.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: "));
    cursor(body).or_else(|| events.filter_map(cursor).next_back()).unwrap_or_default()
}

/// A name that the server cannot know, in the form of the other one.
fn substitute(name: &str) -> String {
    let unknown = format!("unknown-{}", Uuid::new_v4().simple());
    match name.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{unknown}"),
        None => unknown,
    }
}

/// `Mcp-Name` repeats the name in the body (MCP 2026-07-28, standard headers).
fn rename_header(parts: &mut Parts, name: &str) {
    if let Ok(value) = HeaderValue::from_str(name)
        && parts.headers.contains_key("mcp-name")
    {
        parts.headers.insert("mcp-name", value);
    }
}

/// Writes the names of the caller where the server has repeated the substitutes.
fn put_back(value: &mut Value, substitutes: &[(String, String)]) -> Edit {
    let mut edit = Edit::Unchanged;
    match value {
        Value::String(text) => {
            for (new, old) in substitutes {
                if text.contains(new.as_str()) {
                    *text = text.replace(new, old);
                    edit = Edit::Changed;
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if put_back(item, substitutes) == Edit::Changed {
                    edit = Edit::Changed;
                }
            }
        }
        Value::Object(members) => {
            for item in members.values_mut() {
                if put_back(item, substitutes) == Edit::Changed {
                    edit = Edit::Changed;
                }
            }
        }
        _ => {}
    }
    edit
}

/// Keeps a call in progress until its response has been sent.
fn hold(response: Response, running: Running) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _running = &running;
            frame
        }))
    })
}
