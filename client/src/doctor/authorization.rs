//! Checks of the endpoint that the browser opens (OAuth 2.1 §4.1.1, RFC 9207, RFC 9700).

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, not_asked},
    probe::{REDIRECT_URI, STATE},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "authorize.opens",
        severity: Severity::Error,
        promise: "A valid request without cookies is answered by a page or a redirect",
        consequence: "FastMCP tries the address before it opens the browser, and gives up",
        fix: "answer 200, 302 or 303 to a GET without cookies, as often as it comes",
        section: "OAuth 2.1 §4.1.1",
        look: |evidence| opens(evidence, Probe::Authorize),
    },
    Check {
        name: "authorize.any_port",
        severity: Severity::Error,
        promise: "A loopback client may listen on another port than it registered",
        consequence: "Claude Code and every client that takes a free port fails at its second sign-in",
        fix: "compare loopback redirect URIs without the port",
        section: "RFC 8252 §7.3; OAuth 2.1 §2.3.1",
        look: |evidence| opens(evidence, Probe::AuthorizeOtherPort),
    },
    Check {
        name: "authorize.unknown_client",
        severity: Severity::Error,
        promise: "An unknown client is refused and nobody is redirected",
        consequence: "the server is an open redirector",
        fix: "look the client up first; show a page with status 400",
        section: "OAuth 2.1 §4.1.2.1",
        look: |evidence| stays(evidence, Probe::AuthorizeUnknownClient),
    },
    Check {
        name: "authorize.unknown_client_code",
        severity: Severity::Warning,
        promise: "To a program, that refusal says invalid_client",
        consequence: "mcp-remote looks for it to register again; with a page of HTML its person is stuck",
        fix: "answer {\"error\": \"invalid_client\"} when Accept asks for JSON",
        section: "OAuth 2.1 §3.2.4",
        look: |evidence| {
            let answer = evidence.answer(Probe::AuthorizeUnknownClient)?;
            if !answer.status.is_client_error() {
                return not_asked("unknown clients are not refused");
            }
            let code = answer.text("error").unwrap_or_default();
            ensure(["invalid_client", "unauthorized_client"].contains(&code), || answer.in_words())
        },
    },
    Check {
        name: "authorize.foreign_redirect",
        severity: Severity::Error,
        promise: "A redirect URI that is not the client's is refused and nobody is redirected",
        consequence: "codes, and with them accounts, can be stolen by a link",
        fix: "compare the redirect URI with the registered ones, character by character",
        section: "OAuth 2.1 §4.1.2.1; RFC 9700 §4.1.3",
        look: |evidence| stays(evidence, Probe::AuthorizeForeignRedirect),
    },
    Check {
        name: "authorize.needs_pkce",
        severity: Severity::Error,
        promise: "A request without PKCE is refused",
        consequence: "whoever intercepts the code of a public client can use it",
        fix: "answer invalid_request when code_challenge is missing",
        section: "OAuth 2.1 §4.1.1; RFC 9700 §2.1.1",
        look: |evidence| is_refused(evidence, Probe::AuthorizeWithoutPkce),
    },
    Check {
        name: "authorize.no_plain",
        severity: Severity::Warning,
        promise: "A request with PKCE plain is refused",
        consequence: "the verifier travels through the browser, where PKCE should keep it from",
        fix: "answer invalid_request to code_challenge_method=plain",
        section: "RFC 9700 §2.1.1; RFC 7636 §7.2",
        look: |evidence| is_refused(evidence, Probe::AuthorizePlain),
    },
    Check {
        name: "authorize.tells_client",
        severity: Severity::Warning,
        promise: "A request that is wrong in another way is answered at the client",
        consequence: "the client waits until its time is up, while a page in the browser knows better",
        fix: "once client and redirect URI are certain, redirect with error, error_description and state",
        section: "OAuth 2.1 §4.1.2.1",
        look: |evidence| {
            let answer = evidence.answer(Probe::AuthorizeImplicit)?;
            let told = answer.redirected("error").is_some() && goes_to_client(answer);
            ensure(told, || answer.in_words())
        },
    },
    Check {
        name: "authorize.error_state",
        severity: Severity::Error,
        promise: "That answer carries the state of the request",
        consequence: "clients cannot tell whose answer it is, and drop it",
        fix: "return state, byte for byte, with errors too",
        section: "OAuth 2.1 §4.1.2.1",
        look: |evidence| {
            let answer = told(evidence)?;
            let state = answer.redirected("state");
            ensure(state.as_deref() == Some(STATE), || {
                state.unwrap_or_else(|| "no state".to_owned())
            })
        },
    },
    Check {
        name: "authorize.error_iss",
        severity: Severity::Error,
        promise: "That answer carries iss where it was promised, exactly the issuer",
        consequence: "TypeScript SDK 2, mcp-remote, Inspector, Python SDK, FastMCP and rmcp drop the answer",
        fix: "add iss, equal to the issuer of the metadata, to every redirect",
        section: "RFC 9207 §2",
        look: error_iss,
    },
    Check {
        name: "authorize.no_frames",
        severity: Severity::Warning,
        promise: "Its page cannot be framed",
        consequence: "another page can make people click Allow without knowing",
        fix: "send Content-Security-Policy: frame-ancestors 'none' and X-Frame-Options: DENY",
        section: "RFC 9700 §4.16",
        look: |evidence| {
            let pages = [Probe::Authorize, Probe::AuthorizePage];
            let pages = pages.into_iter().filter_map(|probe| evidence.answer(probe).ok());
            let Some(answer) = pages.into_iter().find(|page| page.status.is_success()) else {
                return not_asked("there is no page");
            };
            let policy = answer.header("content-security-policy").unwrap_or_default();
            let good =
                policy.contains("frame-ancestors") || answer.header("x-frame-options").is_some();
            ensure(good, || "neither frame-ancestors nor X-Frame-Options".to_owned())
        },
    },
];

/// Goes on: a page, or a redirect to somewhere else than an error at the client.
fn opens(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    let error = answer.redirected("error").filter(|_| goes_to_client(answer));
    let good = matches!(answer.status.as_u16(), 200 | 302 | 303) && error.is_none();
    ensure(good, || error.unwrap_or_else(|| answer.in_words()))
}

/// Is refused without a redirect to anywhere.
fn stays(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    ensure(answer.status.is_client_error(), || match answer.location() {
        Some(location) => {
            let origin = location.origin().ascii_serialization();
            format!("{} to {origin}", answer.status.as_u16())
        }
        None => answer.in_words(),
    })
}

/// Is refused, at the client or by a page.
fn is_refused(evidence: &Evidence, probe: Probe) -> Judged {
    opens(evidence, Probe::Authorize)
        .or_else(|_| not_asked("not even a valid request is accepted"))?;
    let answer = evidence.answer(probe)?;
    let refused = answer.status.is_client_error()
        || (goes_to_client(answer) && answer.redirected("error").is_some());
    ensure(refused, || format!("{}, as for a valid request", answer.in_words()))
}

fn goes_to_client(answer: &Exchange) -> bool {
    answer.location().is_some_and(|location| location.as_str().starts_with(REDIRECT_URI))
}

/// The error that was sent to the client.
fn told(evidence: &Evidence) -> Result<&Exchange, Objection> {
    let answer = evidence.answer(Probe::AuthorizeImplicit)?;
    match goes_to_client(answer) && answer.redirected("error").is_some() {
        true => Ok(answer),
        false => not_asked("no error was sent to the client"),
    }
}

fn error_iss(evidence: &Evidence) -> Judged {
    let answer = told(evidence)?;
    let issuer = evidence.issuer()?;
    let promised = evidence
        .authorization_server()?
        .get("authorization_response_iss_parameter_supported")
        .is_some_and(|promised| promised == true);
    match answer.redirected("iss") {
        Some(iss) => ensure(iss == issuer, || format!("{iss} for {issuer}")),
        None => ensure(!promised, || "no iss".to_owned()),
    }
}
