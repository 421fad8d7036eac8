//! What the server answered, written down: the only thing that checks look at.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Map, Value};
use url::Url;

use crate::oauth::challenge::{Challenge, parse};

/// One thing that is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Probe {
    /// `initialize` without a token.
    Post,
    /// `GET` of the MCP endpoint, as an old revision, without a token.
    Get,
    /// `server/discover` of the newest revision, without a token.
    Discover,
    /// `initialize` with a token that nobody issued.
    BadToken,
    /// A browser asks whether it may call the MCP endpoint.
    McpPreflight,
    /// Resource metadata where the challenge says that it is.
    ResourceAnnounced,
    /// Resource metadata with the server's path inserted.
    ResourceInserted,
    /// Resource metadata at the root.
    ResourceRoot,
    /// Authorization server metadata (RFC 8414).
    ServerOauth,
    /// The same as OpenID Connect places it.
    ServerOpenid,
    /// The public keys.
    Keys,
    /// Registration of a native client on 127.0.0.1.
    RegisterNative,
    /// Registration of one on localhost.
    RegisterLocalhost,
    /// Registration that leaves out everything that may be left out.
    RegisterMinimal,
    /// Registration with a scheme of the client's own.
    RegisterPrivateScheme,
    /// Registration of a plain http address elsewhere.
    RegisterPlainHttp,
    /// Registration of a `javascript:` address.
    RegisterScript,
    /// A browser asks whether it may register.
    RegisterPreflight,
    /// A valid authorization request.
    Authorize,
    /// The page that it leads to.
    AuthorizePage,
    /// The same from another port.
    AuthorizeOtherPort,
    /// The same of an unknown client, by a program.
    AuthorizeUnknownClient,
    /// The same with somebody else's redirect URI.
    AuthorizeForeignRedirect,
    /// The same without PKCE.
    AuthorizeWithoutPkce,
    /// The same with PKCE `plain`.
    AuthorizePlain,
    /// The same with a response type that nobody should serve.
    AuthorizeImplicit,
    /// A code of an unknown client.
    TokenUnknownClient,
    /// A code that nobody issued.
    TokenBadCode,
    /// A refresh token that nobody issued.
    TokenBadRefresh,
    /// A grant type that does not exist.
    TokenUnknownGrant,
    /// No grant type.
    TokenWithoutGrant,
    /// A browser asks whether it may call the token endpoint.
    TokenPreflight,
    /// Revocation of a token that nobody issued.
    RevokeUnknown,
    /// The exchange of a true code.
    Exchange,
    /// A call with the access token.
    CallWithToken,
    /// The same with the token in the address.
    CallWithTokenInQuery,
    /// A refresh for somebody else's resource.
    RefreshForeignResource,
    /// A refresh.
    Refresh,
    /// The same refresh token once more, at once.
    RefreshAgain,
    /// A call with the token that the refresh brought, after that.
    CallAfterRefresh,
    /// The end of the grant.
    Revoke,
    /// A refresh after that.
    RefreshAfterRevoke,
    /// The code once more.
    ExchangeAgain,
}

/// An answer whose body has been read.
pub(super) struct Exchange {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body, if it is JSON.
    pub(super) json: Option<Value>,
}

/// Why a check does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// It fails: what was found.
    Found(String),
    /// There was nothing to judge: why.
    NotAsked(String),
}

/// The verdict of a check.
pub(super) type Judged = Result<(), Objection>;

/// Everything that was seen.
pub(super) struct Evidence {
    pub(super) server: Url,
    /// The time here, when the server said its own.
    pub(super) now: i64,
    pub(super) answers: BTreeMap<Probe, Result<Exchange, String>>,
    /// What came back to the callback: nothing to complain of, or what was wrong with it.
    pub(super) callback: Option<Result<(), String>>,
}

/// The check fails because of what was `found`, unless `good`.
pub(super) fn ensure(good: bool, found: impl FnOnce() -> String) -> Judged {
    if good { Ok(()) } else { Err(Objection::Found(found())) }
}

/// There is nothing to judge.
pub(super) fn not_asked<T>(why: &str) -> Result<T, Objection> {
    Err(Objection::NotAsked(why.to_owned()))
}

impl Evidence {
    /// The answer to `probe`.
    pub(super) fn answer(&self, probe: Probe) -> Result<&Exchange, Objection> {
        match self.answers.get(&probe) {
            Some(Ok(exchange)) => Ok(exchange),
            Some(Err(reason)) => not_asked(&format!("no answer: {reason}")),
            None => not_asked("there was nothing to ask"),
        }
    }

    /// The challenge of the first request, as it was sent.
    pub(super) fn challenge(&self) -> Result<Challenge, Objection> {
        let post = self.answer(Probe::Post)?;
        let challenges = parse(&post.header("www-authenticate").unwrap_or_default());
        let is = |one: &Challenge, name: &str| one.scheme.eq_ignore_ascii_case(name);
        let mut bearers = challenges.into_iter().filter(|one| is(one, "Bearer"));
        bearers.next().map_or_else(|| not_asked("there is no Bearer challenge"), Ok)
    }

    /// The resource metadata that a client would use, from the first place that has it.
    pub(super) fn resource(&self) -> Result<&Map<String, Value>, Objection> {
        let places = [Probe::ResourceAnnounced, Probe::ResourceInserted, Probe::ResourceRoot];
        self.first_document(&places)
            .map(|exchange| exchange.members())
            .unwrap_or_else(|| not_asked("there is no protected resource metadata"))
    }

    /// The authorization server metadata that a client would use.
    pub(super) fn authorization_server(&self) -> Result<&Map<String, Value>, Objection> {
        let places = [Probe::ServerOauth, Probe::ServerOpenid];
        self.first_document(&places)
            .map(|exchange| exchange.members())
            .unwrap_or_else(|| not_asked("there is no authorization server metadata"))
    }

    /// The first of `places` that answered with a document.
    pub(super) fn first_document(&self, places: &[Probe]) -> Option<&Exchange> {
        let mut answers = places.iter().filter_map(|probe| self.answer(*probe).ok());
        answers.find(|answer| answer.is_document())
    }

    /// The issuer that the resource names first.
    pub(super) fn announced_issuer(&self) -> Result<&str, Objection> {
        let servers = self.resource()?.get("authorization_servers").and_then(Value::as_array);
        let first = servers.and_then(|servers| servers.first()).and_then(Value::as_str);
        first.map_or_else(|| not_asked("the resource names no authorization server"), Ok)
    }

    /// The issuer as the authorization server calls itself.
    pub(super) fn issuer(&self) -> Result<&str, Objection> {
        text(self.authorization_server()?, "issuer")
            .map_or_else(|| not_asked("the metadata names no issuer"), Ok)
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
        let object = self.json.as_ref().and_then(Value::as_object);
        object.map_or_else(
            || Err(Objection::Found(format!("{} did not answer with a JSON object", self.url))),
            Ok,
        )
    }

    /// A text of the JSON object.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.json.as_ref()?.get(name)?.as_str()
    }

    /// Where it redirects to.
    pub(super) fn location(&self) -> Option<Url> {
        let location = self.header("location").filter(|_| self.status.is_redirection())?;
        self.url.join(&location).ok()
    }

    /// A parameter of where it redirects to.
    pub(super) fn redirected(&self, name: &str) -> Option<String> {
        let location = self.location()?;
        let mut pairs = location.query_pairs();
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The seconds of `max-age`.
    pub(super) fn max_age(&self) -> Option<u64> {
        let header = self.header("cache-control")?.to_ascii_lowercase();
        let mut directives = header.split(',').map(str::trim);
        directives.find_map(|one| one.strip_prefix("max-age=")?.parse().ok())
    }

    /// Whether caches must forget it.
    pub(super) fn is_not_stored(&self) -> bool {
        let header = self.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        header.split(',').any(|one| one.trim() == "no-store")
    }

    /// Status and, if it is JSON, `error`: what was answered, in few words.
    pub(super) fn in_words(&self) -> String {
        match self.text("error") {
            Some(error) => format!("{} {error}", self.status.as_u16()),
            None => format!("{}", self.status.as_u16()),
        }
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

/// A text member.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

/// The texts of a list member; `None` if there is no such list.
pub(super) fn texts<'a>(members: &'a Map<String, Value>, name: &str) -> Option<Vec<&'a str>> {
    Some(members.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
}
