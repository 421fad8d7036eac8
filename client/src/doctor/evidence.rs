//! The recorded answers of the server, which are the only input of the checks.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Map, Value};
use url::Url;

pub(super) use super::requests::Probe;
use super::requests::{RESOURCE_PLACES, SERVER_PLACES};
use crate::{
    http::is_secure,
    oauth::{
        challenge::{Challenge, parse},
        registration::ClientRegistration,
        scope::{Scope, ScopeSources, select},
    },
};

/// Error codes of servers that limit requests or are in trouble.
const TEMPORARY_ERRORS: [&str; 7] = [
    "too_many_requests",
    "rate_limit",
    "rate_limited",
    "rate_limit_exceeded",
    "slow_down",
    "temporarily_unavailable",
    "server_busy",
];
/// How much of a server's own words is quoted.
const MAX_QUOTED_CHARS: usize = 200;

/// An answer whose body has been read.
pub(super) struct Exchange {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body, if it is JSON.
    pub(super) json: Option<Value>,
    /// When it came by the clock of this machine, in seconds since 1970.
    pub(super) received_at: i64,
}

/// A client that the examination registered.
pub(super) struct Registration {
    pub(super) client_id: String,
    pub(super) endpoint: Url,
    /// Whether it was deleted again (RFC 7592), or why not.
    pub(super) deletion: Result<(), String>,
}

/// Why a check does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// It fails: what was found.
    Found(String),
    /// There was nothing to judge: why.
    NotAsked(String),
}

pub(super) type Judged = Result<(), Objection>;

pub(super) struct Evidence {
    pub(super) server: Url,
    pub(super) answers: BTreeMap<Probe, Result<Exchange, String>>,
    /// The loopback redirect URI that the doctor registers.
    pub(super) redirect_uri: String,
    /// The authorization server that the resource should name.
    pub(super) expected_issuer: Option<String>,
    /// The registered client that every later request uses.
    pub(super) client: Option<ClientRegistration>,
    pub(super) registrations: Vec<Registration>,
    /// What to say about the answer that came to the callback, if a user was sent to sign in.
    pub(super) callback: Option<Judged>,
}

/// The check fails because of what was `found`, unless `good`.
pub(super) fn ensure(good: bool, found: impl FnOnce() -> String) -> Judged {
    if good { Ok(()) } else { Err(Objection::Found(found())) }
}

/// The check fails because of what was `found`, if anything was.
pub(super) fn ensure_none(found: Option<String>) -> Judged {
    found.map_or(Ok(()), |found| Err(Objection::Found(found)))
}

pub(super) fn not_asked<T>(why: &str) -> Result<T, Objection> {
    Err(Objection::NotAsked(why.to_owned()))
}

impl Evidence {
    /// Evidence about `server` without any answer yet.
    pub(super) fn new(server: Url, redirect_uri: String) -> Self {
        Self {
            server,
            answers: BTreeMap::new(),
            redirect_uri,
            expected_issuer: None,
            client: None,
            registrations: Vec::new(),
            callback: None,
        }
    }

    /// The answer to `probe`. A server that limits requests or is in trouble has not answered the
    /// question.
    pub(super) fn answer(&self, probe: Probe) -> Result<&Exchange, Objection> {
        let answer = self.any_answer(probe)?;
        match answer.unavailability() {
            Some(why) => not_asked(&why),
            None => Ok(answer),
        }
    }

    /// The answers to those of `probes` that were answered.
    pub(super) fn answers_to(&self, probes: &[Probe]) -> impl Iterator<Item = &Exchange> {
        probes.iter().filter_map(|probe| self.answer(*probe).ok())
    }

    /// The answer to `probe`, even one that says nothing about the question.
    pub(super) fn any_answer(&self, probe: Probe) -> Result<&Exchange, Objection> {
        match self.answers.get(&probe) {
            Some(Ok(exchange)) => Ok(exchange),
            Some(Err(reason)) => not_asked(&format!("no answer: {reason}")),
            None => not_asked(self.absence(probe)),
        }
    }

    fn absence(&self, probe: Probe) -> &'static str {
        if probe >= Probe::Exchange {
            match &self.callback {
                None => "nobody signed in; add --sign-in",
                Some(_) if self.answers.contains_key(&Probe::RefreshNewest) => {
                    "the grant ended when a refresh token came twice"
                }
                Some(_) if self.answers.contains_key(&Probe::Exchange) => {
                    "no token or endpoint to ask with"
                }
                Some(_) => "the sign-in did not come to its end",
            }
        } else if probe >= Probe::Authorize && self.client.is_none() {
            "no client could be registered"
        } else {
            "there was nothing to ask"
        }
    }

    /// The `Bearer` challenges to the first request. A server may send several (RFC 9110 §11.6.1).
    pub(super) fn challenges(&self) -> Result<Vec<Challenge>, Objection> {
        let post = self.answer(Probe::Post)?;
        let mut challenges = parse(&post.header("www-authenticate").unwrap_or_default());
        challenges.retain(|one| one.scheme.eq_ignore_ascii_case("Bearer"));
        if challenges.is_empty() {
            return not_asked("there is no Bearer challenge");
        }
        Ok(challenges)
    }

    /// A parameter of the first `Bearer` challenge that has it.
    pub(super) fn challenge_parameter(&self, name: &str) -> Result<Option<String>, Objection> {
        let challenges = self.challenges()?;
        Ok(challenges.iter().find_map(|one| one.parameter(name)).map(str::to_owned))
    }

    /// The resource metadata that a client would use, from the first place that has it.
    pub(super) fn resource(&self) -> Result<&Map<String, Value>, Objection> {
        match self.first_document(&RESOURCE_PLACES) {
            Some(document) => document.members(),
            None => not_asked("there is no protected resource metadata"),
        }
    }

    /// The texts of a list member of the resource metadata; none if there is no such member.
    pub(super) fn resource_list(&self, name: &str) -> Result<Vec<&str>, Objection> {
        Ok(texts(self.resource()?, name)?.unwrap_or_default())
    }

    /// The authorization server metadata that a client would use.
    pub(super) fn authorization_server(&self) -> Result<&Map<String, Value>, Objection> {
        match self.first_document(&SERVER_PLACES) {
            Some(document) => document.members(),
            None => not_asked("there is no authorization server metadata"),
        }
    }

    /// The texts of a list member of that metadata; none if there is no such member.
    pub(super) fn server_list(&self, name: &str) -> Result<Vec<&str>, Objection> {
        Ok(texts(self.authorization_server()?, name)?.unwrap_or_default())
    }

    /// Whether the authorization server metadata says `true` for `name`.
    pub(super) fn promises(&self, name: &str) -> Result<bool, Objection> {
        Ok(self.authorization_server()?.get(name) == Some(&Value::Bool(true)))
    }

    /// The answers of `places`, in words.
    pub(super) fn tried(&self, places: &[Probe]) -> String {
        let answers = places.iter().filter_map(|probe| self.answers.get(probe));
        let tried = answers.map(|answer| match answer {
            Ok(answer) => format!("{} ({})", answer.url, answer.status.as_u16()),
            Err(reason) => reason.clone(),
        });
        tried.collect::<Vec<_>>().join(", ")
    }

    /// The first of `places` that answered with a document.
    pub(super) fn first_document(&self, places: &[Probe]) -> Option<&Exchange> {
        self.answers_to(places).find(|answer| answer.is_document())
    }

    /// The answers that a client gets which asks `places` in order until one has a document.
    pub(super) fn reached(&self, places: &[Probe]) -> Vec<&Exchange> {
        let answers = places.iter().filter_map(|probe| self.any_answer(*probe).ok());
        let mut found = false;
        answers.take_while(|answer| !std::mem::replace(&mut found, answer.is_document())).collect()
    }

    /// The issuer that the resource names first.
    pub(super) fn announced_issuer(&self) -> Result<&str, Objection> {
        match self.resource_list("authorization_servers")?.first().copied() {
            Some(first) => Ok(first),
            None => not_asked("the resource names no authorization server"),
        }
    }

    /// The issuer as the authorization server calls itself.
    pub(super) fn issuer(&self) -> Result<&str, Objection> {
        text(self.authorization_server()?, "issuer")
            .map_or_else(|| not_asked("the metadata names no issuer"), Ok)
    }

    /// The scopes that clients ask for (MCP authorization, Scope Selection Strategy).
    pub(super) fn scope(&self) -> Scope {
        let challenge = self.challenge_parameter("scope").ok().flatten();
        let challenge = challenge.map(|scope| Scope::parse(&scope)).filter(|one| !one.is_empty());
        let listed = |members: Result<&Map<String, Value>, Objection>| {
            let scopes = texts(members.ok()?, "scopes_supported").ok()??;
            Some(Scope::parse(&scopes.join(" ")))
        };
        select(ScopeSources {
            challenge: challenge.as_ref(),
            resource: listed(self.resource()).as_ref(),
            authorization_server: listed(self.authorization_server()).as_ref(),
            requested_before: None,
        })
        .unwrap_or_default()
    }

    /// The address `name` of the authorization server metadata, if clients send anything there.
    pub(super) fn usable_endpoint(&self, name: &str) -> Result<Url, Objection> {
        self.authorization_server()?;
        match self.endpoint(name) {
            Some(endpoint) if is_secure(&endpoint) => Ok(endpoint),
            Some(_) => not_asked(&format!("clients send nothing to {name}, as it is not secure")),
            None => not_asked(&format!("the metadata names no {name}")),
        }
    }

    /// Requires that `probe`, if it was sent, was answered.
    pub(super) fn is_answered(&self, probe: Probe) -> Judged {
        match self.answers.get(&probe) {
            Some(Err(reason)) => Err(Objection::Found(reason.clone())),
            _ => Ok(()),
        }
    }

    /// An address of the authorization server metadata.
    pub(super) fn endpoint(&self, name: &str) -> Option<Url> {
        text(self.authorization_server().ok()?, name).and_then(|address| Url::parse(address).ok())
    }
}

impl Exchange {
    /// A header; several lines of it joined by commas.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let lines: Vec<_> =
            self.headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// Whether it is a metadata document.
    pub(super) fn is_document(&self) -> bool {
        self.status == StatusCode::OK && self.json.as_ref().is_some_and(Value::is_object)
    }

    /// The members of the JSON object that it is.
    pub(super) fn members(&self) -> Result<&Map<String, Value>, Objection> {
        self.object().map_or_else(
            || Err(Objection::Found(format!("{} did not answer with a JSON object", self.url))),
            Ok,
        )
    }

    /// The JSON object that it is.
    pub(super) fn object(&self) -> Option<&Map<String, Value>> {
        self.json.as_ref().and_then(Value::as_object)
    }

    /// A text of the JSON object.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.json.as_ref()?.get(name)?.as_str()
    }

    pub(super) fn location(&self) -> Option<Url> {
        let location = self.header("location").filter(|_| self.status.is_redirection())?;
        self.url.join(&location).ok()
    }

    pub(super) fn is_page(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.contains("html"))
    }

    /// Whether the status says that nothing is served there, or not by this method.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.status.as_u16(), 404 | 405 | 410 | 501)
    }

    /// Why it says nothing about what was asked, if it does not: the server limits requests, or a
    /// proxy in front of it does not reach it.
    fn unavailability(&self) -> Option<String> {
        let is_limited = self.status == StatusCode::TOO_MANY_REQUESTS
            || self.text("error").is_some_and(is_temporary);
        if is_limited {
            Some(format!("{} limits requests ({})", self.url.path(), self.in_words()))
        } else if matches!(self.status.as_u16(), 502..=504) {
            Some(format!("{} is not available ({})", self.url.path(), self.in_words()))
        } else {
            None
        }
    }

    pub(super) fn max_age(&self) -> Option<u64> {
        let header = self.header("cache-control")?.to_ascii_lowercase();
        let mut directives = header.split(',').map(str::trim);
        directives.find_map(|one| one.strip_prefix("max-age=")?.parse().ok())
    }

    /// Whether caches must forget it.
    pub(super) fn is_not_stored(&self) -> bool {
        self.has_cache_directive(&["no-store"])
    }

    /// Whether it says that caches may store it. Without such words they store no answer to a POST
    /// (RFC 9110 §9.3.3).
    pub(super) fn may_be_stored(&self) -> bool {
        !self.has_cache_directive(&["no-store", "no-cache", "private"])
            && (self.has_cache_directive(&["public"]) || self.max_age().is_some_and(|age| age > 0))
    }

    fn has_cache_directive(&self, names: &[&str]) -> bool {
        let header = self.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        header.split(',').any(|one| names.contains(&one.trim()))
    }

    /// Status and, if it is JSON, the error with its description: the answer in few words.
    pub(super) fn in_words(&self) -> String {
        let mut words = self.status.as_u16().to_string();
        if let Some(error) = self.text("error").or_else(|| self.text("code")) {
            words.push_str(&format!(" {error}"));
        }
        if let Some(description) = self.text("error_description").or_else(|| self.text("message")) {
            let description: String = description.chars().take(MAX_QUOTED_CHARS).collect();
            words.push_str(&format!(": {description}"));
        }
        words
    }

    /// The first member, at any depth, that is `null`.
    pub(super) fn null_member(&self) -> Option<String> {
        self.json.as_ref().and_then(|json| null_member("", json))
    }
}

fn null_member(path: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(path.to_owned()),
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let separator = if path.is_empty() { "" } else { "." };
            null_member(&format!("{path}{separator}{name}"), value)
        }),
        Value::Array(items) => items.iter().find_map(|item| null_member(path, item)),
        _ => None,
    }
}

/// Whether an error code says that the same request may be answered otherwise later.
pub(super) fn is_temporary(error: &str) -> bool {
    TEMPORARY_ERRORS.contains(&error)
}

/// A text member; an empty one is as good as none.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The texts of a list member; `None` if there is no such member.
pub(super) fn texts<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<Vec<&'a str>>, Objection> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items.iter().filter_map(Value::as_str).collect())),
        Some(_) => not_asked(&format!("{name} is not a list")),
    }
}
