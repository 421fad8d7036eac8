//! Checks of how the server refuses a request without a token (RFC 6750 §3, RFC 9728 §5.1).

use http::StatusCode;
use url::Url;

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, ensure_none, not_asked},
};
use crate::oauth::{
    challenge::{Challenge, parse},
    scope::Scope,
};

/// The parameters that clients read (RFC 6750 §3, RFC 9728 §5.1).
const PARAMETERS: [&str; 4] = ["resource_metadata", "scope", "error", "error_description"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "challenge.unauthorized",
        severity: Severity::Error,
        promise: "A call without a token is answered 401",
        finding: "A call without a token is not answered with 401",
        consequence: "no client starts a sign-in; VS Code takes any other 4xx for a server of the old SSE kind",
        fix: "answer 401 before anything else is looked at, also before the protocol version and the session",
        section: "MCP authorization, Token Handling; RFC 6750 §3.1",
        look: |evidence| match evidence.answer(Probe::Post)? {
            post if post.status.is_success() => not_asked("this call needs no token"),
            post => is_unauthorized(post),
        },
    },
    Check {
        name: "challenge.get",
        severity: Severity::Error,
        promise: "A GET of an older revision without a token is answered 401, or GET is not served",
        finding: "A GET without a token is not answered with 401",
        consequence: "rmcp, Codex and mcp-remote discover by GET and find no authorization",
        fix: "put the guard before the routing of methods and before the check of MCP-Protocol-Version",
        section: "MCP authorization, Token Handling",
        look: challenges_get,
    },
    Check {
        name: "challenge.discover",
        severity: Severity::Error,
        promise: "server/discover of revision 2026-07-28 without a token is answered 401",
        finding: "server/discover without a token is not answered with 401",
        consequence: "Claude Code and FastMCP ask this first and take another answer for a server without sign-in",
        fix: "challenge every method alike, known or unknown",
        section: "MCP 2026-07-28, Discovery",
        look: |evidence| {
            unauthorized(evidence)?;
            let answer = evidence.answer(Probe::Discover)?;
            if answer.status == StatusCode::BAD_REQUEST {
                return not_asked("the server refuses revision 2026-07-28 before it looks further");
            }
            is_unauthorized(answer)
        },
    },
    Check {
        name: "challenge.bad_token",
        severity: Severity::Error,
        promise: "A made-up token is answered 401",
        finding: "A made-up token is not answered with 401",
        consequence: "clients neither refresh nor sign in again; Cursor repeats a 400 forever, VS Code throws its registration away at a 403",
        fix: "answer 401 to every token that is expired, unknown or malformed",
        section: "RFC 6750 §3.1",
        look: |evidence| {
            let answer = evidence.answer(Probe::BadToken)?;
            if answer.status.is_success() && !asks_for_sign_in(evidence) {
                return not_asked(OPEN);
            }
            is_unauthorized(answer)
        },
    },
    Check {
        name: "challenge.header",
        severity: Severity::Warning,
        promise: "The 401 carries WWW-Authenticate",
        finding: "The 401 carries no WWW-Authenticate",
        consequence: "the seven clients tried go on by guessing, but none learns which scopes the call needs",
        fix: "send `WWW-Authenticate: Bearer resource_metadata=\"…\", scope=\"…\"`",
        section: "RFC 9110 §15.5.2; RFC 9728 §5.1",
        look: |evidence| {
            let post = unauthorized(evidence)?;
            ensure(post.header("www-authenticate").is_some(), || "no such header".to_owned())
        },
    },
    Check {
        name: "challenge.no_doubles",
        severity: Severity::Error,
        promise: "The challenge names every parameter once",
        finding: "The challenge names a parameter twice",
        consequence: "one client takes the first value, another the last, and strict ones none",
        fix: "let one place write the header: often a proxy adds a challenge to that of the server",
        section: "RFC 9110 §11.2; RFC 9728 §5.1",
        look: |evidence| {
            let challenges = evidence.challenges()?;
            ensure_none(PARAMETERS.iter().find_map(|name| doubled(&challenges, name)))
        },
    },
    Check {
        name: "challenge.scheme",
        severity: Severity::Warning,
        promise: "The scheme is spelled Bearer",
        finding: "The scheme of the challenge is not spelled Bearer",
        consequence: "VS Code compares the scheme letter by letter and overlooks any other spelling",
        fix: "spell it `Bearer`, with one capital",
        section: "RFC 6750 §3",
        look: spells_bearer,
    },
    Check {
        name: "challenge.resource_metadata",
        severity: Severity::Advice,
        promise: "The challenge names the resource metadata",
        finding: "The challenge does not name the resource metadata",
        consequence: "clients look in the well-known places only; a server behind a path or a proxy is not found",
        fix: "add `resource_metadata=\"https://…/.well-known/oauth-protected-resource/<path>\"`",
        section: "RFC 9728 §5.1; MCP authorization, Protected Resource Metadata Discovery",
        look: |evidence| {
            let named = evidence.challenge_parameter("resource_metadata")?.is_some();
            ensure(named, || "no resource_metadata parameter".to_owned())
        },
    },
    Check {
        name: "challenge.metadata_address",
        severity: Severity::Warning,
        promise: "That address is a full one on the server's own origin",
        finding: "The challenge names metadata on another origin",
        consequence: "strict clients follow no address of another origin; relative ones confuse the rest",
        fix: "print the public address of the server, not the one behind the proxy",
        section: "RFC 9728 §7.3",
        look: announces_own_origin,
    },
    Check {
        name: "challenge.no_error",
        severity: Severity::Advice,
        promise: "The challenge to a call without a token names no error",
        finding: "The challenge names an error although no token was sent",
        consequence: "clients that read the error believe that their token is bad, and forget it",
        fix: "send `error` only when a token was sent",
        section: "RFC 6750 §3.1",
        look: |evidence| {
            let error = evidence.challenge_parameter("error")?;
            ensure_none(error.map(|error| format!("error=\"{error}\"")))
        },
    },
    Check {
        name: "challenge.invalid_token",
        severity: Severity::Warning,
        promise: "The challenge to a bad token says invalid_token",
        finding: "The challenge to a bad token does not say invalid_token",
        consequence: "clients cannot tell an expired token from a missing one and ask the person again instead of refreshing",
        fix: "add `error=\"invalid_token\"` when a token was sent and is not valid",
        section: "RFC 6750 §3.1",
        look: says_invalid_token,
    },
    Check {
        name: "challenge.scope",
        severity: Severity::Advice,
        promise: "The challenge names the scopes that the call needs",
        finding: "The challenge does not name the scopes that the call needs",
        consequence: "clients ask for everything in scopes_supported, or for openid email profile (mcp-remote)",
        fix: "add `scope=\"…\"` with all scopes of the operation",
        section: "MCP authorization, Scope Selection Strategy",
        look: |evidence| {
            let scope = evidence.challenge_parameter("scope")?.unwrap_or_default();
            ensure(!Scope::parse(&scope).is_empty(), || "no scope parameter".to_owned())
        },
    },
];

/// Why checks cannot judge a server that anyone may use.
const OPEN: &str = "the server does not ask for a sign-in";

/// Whether anything says that the server wants users to sign in.
pub(super) fn asks_for_sign_in(evidence: &Evidence) -> bool {
    let is_open = evidence.answer(Probe::Post).is_ok_and(|post| post.status.is_success());
    !is_open || evidence.resource().is_ok()
}

/// A server without streams need not serve GET: it answers 405, some routers say otherwise, and
/// some show a page about themselves to browsers.
fn challenges_get(evidence: &Evidence) -> Judged {
    let answer = evidence.answer(Probe::Get)?;
    let is_stream =
        answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
    match answer.status.as_u16() {
        401 => return Ok(()),
        200..=299 if !is_stream => return not_asked("GET is answered by something else than MCP"),
        300..=399 => return not_asked("GET is redirected"),
        404..=499 | 501 => return Ok(()),
        _ => {}
    }
    unauthorized(evidence)?;
    is_unauthorized(answer)
}

fn is_unauthorized(answer: &Exchange) -> Judged {
    let status = answer.status;
    ensure(status == StatusCode::UNAUTHORIZED, || status.as_u16().to_string())
}

fn unauthorized(evidence: &Evidence) -> Result<&Exchange, Objection> {
    let post = evidence.answer(Probe::Post)?;
    match post.status {
        StatusCode::UNAUTHORIZED => Ok(post),
        status if status.is_success() => not_asked("this call needs no token"),
        _ => not_asked("there was no 401"),
    }
}

/// A parameter that one challenge has twice, or two challenges with different values.
fn doubled(challenges: &[Challenge], name: &str) -> Option<String> {
    let mut values: Vec<_> = challenges.iter().flat_map(|one| one.values(name)).collect();
    let is_repeated = challenges.iter().any(|one| one.values(name).count() > 1);
    let written = values.len();
    values.sort_unstable();
    values.dedup();
    let differ = values.len() > 1 && name == "resource_metadata";
    (is_repeated || differ)
        .then(|| format!("{name} comes {written} times: {}", values.join(" and ")))
}

fn spells_bearer(evidence: &Evidence) -> Judged {
    let header = unauthorized(evidence)?.header("www-authenticate").unwrap_or_default();
    let schemes: Vec<_> = parse(&header).into_iter().map(|one| one.scheme).collect();
    if !schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("Bearer")) {
        return not_asked("there is no Bearer challenge");
    }
    ensure(schemes.iter().any(|scheme| scheme == "Bearer"), || schemes.join(", "))
}

fn announces_own_origin(evidence: &Evidence) -> Judged {
    let Some(address) = evidence.challenge_parameter("resource_metadata")? else {
        return not_asked("the challenge names no address");
    };
    let parsed = Url::parse(&address).ok();
    let is_own = parsed.is_some_and(|url| url.origin() == evidence.server.origin());
    ensure(is_own, || address)
}

fn says_invalid_token(evidence: &Evidence) -> Judged {
    let answer = evidence.answer(Probe::BadToken)?;
    if answer.status != StatusCode::UNAUTHORIZED {
        return not_asked("a bad token is not answered 401");
    }
    let header = answer.header("www-authenticate").unwrap_or_default();
    let says = parse(&header).iter().any(|one| one.parameter("error") == Some("invalid_token"));
    ensure(says, || if header.is_empty() { "no challenge".to_owned() } else { header })
}
