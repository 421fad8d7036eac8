//! `--sign-in`: checks of a whole sign-in and of the tokens that it brings.

mod claims;
mod flow;

use self::claims::{audience, foreign_resource, foreign_token};
pub(super) use self::flow::gather;
use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, not_asked},
    member_types::{TOKENS, have_their_types},
};
use crate::oauth::registration::ClientAuthenticationMethod;

/// VS Code refreshes five minutes ahead, mcp-remote one.
const MIN_LIFETIME: i64 = 600;
/// 128 random bits are 22 characters of base64url. Shorter ids, and two that differ in fewer
/// characters than this, can be found by trying.
const MIN_SESSION_ID: usize = 16;
const MIN_DIFFERENCE: usize = 8;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "sign_in.answer",
        severity: Severity::Error,
        promise: "The answer comes back with a code, state and the promised iss",
        finding: "The answer to the sign-in lacks the code, the state or the promised iss",
        consequence: "TypeScript SDK 2, mcp-remote, Inspector, Python SDK, FastMCP and rmcp drop an answer whose iss is missing or differs by a slash",
        fix: "redirect with code, state and iss, equal to the issuer of the metadata",
        section: "RFC 9207 §2.4; OAuth 2.1 §4.1.2",
        look: |evidence| match &evidence.callback {
            None => not_asked("nobody signed in; add --sign-in"),
            Some(judged) => judged.clone(),
        },
    },
    Check {
        name: "sign_in.exchange",
        severity: Severity::Error,
        promise: "The code becomes an access token",
        finding: "The code does not become an access token",
        consequence: "clients that ask the same way get no token: resource and redirect_uri are sent, and client_id in the form",
        fix: "answer 200 with access_token, token_type and expires_in",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| is_token(evidence.answer(Probe::Exchange)?),
    },
    Check {
        name: "sign_in.token_type",
        severity: Severity::Error,
        promise: "It is a Bearer token",
        finding: "The token is not a Bearer token",
        consequence: "clients do not know how to present it",
        fix: "answer token_type: Bearer, or DPoP to a client that sent a proof",
        section: "OAuth 2.1 §1.4; RFC 6750 §4",
        look: |evidence| {
            let kind = exchanged(evidence)?.text("token_type").unwrap_or_default();
            ensure(kind.eq_ignore_ascii_case("bearer"), || format!("token_type is `{kind}`"))
        },
    },
    Check {
        name: "sign_in.expires_in",
        severity: Severity::Error,
        promise: "expires_in is a whole number",
        finding: "expires_in is not a whole number",
        consequence: "rmcp and Codex cannot read the answer",
        fix: "answer expires_in as a JSON number, not as a text",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| {
            let lifetime =
                exchanged(evidence)?.json.as_ref().and_then(|json| json.get("expires_in"));
            let Some(lifetime) = lifetime else {
                return not_asked("it does not say how long it lives, as it need not");
            };
            ensure(lifetime.is_i64(), || lifetime.to_string())
        },
    },
    Check {
        name: "sign_in.types",
        severity: Severity::Error,
        promise: "The other members of the answer have their types",
        finding: "A member of the token response has the wrong type",
        consequence: "clients that check types lose the sign-in after the user has allowed it",
        fix: "answer each member as a text that is not empty, or leave it out",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| {
            exchanged(evidence)?;
            have_their_types(evidence, &[Probe::Exchange, Probe::Refresh], TOKENS)
        },
    },
    Check {
        name: "sign_in.lifetime",
        severity: Severity::Warning,
        promise: "The access token lives ten minutes or more",
        finding: "The access token lives less than ten minutes",
        consequence: "VS Code refreshes 5 min ahead and mcp-remote 60 s: they refresh at every call and stop after 20 tokens in 30 s",
        fix: "issue access tokens of 10 to 60 minutes",
        section: "RFC 9700 §2.2; MCP authorization, Token Theft",
        look: |evidence| {
            let json = exchanged(evidence)?.json.as_ref();
            let Some(seconds) = json.and_then(|json| json.get("expires_in")?.as_i64()) else {
                return not_asked("it does not say how long it lives");
            };
            ensure(seconds >= MIN_LIFETIME, || format!("{seconds} s"))
        },
    },
    Check {
        name: "sign_in.refresh_token",
        severity: Severity::Warning,
        promise: "A refresh token comes with it",
        finding: "No refresh token comes with the access token",
        consequence: "people sign in again whenever the access token expires",
        fix: "issue one to every client that registered the refresh grant",
        section: "OAuth 2.1 §4.3; MCP authorization, Refresh Tokens",
        look: |evidence| {
            let has_one = exchanged(evidence)?.text("refresh_token").is_some();
            let offered = evidence.server_list("grant_types_supported")?;
            if !has_one && !offered.contains(&"refresh_token") {
                return not_asked("the server does not say that it serves refresh tokens");
            }
            ensure(has_one, || "no refresh_token".to_owned())
        },
    },
    Check {
        name: "sign_in.not_stored",
        severity: Severity::Error,
        promise: "The answer with the tokens is not to be stored by caches",
        finding: "Caches may store the answer with the tokens",
        consequence: "a proxy may give one person's tokens to another",
        fix: "send Cache-Control: no-store",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| {
            let answer = exchanged(evidence)?;
            ensure(answer.is_not_stored(), || "Cache-Control without no-store".to_owned())
        },
    },
    Check {
        name: "sign_in.accepted",
        severity: Severity::Error,
        promise: "The MCP server accepts the token",
        finding: "The MCP server refuses the token that was issued for it",
        consequence: "clients sign in again and again, and stop after three times",
        fix: "make issuer, audience and keys of the server agree with those of the authorization server",
        section: "MCP authorization, Token Handling",
        look: |evidence| accepts(evidence, Probe::CallWithToken),
    },
    Check {
        name: "sign_in.audience",
        severity: Severity::Error,
        promise: "The token is for this resource and from this issuer",
        finding: "The token is for another resource, or from another issuer",
        consequence: "one stolen token opens every server that trusts the issuer",
        fix: "put the requested resource in aud and the issuer, byte for byte, in iss",
        section: "RFC 8707 §2.2; RFC 9068 §2.2; MCP authorization, Token Audience Binding",
        look: audience,
    },
    Check {
        name: "sign_in.not_in_query",
        severity: Severity::Error,
        promise: "A token in the address is not accepted",
        finding: "A token in the address is accepted",
        consequence: "tokens end up in logs and histories; MCP forbids it",
        fix: "read the token from the Authorization header alone",
        section: "MCP authorization, Token Requirements; RFC 6750 §2.3",
        look: |evidence| {
            let answer = evidence.answer(Probe::CallWithTokenInQuery)?;
            if evidence.answer(Probe::Post)?.status.is_success() {
                return not_asked("this call needs no token");
            }
            ensure(!answer.status.is_success(), || answer.in_words())
        },
    },
    Check {
        name: "sign_in.refresh",
        severity: Severity::Error,
        promise: "The refresh token brings a new access token",
        finding: "The refresh token brings no new access token",
        consequence: "people sign in again whenever the access token expires",
        fix: "answer grant_type=refresh_token with a new access token; ask for neither scope nor PKCE",
        section: "OAuth 2.1 §4.3",
        look: |evidence| is_token(evidence.answer(Probe::Refresh)?),
    },
    Check {
        name: "sign_in.rotation",
        severity: Severity::Warning,
        promise: "A refresh token is replaced when it is used",
        finding: "A refresh token stays the same when it is used",
        consequence: "a stolen one is good forever, and the theft goes unnoticed",
        fix: "answer with a new refresh_token and retire the old one",
        section: "OAuth 2.1 §4.3.1; RFC 9700 §4.14.2",
        look: |evidence| {
            let client = evidence.client.as_ref();
            let is_public = client
                .is_some_and(|one| one.authentication_method == ClientAuthenticationMethod::None);
            if !is_public {
                return not_asked("the client has a secret, without which the token is of no use");
            }
            let refreshed = refreshed(evidence)?.text("refresh_token");
            let first = exchanged(evidence)?.text("refresh_token");
            // Without a new one, the old one goes on.
            ensure(refreshed.is_some() && refreshed != first, || {
                let kept = if refreshed.is_some() { "the same" } else { "no new" };
                format!("{kept} refresh_token")
            })
        },
    },
    Check {
        name: "sign_in.refresh_twice",
        severity: Severity::Advice,
        promise: "The same refresh token sent twice at once is answered twice",
        finding: "The same refresh token sent twice at once is answered once only",
        consequence: "both TypeScript SDKs send it for every call in flight: the losers forget the tokens and open a browser",
        fix: "accept the predecessor for two minutes and answer with its successor",
        section: "RFC 9700 §4.14.2; OAuth 2.1 §4.3.1",
        look: |evidence| {
            refreshed(evidence)?;
            let answer = evidence.answer(Probe::RefreshAgain)?;
            is_token(answer)?;
            // A client that gets none would send the old one again, which is a replay.
            let has_one = answer.text("refresh_token").is_some();
            ensure(has_one || refreshed(evidence)?.text("refresh_token").is_none(), || {
                "the second answer has no refresh_token".to_owned()
            })
        },
    },
    Check {
        name: "sign_in.winner_lives",
        severity: Severity::Advice,
        promise: "After that, the first answer's access token still works",
        finding: "A refresh token that is sent twice ends the first answer's access token",
        consequence: "two programs of one person sign each other out",
        fix: "let a repeated refresh token end nothing within the grace period",
        section: "RFC 9700 §4.14.2",
        look: |evidence| {
            evidence.answer(Probe::RefreshAgain)?;
            accepts(evidence, Probe::CallWithRefreshed)
                .or_else(|_| not_asked("its token did not work before that either"))?;
            accepts(evidence, Probe::CallAfterRefresh)
        },
    },
    Check {
        name: "sign_in.foreign_resource",
        severity: Severity::Error,
        promise: "No token is given for another resource",
        finding: "A token is given for another resource than was allowed",
        consequence: "a token that was allowed for one server opens another",
        fix: "answer invalid_target to a resource that was not granted",
        section: "RFC 8707 §2.2",
        look: foreign_resource,
    },
    Check {
        name: "sign_in.foreign_token",
        severity: Severity::Error,
        promise: "A token for another resource is refused",
        finding: "A token for another resource is accepted",
        consequence: "the operator of any other server of this issuer can act as its users here; several SDKs leave the check to the server",
        fix: "compare aud with the identifier of this server",
        section: "MCP authorization, Token Audience Binding; RFC 8707 §2; GHSA-w4fh-qvv9-3v23",
        look: foreign_token,
    },
    Check {
        name: "sign_in.forged_token",
        severity: Severity::Error,
        promise: "A token whose signature does not fit is refused",
        finding: "A token whose signature does not fit is accepted",
        consequence: "anyone can write a token for any user",
        fix: "verify the signature with the issuer's keys, and allow no alg but theirs",
        section: "RFC 9068 §4; RFC 8725 §3.1",
        look: forged_token,
    },
    Check {
        name: "sign_in.session_alone",
        severity: Severity::Error,
        promise: "A session is of no use without a token",
        finding: "A request with a session id needs no token",
        consequence: "a session id from a log or a guess opens the session of another caller",
        fix: "verify the token of every request, and that the session belongs to its user",
        section: "MCP security best practices, Session Hijacking",
        look: session_alone,
    },
    Check {
        name: "sign_in.session_names",
        severity: Severity::Warning,
        promise: "Session ids cannot be guessed",
        finding: "Session ids can be guessed",
        consequence: "callers find the sessions of others, and need only one more mistake to use them",
        fix: "make session ids of at least 128 random bits, such as UUIDs of version 4",
        section: "MCP transports, Session Management",
        look: session_names,
    },
    Check {
        name: "sign_in.revocation",
        severity: Severity::Error,
        promise: "Revoking the refresh token ends it",
        finding: "A revoked refresh token still brings tokens",
        consequence: "a user who signs out of a lost machine stays signed in there",
        fix: "end the whole grant when either of its tokens is revoked",
        section: "RFC 7009 §2.1",
        look: |evidence| {
            let answer = evidence.answer(Probe::Revoke)?;
            ensure(answer.status.is_success(), || format!("revocation: {}", answer.in_words()))?;
            let answer = evidence.answer(Probe::RefreshAfterRevoke)?;
            ensure(is_token(answer).is_err(), || "it still brings tokens".to_owned())
        },
    },
    Check {
        name: "sign_in.code_once",
        severity: Severity::Error,
        promise: "A code is good for one exchange",
        finding: "A code can be exchanged twice",
        consequence: "a code in a history or a log opens the account",
        fix: "redeem codes in one atomic statement; answer invalid_grant from then on",
        section: "OAuth 2.1 §4.1.3; RFC 9700 §4.5",
        look: |evidence| {
            let answer = evidence.answer(Probe::ExchangeAgain)?;
            ensure(is_token(answer).is_err(), || "it brought tokens again".to_owned())
        },
    },
];

fn forged_token(evidence: &Evidence) -> Judged {
    if evidence.answer(Probe::Post)?.status.is_success() {
        return not_asked("this call needs no token");
    }
    exchanged(evidence)?;
    let forged = [
        (Probe::CallWithChangedToken, "a token with another claim under the old signature"),
        (Probe::CallWithUnsignedToken, "a token with alg none"),
    ];
    if !evidence.answers.contains_key(&Probe::CallWithChangedToken) {
        return not_asked("the token is opaque");
    }
    for (probe, words) in forged {
        ensure(!evidence.answer(probe)?.status.is_success(), || words.to_owned())?;
    }
    Ok(())
}

/// The ids of the sessions that the calls with tokens opened.
fn sessions(evidence: &Evidence) -> Result<Vec<String>, Objection> {
    evidence.answer(Probe::CallWithToken)?;
    let calls = [Probe::CallWithToken, Probe::CallWithRefreshed];
    let sessions: Vec<_> =
        evidence.answers_to(&calls).filter_map(|answer| answer.header("mcp-session-id")).collect();
    if sessions.is_empty() {
        return not_asked("the server keeps no sessions");
    }
    Ok(sessions)
}

fn session_alone(evidence: &Evidence) -> Judged {
    sessions(evidence)?;
    if evidence.answer(Probe::Post)?.status.is_success() {
        return not_asked("this call needs no token");
    }
    let answer = evidence.answer(Probe::CallWithSessionOnly)?;
    ensure(!answer.status.is_success(), || answer.in_words())
}

fn session_names(evidence: &Evidence) -> Judged {
    let sessions = sessions(evidence)?;
    let short = sessions.iter().find(|one| one.len() < MIN_SESSION_ID);
    ensure(short.is_none(), || format!("{} characters", short.map_or(0, String::len)))?;
    let [one, other] = sessions.as_slice() else { return not_asked("there was one session only") };
    let different = one.chars().zip(other.chars()).filter(|(one, other)| one != other).count();
    let different = different + one.len().abs_diff(other.len());
    ensure(different >= MIN_DIFFERENCE, || {
        format!("two ids of {} characters differ in {different}", one.len())
    })
}

fn is_token(answer: &Exchange) -> Judged {
    let good = answer.status.is_success() && answer.text("access_token").is_some();
    ensure(good, || answer.in_words())
}

fn exchanged(evidence: &Evidence) -> Result<&Exchange, Objection> {
    token_of(evidence.answer(Probe::Exchange)?)
}

fn refreshed(evidence: &Evidence) -> Result<&Exchange, Objection> {
    token_of(evidence.answer(Probe::Refresh)?)
}

fn token_of(answer: &Exchange) -> Result<&Exchange, Objection> {
    is_token(answer).or_else(|_| not_asked("there is no token"))?;
    Ok(answer)
}

fn accepts(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    match answer.status.as_u16() {
        401 | 403 => Err(Objection::Found(answer.in_words())),
        500..=599 => not_asked(&format!("the server answered {}", answer.in_words())),
        _ => Ok(()),
    }
}
