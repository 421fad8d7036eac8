//! Checks of what others can do to a server and its users without a token. What needs a token is
//! among the checks of a sign-in.

use net::loopback::is_loopback;

use super::{
    Check, Severity,
    authorization::opens,
    evidence::{Evidence, Judged, Probe, ensure, not_asked},
    landing::Landing,
    requests::{FOREIGN_HOST, FOREIGN_PAGE},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "attack.tool_call",
        severity: Severity::Error,
        promise: "A tool cannot be called without a token",
        finding: "A tool can be called without a token",
        consequence: "anyone can use the tools, also those that no list shows; only initialize is guarded",
        fix: "check the token of every request, before its method is looked at",
        section: "MCP authorization, Access Token Usage",
        look: tool_call,
    },
    Check {
        name: "attack.foreign_host",
        severity: Severity::Error,
        promise: "A server on this machine answers to its own names only",
        finding: "A server on this machine answers to any host name",
        consequence: "any web page that its user visits can call the tools, by DNS rebinding",
        fix: "refuse requests whose Host is not localhost, 127.0.0.1 or [::1]; in the SDKs, turn the protection on",
        section: "MCP transports, Security Warning; CVE-2025-66414, CVE-2025-66416",
        look: |evidence| is_closed_to(evidence, Probe::ForeignHost, FOREIGN_HOST),
    },
    Check {
        name: "attack.foreign_page",
        severity: Severity::Error,
        promise: "A server on this machine refuses pages of other sites",
        finding: "A server on this machine answers to pages of other sites",
        consequence: "any web page that its user visits can call the tools, because browsers send plain text without asking first",
        fix: "refuse requests whose Origin is not your own with 403, and bodies that are not application/json",
        section: "MCP transports, Security Warning",
        look: |evidence| is_closed_to(evidence, Probe::ForeignPage, FOREIGN_PAGE),
    },
    Check {
        name: "attack.consent",
        severity: Severity::Error,
        promise: "No code is given before anyone has signed in",
        finding: "A code is given to a client without asking anyone",
        consequence: "whatever is behind the server is open to any client that registers",
        fix: "show who asks for what, and wait for the answer of the user who has signed in",
        section: "MCP security best practices, Confused Deputy Problem; RFC 9700 §4.11",
        look: |evidence| {
            opens(evidence, Probe::Authorize)
                .or_else(|_| not_asked("no valid request is accepted"))?;
            let answer = evidence.answer(Probe::Authorize)?;
            let landing = Landing::of(answer, &evidence.redirect_uri);
            ensure(landing.parameter("code").is_none(), || {
                "a browser without cookies is sent to the client with a code".to_owned()
            })
        },
    },
];

/// The call is refused for its lack of a token. A server that finds another fault first says
/// nothing about that.
fn tool_call(evidence: &Evidence) -> Judged {
    if evidence.answer(Probe::Post)?.status.is_success() {
        return not_asked("this server needs no token for its first call");
    }
    let answer = evidence.answer(Probe::ToolCall)?;
    match answer.status.as_u16() {
        401 => Ok(()),
        200..=299 => ensure(false, || format!("tools/call was answered {}", answer.in_words())),
        _ => {
            not_asked(&format!("the server refuses it for another reason ({})", answer.in_words()))
        }
    }
}

/// A server on this machine does not serve a request that claims to come to, or from, `name`. One
/// that wants a token is safe, because no page has one.
fn is_closed_to(evidence: &Evidence, probe: Probe, name: &str) -> Judged {
    if !is_loopback(&evidence.server) {
        return not_asked("the server is not on this machine");
    }
    let answer = evidence.answer(probe)?;
    ensure(!answer.status.is_success(), || format!("{} for {name}", answer.in_words()))
}
