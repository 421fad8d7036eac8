//! Checks of what the token and revocation endpoints answer to bad requests (OAuth 2.1 §3.2.4).

use http::StatusCode;

use super::{
    Check, Severity,
    evidence::{Evidence, Judged, Probe, ensure, not_asked},
    resource::no_null,
};

const REFUSALS: [Probe; 5] = [
    Probe::TokenUnknownClient,
    Probe::TokenBadCode,
    Probe::TokenBadRefresh,
    Probe::TokenUnknownGrant,
    Probe::TokenWithoutGrant,
];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "token.unknown_client",
        severity: Severity::Error,
        promise: "An unknown client is answered 401 invalid_client",
        consequence: "after a lost database, clients repeat their dead registration for ever; claude.ai, mcp-remote and Inspector recover by this answer alone",
        fix: "look the client up before the grant; answer 401 with {\"error\": \"invalid_client\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            let answer = evidence.answer(Probe::TokenUnknownClient)?;
            let good = answer.status == StatusCode::UNAUTHORIZED
                && answer.text("error") == Some("invalid_client");
            ensure(good, || answer.in_words())
        },
    },
    Check {
        name: "token.bad_code",
        severity: Severity::Error,
        promise: "A code that nobody issued is answered 400 invalid_grant",
        consequence: "clients cannot tell a stale code from a server in trouble, and try for ever",
        fix: "answer 400 with {\"error\": \"invalid_grant\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| says(evidence, Probe::TokenBadCode, "invalid_grant"),
    },
    Check {
        name: "token.bad_refresh",
        severity: Severity::Error,
        promise: "A refresh token that nobody issued is answered 400 invalid_grant, without PKCE",
        consequence: "clients keep a dead refresh token instead of signing in again",
        fix: "answer 400 with {\"error\": \"invalid_grant\"}; ask for no code_verifier at refresh",
        section: "OAuth 2.1 §4.3",
        look: |evidence| says(evidence, Probe::TokenBadRefresh, "invalid_grant"),
    },
    Check {
        name: "token.unknown_grant",
        severity: Severity::Warning,
        promise: "An unknown grant type is answered 400 unsupported_grant_type",
        consequence: "clients that try several grants stop at the first",
        fix: "answer 400 with {\"error\": \"unsupported_grant_type\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| says(evidence, Probe::TokenUnknownGrant, "unsupported_grant_type"),
    },
    Check {
        name: "token.without_grant",
        severity: Severity::Warning,
        promise: "A request without grant_type is answered 400 invalid_request",
        consequence: "whoever writes a client is told nothing of use",
        fix: "answer 400 with {\"error\": \"invalid_request\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| says(evidence, Probe::TokenWithoutGrant, "invalid_request"),
    },
    Check {
        name: "token.error_shape",
        severity: Severity::Error,
        promise: "Refusals are JSON with an error code",
        consequence: "clients show `unexpected token <` instead of the reason",
        fix: "answer application/json with error and error_description, also behind proxies",
        section: "OAuth 2.1 §3.2.4",
        look: error_shape,
    },
    Check {
        name: "token.not_stored",
        severity: Severity::Warning,
        promise: "Its answers are not to be stored by caches",
        consequence: "a proxy may keep tokens, or repeat a refusal",
        fix: "send Cache-Control: no-store with every answer",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| {
            let answer = evidence.answer(Probe::TokenUnknownClient)?;
            ensure(answer.is_not_stored(), || {
                answer.header("cache-control").unwrap_or_else(|| "no Cache-Control".to_owned())
            })
        },
    },
    Check {
        name: "token.no_null",
        severity: Severity::Error,
        promise: "Its answers have no null members",
        consequence: "TypeScript SDK 1 and 2, mcp-remote and Inspector cannot read the error",
        fix: "leave absent members out",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            let mut places = REFUSALS.to_vec();
            places.extend([Probe::Exchange, Probe::Refresh]);
            no_null(evidence, &places)
        },
    },
    Check {
        name: "revoke.unknown_token",
        severity: Severity::Warning,
        promise: "Revoking a token that does not exist is answered 200",
        consequence: "clients report that signing out failed, though nothing is left to end",
        fix: "answer 200 whether or not there was such a token",
        section: "RFC 7009 §2.2",
        look: |evidence| {
            let status = evidence.answer(Probe::RevokeUnknown)?.status;
            ensure(status == StatusCode::OK, || format!("{status}"))
        },
    },
];

fn says(evidence: &Evidence, probe: Probe, code: &str) -> Judged {
    let answer = evidence.answer(probe)?;
    let good = answer.status == StatusCode::BAD_REQUEST && answer.text("error") == Some(code);
    ensure(good, || answer.in_words())
}

fn error_shape(evidence: &Evidence) -> Judged {
    let mut answers = REFUSALS.iter().filter_map(|probe| evidence.answer(*probe).ok()).peekable();
    if answers.peek().is_none() {
        return not_asked("there was nothing to ask");
    }
    let bad = answers.find(|answer| answer.text("error").is_none());
    ensure(bad.is_none(), || {
        bad.map(|answer| {
            let kind = answer.header("content-type").unwrap_or_default();
            format!("{} {kind}", answer.status.as_u16())
        })
        .unwrap_or_default()
    })
}
