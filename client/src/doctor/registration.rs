//! Checks of registration by clients that nobody knows (RFC 7591).

use http::StatusCode;
use serde_json::Value;

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Objection, Probe, ensure, not_asked},
    resource::no_null,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "registration.loopback",
        severity: Severity::Error,
        promise: "A native client on 127.0.0.1 may register",
        consequence: "rmcp, Inspector, VS Code and every command-line client cannot sign in",
        fix: "accept http redirect URIs on 127.0.0.1, [::1] and localhost",
        section: "RFC 8252 §7.3; RFC 7591 §2",
        look: |evidence| is_accepted(evidence, Probe::RegisterNative),
    },
    Check {
        name: "registration.localhost",
        severity: Severity::Error,
        promise: "A native client on localhost may register",
        consequence: "Claude Code, Cursor, mcp-remote and FastMCP cannot sign in",
        fix: "treat the name localhost as loopback",
        section: "RFC 8252 §8.3",
        look: |evidence| is_accepted(evidence, Probe::RegisterLocalhost),
    },
    Check {
        name: "registration.private_scheme",
        severity: Severity::Warning,
        promise: "A client may be called back by a scheme of its own",
        consequence: "Cursor and Claude Desktop register cursor:// and claude:// and are refused",
        fix: "accept private-use schemes of native clients",
        section: "RFC 8252 §7.1",
        look: |evidence| is_accepted(evidence, Probe::RegisterPrivateScheme),
    },
    Check {
        name: "registration.public_by_default",
        severity: Severity::Error,
        promise: "A client that names no authentication method is a public one",
        consequence: "the Python SDK leaves it out; with a method of client_secret_* and no secret it refuses the answer",
        fix: "answer token_endpoint_auth_method: none where nothing was asked for, or send a secret with it",
        section: "RFC 7591 §2",
        look: public_by_default,
    },
    Check {
        name: "registration.created",
        severity: Severity::Warning,
        promise: "A registration is answered 201",
        consequence: "clients that compare the status take it for a failure",
        fix: "answer 201 Created",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            let status = registered(evidence)?.status;
            ensure(status == StatusCode::CREATED, || format!("{status}"))
        },
    },
    Check {
        name: "registration.echoes_redirects",
        severity: Severity::Error,
        promise: "The answer repeats redirect_uris",
        consequence: "TypeScript SDK 1 and 2, mcp-remote, Inspector and rmcp refuse the answer",
        fix: "answer with all metadata that is in force, redirect_uris first of all",
        section: "RFC 7591 §3.2.1",
        look: |evidence| has_list(evidence, "redirect_uris"),
    },
    Check {
        name: "registration.echoes_metadata",
        severity: Severity::Warning,
        promise: "The answer says what is in force",
        consequence: "clients assume defaults: client_secret_basic, and no refresh grant",
        fix: "answer with token_endpoint_auth_method, grant_types and response_types",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            let answer = registered(evidence)?;
            let method = answer.text("token_endpoint_auth_method");
            ensure(method.is_some(), || "no token_endpoint_auth_method".to_owned())?;
            has_list(evidence, "grant_types")?;
            has_list(evidence, "response_types")
        },
    },
    Check {
        name: "registration.refresh_grant",
        severity: Severity::Warning,
        promise: "The refresh grant is given to clients that ask for it",
        consequence: "people sign in again whenever an access token expires",
        fix: "keep refresh_token in grant_types",
        section: "RFC 7591 §2",
        look: |evidence| {
            let json = registered(evidence)?.json.as_ref();
            let Some(grants) = json.and_then(|json| json.get("grant_types")?.as_array()) else {
                return not_asked("the answer names no grant types");
            };
            ensure(grants.iter().any(|grant| grant == "refresh_token"), || {
                "grant_types without refresh_token".to_owned()
            })
        },
    },
    Check {
        name: "registration.no_secret",
        severity: Severity::Warning,
        promise: "A public client gets no secret",
        consequence: "clients that see one use client_secret_basic and must keep what they cannot keep",
        fix: "leave client_secret out for token_endpoint_auth_method: none",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            let answer = registered(evidence)?;
            ensure(answer.text("client_secret").is_none(), || "there is a client_secret".to_owned())
        },
    },
    Check {
        name: "registration.no_null",
        severity: Severity::Error,
        promise: "The answer has no null members",
        consequence: "TypeScript SDK 1 and 2, mcp-remote, Inspector and Claude Code refuse the answer",
        fix: "leave absent members out",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            registered(evidence)?;
            no_null(
                evidence,
                &[Probe::RegisterNative, Probe::RegisterLocalhost, Probe::RegisterMinimal],
            )
        },
    },
    Check {
        name: "registration.not_stored",
        severity: Severity::Warning,
        promise: "The answer is not to be stored by caches",
        consequence: "a proxy gives one client's identity to another",
        fix: "send Cache-Control: no-store",
        section: "RFC 7591 §3.2.1",
        look: |evidence| {
            let answer = registered(evidence)?;
            ensure(answer.is_not_stored(), || {
                answer.header("cache-control").unwrap_or_else(|| "no Cache-Control".to_owned())
            })
        },
    },
    Check {
        name: "registration.no_plain_http",
        severity: Severity::Error,
        promise: "A plain http address elsewhere is refused",
        consequence: "whoever listens on the network reads codes",
        fix: "refuse http redirect URIs that are not loopback, with invalid_redirect_uri",
        section: "OAuth 2.1 §2.3.1; RFC 9700 §2.6",
        look: |evidence| is_refused(evidence, Probe::RegisterPlainHttp),
    },
    Check {
        name: "registration.no_script",
        severity: Severity::Error,
        promise: "A javascript: address is refused",
        consequence: "anybody can run script on the pages of the authorization server",
        fix: "refuse javascript:, data:, file: and the like, with invalid_redirect_uri",
        section: "RFC 9700 §4.1; RFC 7591 §5",
        look: |evidence| is_refused(evidence, Probe::RegisterScript),
    },
    Check {
        name: "registration.error_shape",
        severity: Severity::Warning,
        promise: "A refusal is 400 with a code that clients know",
        consequence: "people see `HTTP 500` where a sentence could help them",
        fix: "answer 400 with {\"error\": \"invalid_redirect_uri\", \"error_description\": \"…\"}",
        section: "RFC 7591 §3.2.2",
        look: error_shape,
    },
];

fn is_accepted(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    let good = answer.status.is_success() && answer.text("client_id").is_some();
    ensure(good, || answer.in_words())
}

fn is_refused(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    ensure(!answer.status.is_success(), || format!("{} and a client_id", answer.status.as_u16()))
}

/// The first answer that is a registration.
fn registered(evidence: &Evidence) -> Result<&Exchange, Objection> {
    let answer = evidence.answer(Probe::RegisterNative)?;
    match answer.status.is_success() && answer.text("client_id").is_some() {
        true => Ok(answer),
        false => not_asked("the registration was refused"),
    }
}

fn has_list(evidence: &Evidence, name: &str) -> Judged {
    let list = registered(evidence)?.json.as_ref().and_then(|json| json.get(name)?.as_array());
    ensure(list.is_some_and(|list| !list.is_empty()), || format!("no {name}"))
}

fn public_by_default(evidence: &Evidence) -> Judged {
    let answer = evidence.answer(Probe::RegisterMinimal)?;
    ensure(answer.status.is_success(), || answer.in_words())?;
    // A missing method is another check's matter.
    let method = answer.text("token_endpoint_auth_method").unwrap_or("none");
    let has_secret = answer
        .json
        .as_ref()
        .is_some_and(|json| json.get("client_secret").is_some_and(Value::is_string));
    ensure(method == "none" || has_secret, || format!("{method} without a client_secret"))
}

fn error_shape(evidence: &Evidence) -> Judged {
    let refusals = [Probe::RegisterPlainHttp, Probe::RegisterScript];
    let mut refusals = refusals.iter().filter_map(|probe| evidence.answer(*probe).ok());
    let Some(answer) = refusals.find(|answer| !answer.status.is_success()) else {
        return not_asked("nothing was refused");
    };
    let known = ["invalid_redirect_uri", "invalid_client_metadata"];
    let code = answer.text("error").unwrap_or_default();
    let good = answer.status == StatusCode::BAD_REQUEST && known.contains(&code);
    ensure(good, || answer.in_words())
}
