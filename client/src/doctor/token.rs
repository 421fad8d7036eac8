//! Checks of what the token and revocation endpoints answer to bad requests (OAuth 2.1 §3.2.4).

use http::StatusCode;

use super::{
    Check, Severity,
    evidence::{Evidence, Judged, Objection, Probe, ensure, ensure_none, not_asked},
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
        name: "token.answers",
        severity: Severity::Error,
        promise: "token_endpoint answers a POST",
        finding: "The token endpoint does not answer a POST",
        consequence: "every sign-in fails at its last step",
        fix: "serve POST at token_endpoint, or correct the address in the metadata",
        section: "OAuth 2.1 §3.2",
        look: answers,
    },
    Check {
        name: "token.unknown_client",
        severity: Severity::Error,
        promise: "An unknown client is answered invalid_client",
        finding: "An unknown client is not answered invalid_client",
        consequence: "after a lost database, clients repeat their dead registration forever; claude.ai, mcp-remote and Inspector recover by this answer alone",
        fix: "look the client up before the grant; answer 401 with {\"error\": \"invalid_client\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            says(evidence, Probe::TokenUnknownClient, &["invalid_client", "unauthorized_client"])
        },
    },
    Check {
        name: "token.unknown_client_status",
        severity: Severity::Advice,
        promise: "That answer is 401",
        finding: "The refusal of an unknown client is not a 401",
        consequence: "claude.ai registers again for a 401 only",
        fix: "answer 401 with invalid_client",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            exists(evidence)?;
            let answer = evidence.answer(Probe::TokenUnknownClient)?;
            if !answer.text("error").is_some_and(|error| error.ends_with("_client")) {
                return not_asked("the answer does not name the client as the reason");
            }
            ensure(answer.status == StatusCode::UNAUTHORIZED, || answer.in_words())
        },
    },
    Check {
        name: "token.bad_code",
        severity: Severity::Error,
        promise: "A made-up code is answered invalid_grant",
        finding: "A made-up code is not answered invalid_grant",
        consequence: "clients cannot tell a stale code from a server in trouble, and try forever",
        fix: "answer 400 with {\"error\": \"invalid_grant\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| says(evidence, Probe::TokenBadCode, &["invalid_grant"]),
    },
    Check {
        name: "token.bad_refresh",
        severity: Severity::Error,
        promise: "A made-up refresh token is answered invalid_grant, without PKCE",
        finding: "A made-up refresh token is not answered invalid_grant",
        consequence: "clients keep a dead refresh token instead of signing in again",
        fix: "answer 400 with {\"error\": \"invalid_grant\"}; ask for no code_verifier at refresh",
        section: "OAuth 2.1 §4.3",
        look: bad_refresh,
    },
    Check {
        name: "token.unknown_grant",
        severity: Severity::Advice,
        promise: "An unknown grant type is answered unsupported_grant_type",
        finding: "An unknown grant type is not answered unsupported_grant_type",
        consequence: "clients that try several grants stop at the first",
        fix: "answer 400 with {\"error\": \"unsupported_grant_type\"}",
        section: "OAuth 2.1 §3.2.4",
        // A server may first see that this client registered no such grant.
        look: |evidence| {
            let codes = ["unsupported_grant_type", "unauthorized_client"];
            says(evidence, Probe::TokenUnknownGrant, &codes)
        },
    },
    Check {
        name: "token.without_grant",
        severity: Severity::Advice,
        promise: "A request without grant_type is answered invalid_request",
        finding: "A request without grant_type is not answered invalid_request",
        consequence: "developers of clients learn nothing from it",
        fix: "answer 400 with {\"error\": \"invalid_request\"}",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            let codes = ["invalid_request", "unsupported_grant_type"];
            says(evidence, Probe::TokenWithoutGrant, &codes)
        },
    },
    Check {
        name: "token.error_shape",
        severity: Severity::Error,
        promise: "Refusals are JSON with an error code",
        finding: "A refusal of the token endpoint is not JSON with an error code",
        consequence: "clients show `unexpected token <` instead of the reason",
        fix: "answer application/json with error and error_description, also behind proxies",
        section: "OAuth 2.1 §3.2.4",
        look: error_shape,
    },
    Check {
        name: "token.not_stored",
        severity: Severity::Warning,
        promise: "Caches are not told to store its refusals",
        finding: "Caches are told to store refusals of the token endpoint",
        consequence: "a proxy may repeat a refusal to the next client",
        fix: "send Cache-Control: no-store with every answer",
        section: "OAuth 2.1 §3.2.3; RFC 9110 §9.3.3",
        look: |evidence| {
            exists(evidence)?;
            let answer = evidence.answer(Probe::TokenUnknownClient)?;
            ensure(!answer.may_be_stored(), || answer.header("cache-control").unwrap_or_default())
        },
    },
    Check {
        name: "token.no_null",
        severity: Severity::Error,
        promise: "Its answers have no null members",
        finding: "An answer of the token endpoint has a null member",
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
        finding: "Revoking a token that does not exist is not answered with 200",
        consequence: "clients report that signing out failed, though nothing is left to end",
        fix: "answer 200 whether or not there was such a token",
        section: "RFC 7009 §2.2",
        look: |evidence| {
            evidence.usable_endpoint("revocation_endpoint")?;
            evidence.is_answered(Probe::RevokeUnknown)?;
            let answer = evidence.answer(Probe::RevokeUnknown)?;
            ensure(answer.status.is_success(), || answer.in_words())
        },
    },
];

/// There is an endpoint that takes forms.
fn answers(evidence: &Evidence) -> Judged {
    let endpoint = evidence.usable_endpoint("token_endpoint")?;
    evidence.is_answered(Probe::TokenUnknownClient)?;
    let answer = evidence.answer(Probe::TokenUnknownClient)?;
    let is_missing = answer.is_missing() && answer.text("error").is_none();
    ensure(!is_missing, || format!("{endpoint} answered {}", answer.in_words()))
}

/// Whether there is anything to judge: another check says so if there is not.
pub(super) fn exists(evidence: &Evidence) -> Judged {
    match answers(evidence) {
        Err(Objection::Found(_)) => not_asked("token_endpoint does not answer"),
        other => other,
    }
}

/// The refusal has one of `codes`, by which clients decide what to do. Its status may be any of a
/// refusal: no client was seen that looks at it.
fn says(evidence: &Evidence, probe: Probe, codes: &[&str]) -> Judged {
    exists(evidence)?;
    let answer = evidence.answer(probe)?;
    let code = answer.text("error").unwrap_or_default();
    ensure(answer.status.is_client_error() && codes.contains(&code), || answer.in_words())
}

fn bad_refresh(evidence: &Evidence) -> Judged {
    let answer = evidence.answer(Probe::TokenBadRefresh)?;
    let is_offered = evidence.server_list("grant_types_supported")?.contains(&"refresh_token");
    let code = answer.text("error").unwrap_or_default();
    if !is_offered && ["unsupported_grant_type", "unauthorized_client"].contains(&code) {
        return not_asked("the server serves no refresh tokens");
    }
    says(evidence, Probe::TokenBadRefresh, &["invalid_grant"])
}

fn error_shape(evidence: &Evidence) -> Judged {
    exists(evidence)?;
    let mut answers = evidence.answers_to(&REFUSALS).peekable();
    if answers.peek().is_none() {
        return not_asked("there was nothing to ask");
    }
    let bad = answers.find(|answer| answer.text("error").is_none());
    ensure_none(bad.map(|answer| {
        let kind = answer.header("content-type").unwrap_or_default();
        format!("{} {kind}", answer.status.as_u16())
    }))
}
