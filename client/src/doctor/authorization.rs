//! Checks of the endpoint that the browser opens (OAuth 2.1 §4.1.1, RFC 9207, RFC 9700).

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, not_asked},
    landing::{Landing, destination, error_code, in_words},
    requests::{FOREIGN_REDIRECT, OTHER_PORT_REDIRECT, STATE},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "authorize.answers",
        severity: Severity::Error,
        promise: "authorization_endpoint answers a GET",
        finding: "The authorization endpoint does not answer a GET",
        consequence: "every browser shows an error instead of a sign-in",
        fix: "serve GET at authorization_endpoint, or correct the address in the metadata",
        section: "OAuth 2.1 §3.1",
        look: answers,
    },
    Check {
        name: "authorize.resource",
        severity: Severity::Error,
        promise: "The authorization server knows the resource",
        finding: "The authorization server does not know the resource",
        consequence: "MCP clients name the resource in every request and are refused",
        fix: "tell the authorization server of the resource, exactly as the resource metadata spells it",
        section: "RFC 8707 §2; MCP authorization, Resource Parameter Implementation",
        look: |evidence| {
            is_accepted_with(evidence, "invalid_target", Probe::AuthorizeWithoutResource)
        },
    },
    Check {
        name: "authorize.scope",
        severity: Severity::Error,
        promise: "It grants the scopes that the resource asks for to any client",
        finding: "A registered client is refused the scopes that the resource asks for",
        consequence: "clients that follow the challenge and the metadata are told invalid_scope",
        fix: "allow registered clients the scopes of the challenge and of scopes_supported, or list others there",
        section: "MCP authorization, Scope Selection Strategy; OAuth 2.1 §4.1.2.1",
        look: |evidence| is_accepted_with(evidence, "invalid_scope", Probe::AuthorizeWithoutScope),
    },
    Check {
        name: "authorize.opens",
        severity: Severity::Error,
        promise: "A valid request without cookies is answered by a page or a redirect",
        finding: "A valid authorization request without cookies is answered by neither a page nor a redirect",
        consequence: "FastMCP tries the address before it opens the browser, and gives up",
        fix: "answer 200, 302 or 303 to a GET without cookies, as often as it comes",
        section: "OAuth 2.1 §4.1.1",
        look: |evidence| {
            exists(evidence)?;
            if resource_is_unknown(evidence) || scope_is_refused(evidence) {
                return not_asked("the server refuses the resource or the scopes");
            }
            opens(evidence, Probe::Authorize)
        },
    },
    Check {
        name: "authorize.any_port",
        severity: Severity::Error,
        promise: "A loopback client may listen on another port than it registered",
        finding: "A loopback client is refused when it listens on another port than it registered",
        consequence: "clients that keep their registration and take a free port fail at the second sign-in",
        fix: "compare loopback redirect URIs without the port",
        section: "RFC 8252 §7.3; OAuth 2.1 §2.3.1",
        look: any_port,
    },
    Check {
        name: "authorize.unknown_client",
        severity: Severity::Error,
        promise: "An unknown client is refused without a redirect",
        finding: "An unknown client is redirected instead of refused",
        consequence: "the server is an open redirector",
        fix: "look the client up first; show a page with status 400",
        section: "OAuth 2.1 §4.1.2.1",
        look: |evidence| stays(evidence, Probe::AuthorizeUnknownClient, &evidence.redirect_uri),
    },
    Check {
        name: "authorize.unknown_client_code",
        severity: Severity::Warning,
        promise: "To a program, that refusal says invalid_client",
        finding: "A program that is refused as an unknown client is not told invalid_client",
        consequence: "mcp-remote looks for it to register again; with a page of HTML its person is stuck",
        fix: "answer {\"error\": \"invalid_client\"} when Accept asks for JSON",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            exists(evidence)?;
            let answer = evidence.answer(Probe::AuthorizeUnknownClient)?;
            if Landing::of(answer, &evidence.redirect_uri) != Landing::Refused {
                return not_asked("unknown clients are not refused at once");
            }
            let code = error_code(answer).unwrap_or_default();
            ensure(["invalid_client", "unauthorized_client"].contains(&code.as_str()), || {
                in_words(answer)
            })
        },
    },
    Check {
        name: "authorize.foreign_redirect",
        severity: Severity::Error,
        promise: "A redirect URI that is not the client's is refused without a redirect",
        finding: "The browser is sent to a redirect URI that the client has not registered",
        consequence: "codes, and with them accounts, can be stolen by a link",
        fix: "compare the redirect URI with the registered ones, character by character",
        section: "OAuth 2.1 §4.1.2.1; RFC 9700 §4.1.3",
        look: |evidence| stays(evidence, Probe::AuthorizeForeignRedirect, FOREIGN_REDIRECT),
    },
    Check {
        name: "authorize.needs_pkce",
        severity: Severity::Error,
        promise: "A request without PKCE is refused",
        finding: "An authorization request without PKCE is not refused",
        consequence: "anyone who intercepts the code of a public client can use it",
        fix: "answer invalid_request when code_challenge is missing",
        section: "OAuth 2.1 §4.1.1; RFC 9700 §2.1.1",
        look: |evidence| {
            let controls = [Probe::AuthorizePlain, Probe::AuthorizeUnknownMethod];
            is_refused(evidence, Probe::AuthorizeWithoutPkce, controls)
        },
    },
    Check {
        name: "authorize.no_plain",
        severity: Severity::Advice,
        promise: "A request with PKCE plain is refused",
        finding: "An authorization request with PKCE plain is not refused",
        consequence: "the verifier travels through the browser, which PKCE should prevent",
        fix: "answer invalid_request to code_challenge_method=plain",
        section: "RFC 9700 §2.1.1; RFC 7636 §7.2",
        look: |evidence| {
            let controls = [Probe::AuthorizeWithoutPkce, Probe::AuthorizeUnknownMethod];
            is_refused(evidence, Probe::AuthorizePlain, controls)
        },
    },
    Check {
        name: "authorize.tells_client",
        severity: Severity::Warning,
        promise: "A request that is wrong in another way is answered at the client",
        finding: "An authorization request that is wrong is not answered at the client",
        consequence: "the client waits until it times out, although a page in the browser shows the error",
        fix: "once client and redirect URI are certain, redirect with error, error_description and state",
        section: "OAuth 2.1 §4.1.2.1",
        look: |evidence| {
            accepts_valid(evidence)?;
            let answer = evidence.answer(Probe::AuthorizeImplicit)?;
            match Landing::of(answer, &evidence.redirect_uri) {
                landing if landing.parameter("error").is_some() => Ok(()),
                Landing::Refused => Err(Objection::Found(in_words(answer))),
                _ => not_asked("the server refuses no response type at once"),
            }
        },
    },
    Check {
        name: "authorize.error_state",
        severity: Severity::Error,
        promise: "That answer carries the state of the request",
        finding: "The error that the client is told of lacks the state of its request",
        consequence: "clients cannot tell whose answer it is, and drop it",
        fix: "return state, byte for byte, with errors too",
        section: "OAuth 2.1 §4.1.2.1",
        look: |evidence| {
            let landing = told(evidence)?;
            let state = landing.parameter("state");
            ensure(state == Some(STATE), || state.unwrap_or("no state").to_owned())
        },
    },
    Check {
        name: "authorize.error_iss",
        severity: Severity::Error,
        promise: "That answer carries iss where it was promised, exactly the issuer",
        finding: "The error that the client is told of lacks the issuer, or names another one",
        consequence: "TypeScript SDK 2, mcp-remote, Inspector, Python SDK, FastMCP and rmcp drop the answer",
        fix: "add iss, equal to the issuer of the metadata, to every redirect",
        section: "RFC 9207 §2",
        look: error_iss,
    },
    Check {
        name: "authorize.no_frames",
        severity: Severity::Warning,
        promise: "Its page cannot be framed",
        finding: "The authorization page can be framed by other sites",
        consequence: "another page can make people click Allow without knowing",
        fix: "send Content-Security-Policy: frame-ancestors 'none' and X-Frame-Options: DENY",
        section: "RFC 9700 §4.16",
        look: |evidence| {
            let mut answers = evidence.answers_to(&[Probe::Authorize, Probe::AuthorizePage]);
            let Some(answer) = answers.find(|one| one.status.is_success() && one.is_page()) else {
                return not_asked("there is no page");
            };
            let policy = answer.header("content-security-policy").unwrap_or_default();
            let good =
                policy.contains("frame-ancestors") || answer.header("x-frame-options").is_some();
            ensure(good, || "neither frame-ancestors nor X-Frame-Options".to_owned())
        },
    },
];

/// There is an endpoint that a browser can open.
fn answers(evidence: &Evidence) -> Judged {
    let endpoint = evidence.usable_endpoint("authorization_endpoint")?;
    let probe = if evidence.answers.contains_key(&Probe::Authorize) {
        Probe::Authorize
    } else {
        Probe::AuthorizeUnknownClient
    };
    evidence.is_answered(probe)?;
    let answer = evidence.answer(probe)?;
    // An unknown client may not be found; a known one is.
    let is_missing = answer.is_missing() && (probe == Probe::Authorize || answer.status != 404);
    ensure(!is_missing, || format!("{endpoint} answered {}", answer.in_words()))
}

/// Whether there is anything to judge: another check says so if there is not.
fn exists(evidence: &Evidence) -> Judged {
    match answers(evidence) {
        Err(Objection::Found(_)) => not_asked("authorization_endpoint does not answer"),
        other => other,
    }
}

/// Goes on: to a page, to somewhere else than a refusal, or at once to the client with a code.
pub(super) fn opens(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    let landing = Landing::of(answer, &evidence.redirect_uri);
    let is_open = matches!(answer.status.as_u16(), 200 | 302 | 303 | 307 | 308);
    let goes_on = is_open && !landing.is_refusal() && landing != Landing::Broken;
    ensure(goes_on, || in_words(answer))
}

/// The valid request is refused, and what follows from one part of it: the server says so with
/// `code`, or accepts the request `without` that part.
fn is_refused_for(evidence: &Evidence, code: &str, without: Probe) -> bool {
    let Ok(answer) = evidence.answer(Probe::Authorize) else { return false };
    let is_refused = Landing::of(answer, &evidence.redirect_uri).is_refusal();
    is_refused && (error_code(answer).as_deref() == Some(code) || opens(evidence, without).is_ok())
}

fn resource_is_unknown(evidence: &Evidence) -> bool {
    is_refused_for(evidence, "invalid_target", Probe::AuthorizeWithoutResource)
}

fn scope_is_refused(evidence: &Evidence) -> bool {
    is_refused_for(evidence, "invalid_scope", Probe::AuthorizeWithoutScope)
}

fn is_accepted_with(evidence: &Evidence, code: &str, without: Probe) -> Judged {
    exists(evidence)?;
    let answer = evidence.answer(Probe::Authorize)?;
    if is_refused_for(evidence, code, without) {
        return Err(Objection::Found(in_words(answer)));
    }
    opens(evidence, Probe::Authorize).or_else(|_| not_asked("the server refuses something else"))
}

/// Some request of the registered client goes on.
fn accepts_valid(evidence: &Evidence) -> Judged {
    exists(evidence)?;
    let valid = [Probe::Authorize, Probe::AuthorizeWithoutResource, Probe::AuthorizeWithoutScope];
    if valid.into_iter().any(|probe| opens(evidence, probe).is_ok()) {
        return Ok(());
    }
    evidence.answer(Probe::Authorize)?;
    not_asked("not even a valid request is accepted")
}

fn any_port(evidence: &Evidence) -> Judged {
    accepts_valid(evidence)?;
    let answer = evidence.answer(Probe::AuthorizeOtherPort)?;
    match Landing::of(answer, OTHER_PORT_REDIRECT) {
        Landing::Broken => not_asked(&format!("the answer is {}", answer.in_words())),
        landing => ensure(!landing.is_refusal(), || in_words(answer)),
    }
}

/// The browser is not sent to `redirect_uri`.
fn stays(evidence: &Evidence, probe: Probe, redirect_uri: &str) -> Judged {
    exists(evidence)?;
    let answer = evidence.answer(probe)?;
    match Landing::of(answer, redirect_uri) {
        Landing::Client(_) => {
            let origin = destination(answer).map(|there| there.origin().ascii_serialization());
            let status = answer.status.as_u16();
            Err(Objection::Found(format!("{status} to {}", origin.unwrap_or_default())))
        }
        Landing::Refused => Ok(()),
        Landing::Onward => not_asked(&format!(
            "it goes on ({}) and may refuse after the sign-in",
            in_words(answer)
        )),
        Landing::Broken => not_asked(&format!("the answer is {}", answer.in_words())),
    }
}

/// The request is refused, at the client or by a page. That it goes on proves nothing, since the
/// server may refuse it after the sign-in, unless it refuses one of the `controls` at once.
fn is_refused(evidence: &Evidence, probe: Probe, controls: [Probe; 2]) -> Judged {
    accepts_valid(evidence)?;
    let answer = evidence.answer(probe)?;
    let is_refused = |answer: &Exchange| Landing::of(answer, &evidence.redirect_uri).is_refusal();
    match Landing::of(answer, &evidence.redirect_uri) {
        _ if is_refused(answer) => Ok(()),
        Landing::Client(_) => Err(Objection::Found("the client is sent a code".to_owned())),
        Landing::Broken => not_asked(&format!("the answer is {}", answer.in_words())),
        _ if evidence.answers_to(&controls).any(is_refused) => {
            let words = in_words(answer);
            Err(Objection::Found(format!("{words}, as for a valid request; others are refused")))
        }
        _ => not_asked("it goes on as a valid request does, and may be refused after the sign-in"),
    }
}

/// Where the error went that the client is told of.
fn told(evidence: &Evidence) -> Result<Landing, Objection> {
    exists(evidence)?;
    let answer = evidence.answer(Probe::AuthorizeImplicit)?;
    let landing = Landing::of(answer, &evidence.redirect_uri);
    if landing.parameter("error").is_none() {
        return not_asked("no error was sent to the client");
    }
    Ok(landing)
}

fn error_iss(evidence: &Evidence) -> Judged {
    let landing = told(evidence)?;
    let issuer = evidence.issuer()?;
    let promised = evidence.promises("authorization_response_iss_parameter_supported")?;
    match landing.parameter("iss") {
        Some(iss) => ensure(iss == issuer, || format!("{iss} for {issuer}")),
        None => ensure(!promised, || "no iss".to_owned()),
    }
}
