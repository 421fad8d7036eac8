//! Checks of dynamic client registration (RFC 7591).

use http::StatusCode;
use serde_json::Value;

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, not_asked, texts},
    member_types::{REGISTRATION, have_their_types},
    requests::{PLAIN_HTTP_REDIRECT, SCRIPT_REDIRECT},
    resource::no_null,
};

/// Registrations that a right server may accept, the most useful first.
const GOOD: [Probe; 5] = [
    Probe::RegisterPublic,
    Probe::Register,
    Probe::RegisterMinimal,
    Probe::RegisterLocalhost,
    Probe::RegisterPrivateScheme,
];
/// A secret that ends sooner is used once.
const MIN_SECRET_LIFETIME: i64 = 3600;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "registration.answers",
        severity: Severity::Error,
        promise: "An unknown client can register at registration_endpoint",
        finding: "No unknown client can register at the registration endpoint",
        consequence: "clients that the metadata sends there cannot sign in",
        fix: "serve RFC 7591 there without a token, for native clients; or take registration_endpoint out of the metadata",
        section: "RFC 7591 §3; MCP authorization, Dynamic Client Registration",
        look: answers,
    },
    Check {
        name: "registration.loopback",
        severity: Severity::Error,
        promise: "A native client on 127.0.0.1 may register",
        finding: "A native client on 127.0.0.1 is not registered",
        consequence: "rmcp, Inspector, VS Code and every command-line client cannot sign in",
        fix: "accept http redirect URIs on 127.0.0.1, [::1] and localhost",
        section: "RFC 8252 §7.3; RFC 7591 §2",
        look: takes_loopback,
    },
    Check {
        name: "registration.localhost",
        severity: Severity::Error,
        promise: "A native client on localhost may register",
        finding: "A native client on localhost is not registered",
        consequence: "Claude Code, Cursor, mcp-remote and FastMCP cannot sign in",
        fix: "treat the name localhost as loopback",
        section: "RFC 8252 §8.3",
        look: |evidence| takes_kind(evidence, "http://localhost", Probe::RegisterLocalhost),
    },
    Check {
        name: "registration.private_scheme",
        severity: Severity::Advice,
        promise: "A client may be called back by a scheme of its own",
        finding: "A client that is called back by a scheme of its own is not registered",
        consequence: "Cursor and Claude Desktop register cursor:// and claude:// and are refused",
        fix: "accept the schemes of clients that you know, also without the dot that RFC 8252 asks for",
        section: "RFC 8252 §7.1",
        look: |evidence| takes_kind(evidence, "cursor://", Probe::RegisterPrivateScheme),
    },
    Check {
        name: "registration.public_by_default",
        severity: Severity::Error,
        promise: "A client that names no authentication method gets one that it can use",
        finding: "A client that names no authentication method gets one that it cannot use",
        consequence: "the Python SDK leaves it out; with a method of client_secret_* and no secret it refuses the answer",
        fix: "answer token_endpoint_auth_method: none where nothing was asked for, or send a secret with it",
        section: "RFC 7591 §2",
        look: usable_by_default,
    },
    Check {
        name: "registration.created",
        severity: Severity::Warning,
        promise: "A registration is answered 201",
        finding: "A registration is not answered with 201",
        consequence: "clients that compare the status take it for a failure",
        fix: "answer 201 Created",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            let status = registered(evidence)?.status;
            ensure(status == StatusCode::CREATED, || status.as_u16().to_string())
        },
    },
    Check {
        name: "registration.echoes_redirects",
        severity: Severity::Error,
        promise: "The answer repeats redirect_uris",
        finding: "The answer to a registration does not repeat redirect_uris",
        consequence: "TypeScript SDK 1 and 2, mcp-remote, Inspector and rmcp refuse the answer",
        fix: "answer with all metadata that is in force, redirect_uris first of all",
        section: "RFC 7591 §3.2.1",
        look: |evidence| has_list(evidence, "redirect_uris"),
    },
    Check {
        name: "registration.echoes_metadata",
        severity: Severity::Warning,
        promise: "The answer says how the client authenticates, or the default fits",
        finding: "The answer to a registration does not say how the client authenticates",
        consequence: "clients assume the default, client_secret_basic, and have no secret for it",
        fix: "answer with token_endpoint_auth_method, grant_types and response_types",
        section: "RFC 7591 §2 and §3.2.1",
        look: |evidence| {
            let answer = registered(evidence)?;
            let names_method = answer.text("token_endpoint_auth_method").is_some();
            ensure(names_method || answer.text("client_secret").is_some(), || {
                "neither token_endpoint_auth_method nor client_secret".to_owned()
            })
        },
    },
    Check {
        name: "registration.refresh_grant",
        severity: Severity::Warning,
        promise: "The refresh grant is given to clients that ask for it",
        finding: "A client that asks for the refresh grant does not get it",
        consequence: "people sign in again whenever an access token expires",
        fix: "keep refresh_token in grant_types",
        section: "RFC 7591 §2",
        look: keeps_refresh_grant,
    },
    Check {
        name: "registration.no_secret",
        severity: Severity::Warning,
        promise: "A public client gets no secret",
        finding: "A public client gets a secret",
        consequence: "clients that see one use client_secret_basic and must keep what they cannot keep",
        fix: "leave client_secret out for token_endpoint_auth_method: none",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            let answer = registered(evidence)?;
            if answer.text("token_endpoint_auth_method") != Some("none") {
                return not_asked("the client is not a public one");
            }
            ensure(answer.text("client_secret").is_none(), || "there is a client_secret".to_owned())
        },
    },
    Check {
        name: "registration.secret_expiry",
        severity: Severity::Warning,
        promise: "A client_secret says when it expires, and that is not at once",
        finding: "A client_secret does not say when it expires, or expires at once",
        consequence: "clients register again for every sign-in, or keep using a secret that has ended",
        fix: "answer client_secret_expires_at with every client_secret: 0 for never, or a time in seconds since 1970",
        section: "RFC 7591 §3.2.1",
        look: secret_lasts,
    },
    Check {
        name: "registration.types",
        severity: Severity::Error,
        promise: "Every member of the answer has its type",
        finding: "A member of the answer to a registration has the wrong type",
        consequence: "clients that check types refuse the whole answer",
        fix: "answer each member with the type that the section names",
        section: "RFC 7591 §2 and §3.2.1",
        look: |evidence| {
            registered(evidence)?;
            have_their_types(evidence, &GOOD, REGISTRATION)
        },
    },
    Check {
        name: "registration.no_null",
        severity: Severity::Error,
        promise: "The answer has no null members",
        finding: "The answer to a registration has a null member",
        consequence: "TypeScript SDK 1 and 2, mcp-remote, Inspector and Claude Code refuse the answer",
        fix: "leave absent members out",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            registered(evidence)?;
            no_null(evidence, &GOOD)
        },
    },
    Check {
        name: "registration.not_stored",
        severity: Severity::Warning,
        promise: "Caches are not told to store the answer",
        finding: "Caches are told to store the answer to a registration",
        consequence: "a proxy gives one client's identity to another",
        fix: "send Cache-Control: no-store",
        section: "RFC 7591 §3.2.1; RFC 9110 §9.3.3",
        look: |evidence| {
            let answer = registered(evidence)?;
            ensure(!answer.may_be_stored(), || answer.header("cache-control").unwrap_or_default())
        },
    },
    Check {
        name: "registration.no_plain_http",
        severity: Severity::Error,
        promise: "A plain http address elsewhere is refused",
        finding: "A plain http redirect URI on another machine is registered",
        consequence: "anyone who listens on the network can read codes",
        fix: "refuse http redirect URIs that are not loopback, with invalid_redirect_uri",
        section: "OAuth 2.1 §2.3.1; RFC 9700 §2.6",
        look: |evidence| is_refused(evidence, Probe::RegisterPlainHttp, PLAIN_HTTP_REDIRECT),
    },
    Check {
        name: "registration.no_script",
        severity: Severity::Error,
        promise: "A javascript: address is refused",
        finding: "A javascript: redirect URI is registered",
        consequence: "where a page links to the redirect URI, a stranger's script runs on the authorization server's origin",
        fix: "refuse javascript:, data:, file: and the like, with invalid_redirect_uri",
        section: "RFC 9700 §4.1; RFC 7591 §5",
        look: |evidence| is_refused(evidence, Probe::RegisterScript, SCRIPT_REDIRECT),
    },
    Check {
        name: "registration.error_shape",
        severity: Severity::Warning,
        promise: "A refusal is 400 with an error code",
        finding: "A refused registration is not answered with 400 and an error code",
        consequence: "people see `HTTP 500` where a sentence could help them",
        fix: "answer 400 with {\"error\": \"invalid_redirect_uri\", \"error_description\": \"…\"}",
        section: "RFC 7591 §3.2.2",
        look: error_shape,
    },
];

pub(super) fn is_accepted(answer: &Exchange) -> bool {
    answer.status.is_success() && answer.text("client_id").is_some()
}

/// Whether the server disliked something in the registration, so that another may be welcome.
pub(super) fn is_refusal(answer: &Exchange) -> bool {
    let error = answer.text("error").unwrap_or_default();
    let names_member = error.starts_with("invalid_") && error != "invalid_token";
    names_member || matches!(answer.status.as_u16(), 400 | 409 | 422 | 500)
}

/// Whether a client was registered with `redirect_uri`. An answer that repeats none is taken to
/// mean all that were asked for; another check complains of it.
pub(super) fn registers(answer: &Exchange, redirect_uri: &str) -> bool {
    let listed = redirect_uris(answer);
    is_accepted(answer) && listed.is_none_or(|listed| listed.iter().any(|one| one == redirect_uri))
}

fn redirect_uris(answer: &Exchange) -> Option<&Vec<Value>> {
    answer.object()?.get("redirect_uris")?.as_array()
}

fn answers(evidence: &Evidence) -> Judged {
    let endpoint = evidence.usable_endpoint("registration_endpoint")?;
    evidence.is_answered(Probe::Register)?;
    let first = evidence.answer(Probe::Register)?;
    let mut good = evidence.answers_to(&GOOD);
    // What is refused for its redirect URI is another check's matter.
    if good.any(is_accepted) || is_about_redirects(last_refusal(evidence)) {
        return Ok(());
    }
    let answer = last_refusal(evidence).unwrap_or(first);
    Err(Objection::Found(format!("{endpoint} answered {}", answer.in_words())))
}

/// The refusal of the registration that asks for least.
fn last_refusal(evidence: &Evidence) -> Option<&Exchange> {
    evidence.answer(Probe::RegisterPublic).ok().filter(|answer| is_refusal(answer))
}

fn is_about_redirects(answer: Option<&Exchange>) -> bool {
    answer.and_then(|answer| answer.text("error")) == Some("invalid_redirect_uri")
}

fn takes_loopback(evidence: &Evidence) -> Judged {
    let mut answers = evidence.answers_to(&[Probe::Register, Probe::RegisterPublic]);
    if answers.any(|answer| registers(answer, &evidence.redirect_uri)) {
        return Ok(());
    }
    match last_refusal(evidence) {
        Some(answer) if is_about_redirects(Some(answer)) => {
            Err(Objection::Found(answer.in_words()))
        }
        _ => not_asked("no registration was accepted or refused for its redirect URI"),
    }
}

/// Whether a redirect URI that begins with `prefix` was registered, together with the others or
/// `alone`.
fn takes_kind(evidence: &Evidence, prefix: &str, alone: Probe) -> Judged {
    if let Ok(answer) = evidence.answer(alone) {
        // A server in which nothing can register says nothing about this kind.
        registered(evidence)?;
        return ensure(is_accepted(answer), || answer.in_words());
    }
    let answer = evidence.answer(Probe::Register)?;
    if !is_accepted(answer) {
        return not_asked("no client could be registered");
    }
    let Some(listed) = redirect_uris(answer) else {
        return not_asked("the answer repeats no redirect_uris");
    };
    let listed: Vec<_> = listed.iter().filter_map(Value::as_str).collect();
    ensure(listed.iter().any(|uri| uri.starts_with(prefix)), || {
        format!("redirect_uris are {}", listed.join(" "))
    })
}

/// `redirect_uri` was not registered: the server refused it, or left it out.
fn is_refused(evidence: &Evidence, probe: Probe, redirect_uri: &str) -> Judged {
    let answer = evidence.answer(probe)?;
    if answer.status.is_server_error() {
        return not_asked(&format!("the answer is {}", answer.in_words()));
    }
    if is_accepted(answer) && texts(answer.members()?, "redirect_uris")?.is_none() {
        return not_asked("the answer does not say what was registered");
    }
    ensure(!registers(answer, redirect_uri), || {
        format!("{} with redirect_uris {redirect_uri}", answer.status.as_u16())
    })
}

/// The answer about the client that the examination works with, or else any registration.
fn registered(evidence: &Evidence) -> Result<&Exchange, Objection> {
    match evidence.answers_to(&GOOD).find(|answer| is_accepted(answer)) {
        Some(answer) => Ok(answer),
        None => not_asked("no client could be registered"),
    }
}

fn has_list(evidence: &Evidence, name: &str) -> Judged {
    let answer = registered(evidence)?;
    let list = texts(answer.members()?, name)?.unwrap_or_default();
    ensure(!list.is_empty(), || format!("no {name}"))
}

fn usable_by_default(evidence: &Evidence) -> Judged {
    let answer = match evidence.answers_to(&[Probe::RegisterMinimal, Probe::Register]).next() {
        Some(answer) if is_accepted(answer) => answer,
        // Each redirect URI was accepted together with a method, and this one without was not.
        Some(answer) if evidence.answer(Probe::RegisterMinimal).is_ok() => {
            return Err(Objection::Found(answer.in_words()));
        }
        _ => return not_asked("no such client could be registered"),
    };
    let method = answer.text("token_endpoint_auth_method").unwrap_or("none");
    let has_secret = answer.text("client_secret").is_some_and(|secret| !secret.is_empty());
    let needs_secret = method.starts_with("client_secret_");
    ensure(has_secret || !needs_secret, || format!("{method} without a client_secret"))
}

fn keeps_refresh_grant(evidence: &Evidence) -> Judged {
    let answer = registered(evidence)?;
    let Some(grants) = texts(answer.members()?, "grant_types")? else {
        return not_asked("the answer names no grant types");
    };
    if !evidence.server_list("grant_types_supported")?.contains(&"refresh_token") {
        return not_asked("the server does not say that it serves the refresh grant");
    }
    ensure(grants.contains(&"refresh_token"), || format!("grant_types are {}", grants.join(" ")))
}

fn secret_lasts(evidence: &Evidence) -> Judged {
    let mut clients = evidence.answers_to(&GOOD).filter(|answer| is_accepted(answer));
    let Some(answer) = clients.find(|answer| answer.text("client_secret").is_some()) else {
        return not_asked("no client got a secret");
    };
    let expiry = answer.object().and_then(|members| members.get("client_secret_expires_at"));
    match expiry.map(Value::as_i64) {
        None => Err(Objection::Found("no client_secret_expires_at".to_owned())),
        Some(None) => not_asked("client_secret_expires_at is not a whole number"),
        Some(Some(0)) => Ok(()),
        Some(Some(expiry)) => ensure(expiry >= answer.received_at + MIN_SECRET_LIFETIME, || {
            match expiry - answer.received_at {
                left if left > 0 => format!("it expires in {left} s"),
                left => format!("it expired {} s ago", -left),
            }
        }),
    }
}

fn error_shape(evidence: &Evidence) -> Judged {
    let mut answers = evidence.answers_to(&[Probe::RegisterPlainHttp, Probe::RegisterScript]);
    let Some(answer) = answers.find(|answer| !answer.status.is_success()) else {
        return not_asked("nothing was refused");
    };
    let good = answer.status == StatusCode::BAD_REQUEST && answer.text("error").is_some();
    ensure(good, || answer.in_words())
}
