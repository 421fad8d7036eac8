//! With `--sign-in`: the whole flow once, and what its tokens are good for; then checks of that.

mod flow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::Value;

pub(super) use self::flow::gather;
use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, not_asked, text},
};

/// VS Code refreshes five minutes ahead, mcp-remote one.
const SHORTEST_LIFETIME: i64 = 600;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "sign_in.answer",
        severity: Severity::Error,
        promise: "The answer comes back with a code, state and the promised iss",
        consequence: "TypeScript SDK 2, mcp-remote, Inspector, Python SDK, FastMCP and rmcp drop an answer whose iss is missing or differs by a slash",
        fix: "redirect with code, state and iss, equal to the issuer of the metadata",
        section: "RFC 9207 §2.4; OAuth 2.1 §4.1.2",
        look: |evidence| match &evidence.callback {
            None => not_asked("nobody signed in; add --sign-in"),
            Some(Ok(())) => Ok(()),
            Some(Err(words)) => Err(Objection::Found(words.clone())),
        },
    },
    Check {
        name: "sign_in.exchange",
        severity: Severity::Error,
        promise: "The code becomes an access token",
        consequence: "every client fails at the last step",
        fix: "answer 200 with access_token, token_type and expires_in",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| is_token(evidence.answer(Probe::Exchange)?),
    },
    Check {
        name: "sign_in.token_type",
        severity: Severity::Error,
        promise: "It is a Bearer token",
        consequence: "clients do not know how to present it",
        fix: "answer token_type: Bearer, or DPoP to whoever sent a proof",
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
        consequence: "rmcp and Codex cannot read the answer; without it, clients learn of the end by a 401",
        fix: "answer expires_in as a JSON number, not as a text",
        section: "OAuth 2.1 §3.2.3",
        look: |evidence| {
            let lifetime =
                exchanged(evidence)?.json.as_ref().and_then(|json| json.get("expires_in"));
            ensure(lifetime.is_some_and(Value::is_i64), || {
                lifetime.map_or("no expires_in".to_owned(), Value::to_string)
            })
        },
    },
    Check {
        name: "sign_in.lifetime",
        severity: Severity::Warning,
        promise: "The access token lives ten minutes or more",
        consequence: "VS Code refreshes 5 min ahead and mcp-remote 60 s: they refresh at every call and stop after 20 tokens in 30 s",
        fix: "issue access tokens of 10 to 60 minutes",
        section: "RFC 9700 §2.2; MCP authorization, Token Theft",
        look: |evidence| {
            let json = exchanged(evidence)?.json.as_ref();
            let Some(seconds) = json.and_then(|json| json.get("expires_in")?.as_i64()) else {
                return not_asked("it does not say how long it lives");
            };
            ensure(seconds >= SHORTEST_LIFETIME, || format!("{seconds} s"))
        },
    },
    Check {
        name: "sign_in.refresh_token",
        severity: Severity::Warning,
        promise: "A refresh token comes with it",
        consequence: "people sign in again whenever the access token expires",
        fix: "issue one to every client that registered the refresh grant",
        section: "OAuth 2.1 §4.3; MCP authorization, Refresh Tokens",
        look: |evidence| {
            let has_one = exchanged(evidence)?.text("refresh_token").is_some();
            ensure(has_one, || "no refresh_token".to_owned())
        },
    },
    Check {
        name: "sign_in.not_stored",
        severity: Severity::Error,
        promise: "The answer with the tokens is not to be stored by caches",
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
        consequence: "clients sign in again and again, and stop after three times",
        fix: "make issuer, audience and keys of the server agree with those of the authorization server",
        section: "MCP authorization, Token Handling",
        look: |evidence| accepts(evidence, Probe::CallWithToken),
    },
    Check {
        name: "sign_in.audience",
        severity: Severity::Error,
        promise: "The token is for this resource and from this issuer",
        consequence: "one stolen token opens every server that trusts the issuer",
        fix: "put the requested resource in aud and the issuer, byte for byte, in iss",
        section: "RFC 8707 §2.2; RFC 9068 §2.2; MCP authorization, Token Audience Binding",
        look: audience,
    },
    Check {
        name: "sign_in.not_in_query",
        severity: Severity::Error,
        promise: "A token in the address is not accepted",
        consequence: "tokens end in logs and histories; MCP forbids it",
        fix: "read the token from the Authorization header alone",
        section: "MCP authorization, Token Requirements; RFC 6750 §2.3",
        look: |evidence| {
            let status = evidence.answer(Probe::CallWithTokenInQuery)?.status;
            ensure(status.is_client_error(), || format!("{status}"))
        },
    },
    Check {
        name: "sign_in.refresh",
        severity: Severity::Error,
        promise: "The refresh token brings a new access token",
        consequence: "people sign in again whenever the access token expires",
        fix: "answer grant_type=refresh_token with a new access token; ask for neither scope nor PKCE",
        section: "OAuth 2.1 §4.3",
        look: |evidence| is_token(evidence.answer(Probe::Refresh)?),
    },
    Check {
        name: "sign_in.rotation",
        severity: Severity::Warning,
        promise: "A refresh token is replaced when it is used",
        consequence: "a stolen one is good for ever and nobody notices",
        fix: "answer with a new refresh_token and retire the old one",
        section: "OAuth 2.1 §4.3.1; RFC 9700 §4.14.2",
        look: |evidence| {
            let refreshed = refreshed(evidence)?.text("refresh_token");
            let first = exchanged(evidence)?.text("refresh_token");
            ensure(refreshed.is_some() && refreshed != first, || match refreshed {
                Some(_) => "the same refresh_token again".to_owned(),
                None => "no new refresh_token".to_owned(),
            })
        },
    },
    Check {
        name: "sign_in.refresh_twice",
        severity: Severity::Warning,
        promise: "The same refresh token sent twice at once is answered twice",
        consequence: "both TypeScript SDKs send it for every call in flight: the losers forget the tokens and open a browser",
        fix: "accept the predecessor for two minutes and answer with its successor",
        section: "RFC 9700 §4.14.2; OAuth 2.1 §4.3.1",
        look: |evidence| {
            let answer = evidence.answer(Probe::RefreshAgain)?;
            is_token(answer)?;
            // Whoever gets none keeps the old one, which is a replay the next time.
            let has_one = answer.text("refresh_token").is_some();
            ensure(has_one || refreshed(evidence)?.text("refresh_token").is_none(), || {
                "the second answer has no refresh_token".to_owned()
            })
        },
    },
    Check {
        name: "sign_in.winner_lives",
        severity: Severity::Error,
        promise: "After that, the first answer's access token still works",
        consequence: "two programs of one person sign each other out",
        fix: "let a repeated refresh token end nothing within the time of grace",
        section: "RFC 9700 §4.14.2",
        look: |evidence| accepts(evidence, Probe::CallAfterRefresh),
    },
    Check {
        name: "sign_in.foreign_resource",
        severity: Severity::Error,
        promise: "No token is given for somebody else's resource",
        consequence: "a token that was allowed for one server opens another",
        fix: "answer invalid_target to a resource that was not granted",
        section: "RFC 8707 §2.2",
        look: |evidence| {
            let answer = evidence.answer(Probe::RefreshForeignResource)?;
            ensure(!answer.status.is_success(), || {
                "a token for https://other.example/mcp".to_owned()
            })
        },
    },
    Check {
        name: "sign_in.revocation",
        severity: Severity::Error,
        promise: "Revoking the refresh token ends it",
        consequence: "who signs out on a lost machine stays signed in there",
        fix: "end the whole grant when either of its tokens is revoked",
        section: "RFC 7009 §2.1",
        look: |evidence| {
            let status = evidence.answer(Probe::Revoke)?.status;
            ensure(status == StatusCode::OK, || format!("revocation answered {status}"))?;
            let answer = evidence.answer(Probe::RefreshAfterRevoke)?;
            ensure(!answer.status.is_success(), || "it still brings tokens".to_owned())
        },
    },
    Check {
        name: "sign_in.code_once",
        severity: Severity::Error,
        promise: "A code is good for one exchange",
        consequence: "a code in a history or a log opens the account",
        fix: "redeem codes in one atomic statement; answer invalid_grant from then on",
        section: "OAuth 2.1 §4.1.3; RFC 9700 §4.5",
        look: |evidence| {
            let answer = evidence.answer(Probe::ExchangeAgain)?;
            ensure(!answer.status.is_success(), || "it brought tokens again".to_owned())
        },
    },
];

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
    let status = evidence.answer(probe)?.status;
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
    ensure(!refused && !status.is_server_error(), || format!("{status}"))
}

fn audience(evidence: &Evidence) -> Judged {
    let token = exchanged(evidence)?.text("access_token").unwrap_or_default();
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(claims) = claims else { return not_asked("the token is opaque") };
    let resource = text(evidence.resource()?, "resource").unwrap_or_default();
    let audience = claims.get("aud").cloned().unwrap_or_default();
    let is_for_us = match &audience {
        Value::Array(all) => all.iter().any(|one| one == resource),
        one => one == resource,
    };
    ensure(is_for_us, || format!("aud is {audience}"))?;
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    ensure(issuer == evidence.issuer()?, || format!("iss is {issuer}"))
}
