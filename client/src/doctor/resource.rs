//! Checks of what the MCP server says about itself (RFC 9728).

use url::Url;

use super::{
    Check, Severity,
    challenge::asks_for_sign_in,
    evidence::{Evidence, Judged, Objection, Probe, ensure, ensure_none, not_asked, text},
    member_types::{RESOURCE, have_their_types},
    requests::RESOURCE_PLACES as PLACES,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "resource.found",
        severity: Severity::Error,
        promise: "There is protected resource metadata",
        finding: "The server publishes no resource metadata",
        consequence: "no client of revision 2025-06-18 or later learns where to sign in",
        fix: "serve the JSON document at /.well-known/oauth-protected-resource/<path>",
        section: "RFC 9728 §3; MCP authorization, Authorization Server Location",
        look: |evidence| {
            if evidence.first_document(&PLACES).is_none() && !asks_for_sign_in(evidence) {
                return not_asked("the server does not ask for a sign-in");
            }
            is_found(evidence, &PLACES)
        },
    },
    Check {
        name: "resource.announced_place",
        severity: Severity::Error,
        promise: "It is where the challenge says",
        finding: "The address in the challenge holds no resource metadata",
        consequence: "clients that follow the challenge look nowhere else and give up",
        fix: "serve the document at the address in resource_metadata, or correct the address",
        section: "RFC 9728 §5.2",
        look: |evidence| is_there(evidence, Probe::ResourceAnnounced),
    },
    Check {
        name: "resource.inserted_place",
        severity: Severity::Advice,
        promise: "It is at the place with the server's path inserted",
        finding: "The place with the server's path inserted holds no resource metadata",
        consequence: "clients that miss the header (browsers without CORS for it, proxies that drop it) find nothing",
        fix: "serve it at /.well-known/oauth-protected-resource<path of the server>",
        section: "RFC 9728 §3.1",
        look: |evidence| is_there(evidence, Probe::ResourceInserted),
    },
    Check {
        name: "resource.root_place",
        severity: Severity::Advice,
        promise: "It is at the root too",
        finding: "The root holds no resource metadata",
        consequence: "clients that only know the root place find nothing",
        fix: "serve the same document at /.well-known/oauth-protected-resource, if the origin has one MCP server",
        section: "MCP authorization, Protected Resource Metadata Discovery",
        look: |evidence| is_there(evidence, Probe::ResourceRoot),
    },
    Check {
        name: "resource.same_everywhere",
        severity: Severity::Warning,
        promise: "The places say the same",
        finding: "Two places say different things about the resource",
        consequence: "two clients sign in to two different resources, and one of them gets tokens that fail",
        fix: "serve one document from one handler",
        section: "RFC 9728 §3.3",
        look: says_the_same,
    },
    Check {
        name: "resource.available",
        severity: Severity::Error,
        promise: "No place answers 429 or 5xx",
        finding: "A place of the resource metadata answers 429 or 5xx",
        consequence: "every client tried (7 of 7) gives up or takes the server for an old one",
        fix: "exempt the metadata from rate limits and serve it without a database",
        section: "RFC 9728 §3.2",
        look: |evidence| available(evidence, &PLACES),
    },
    Check {
        name: "resource.no_null",
        severity: Severity::Error,
        promise: "It has no null members",
        finding: "The resource metadata has a null member",
        consequence: "TypeScript SDK 1 and 2, mcp-remote and Inspector refuse the whole document",
        fix: "leave absent members out",
        section: "RFC 9728 §3.2",
        look: |evidence| no_null(evidence, &PLACES),
    },
    Check {
        name: "resource.types",
        severity: Severity::Error,
        promise: "Every member has its type",
        finding: "A member of the resource metadata has the wrong type",
        consequence: "clients that check types refuse the whole document; others overlook the member",
        fix: "write each member with the type that the section names",
        section: "RFC 9728 §2",
        look: |evidence| have_their_types(evidence, &PLACES, RESOURCE),
    },
    Check {
        name: "resource.origin",
        severity: Severity::Error,
        promise: "resource is on the origin that was called",
        finding: "The resource is on another origin than the one that was called",
        consequence: "every client tried (7 of 7) refuses, as with localhost for 127.0.0.1",
        fix: "set `resource` to the address that people type",
        section: "RFC 9728 §3.3",
        look: |evidence| {
            let resource = identifier(evidence)?;
            let origin = Url::parse(resource).map(|url| url.origin());
            ensure(origin.is_ok_and(|origin| origin == evidence.server.origin()), || {
                found(evidence)
            })
        },
    },
    Check {
        name: "resource.trailing_slash",
        severity: Severity::Error,
        promise: "resource ends as the address does, in a slash or without one",
        finding: "The resource and the address differ by a slash at the end",
        consequence: "TypeScript SDK 1 and 2, mcp-remote, Inspector and rmcp refuse /mcp/ for /mcp",
        fix: "print the identifier as it was configured; URL libraries add slashes",
        section: "RFC 9728 §3.3",
        look: |evidence| {
            let resource = identifier(evidence)?;
            let server = evidence.server.as_str();
            let differs = resource != server
                && resource.trim_end_matches('/') == server.trim_end_matches('/')
                && evidence.server.path() != "/";
            ensure(!differs, || found(evidence))
        },
    },
    Check {
        name: "resource.exact",
        severity: Severity::Warning,
        promise: "resource is the address that was called",
        finding: "The resource is not the address that was called",
        consequence: "VS Code and Gemini CLI compare for equality and refuse the bare origin",
        fix: "set `resource` to the full address, path included",
        section: "RFC 9728 §3.3; RFC 8707 §2",
        look: |evidence| {
            let resource = identifier(evidence)?;
            let server = evidence.server.as_str();
            let same = resource.trim_end_matches('/') == server.trim_end_matches('/');
            let elsewhere =
                Url::parse(resource).map_or(true, |url| url.origin() != evidence.server.origin());
            // Another check says that already.
            if elsewhere {
                return not_asked("resource is on another origin");
            }
            ensure(same, || found(evidence))
        },
    },
    Check {
        name: "resource.authorization_servers",
        severity: Severity::Error,
        promise: "It names an authorization server",
        finding: "The resource names no authorization server",
        consequence: "clients of the newer revisions have nowhere to sign in; claude.ai uses the first and no other",
        fix: "add `authorization_servers: [\"<issuer>\"]`",
        section: "MCP authorization, Authorization Server Location",
        look: |evidence| {
            let servers = evidence.resource_list("authorization_servers")?;
            ensure(!servers.is_empty(), || "no authorization_servers".to_owned())
        },
    },
    Check {
        name: "resource.scopes",
        severity: Severity::Advice,
        promise: "It lists its basic scopes",
        finding: "The resource does not list its basic scopes",
        consequence: "mcp-remote falls back to openid email profile, Cursor to whatever the authorization server lists",
        fix: "add `scopes_supported` with the scopes that a first sign-in needs",
        section: "RFC 9728 §2; MCP authorization, Scope Selection Strategy",
        look: |evidence| {
            let scopes = evidence.resource_list("scopes_supported")?;
            ensure(!scopes.is_empty(), || "no scopes_supported".to_owned())
        },
    },
    Check {
        name: "resource.offline_access",
        severity: Severity::Warning,
        promise: "offline_access is not among them",
        finding: "The resource asks for offline_access",
        consequence: "clients ask for it with every call; refresh tokens are not the business of the resource",
        fix: "take offline_access out of scopes_supported and of the challenge",
        section: "MCP authorization, Refresh Tokens",
        look: |evidence| {
            let scopes = evidence.resource_list("scopes_supported")?;
            ensure(!scopes.contains(&"offline_access"), || scopes.join(" "))
        },
    },
    Check {
        name: "resource.bearer_methods",
        severity: Severity::Warning,
        promise: "Tokens do not go in addresses",
        finding: "The resource takes tokens in addresses",
        consequence: "a token in an address ends up in logs and histories; MCP forbids it",
        fix: "set `bearer_methods_supported: [\"header\"]`",
        section: "RFC 6750 §2; MCP authorization, Token Requirements",
        look: |evidence| {
            let methods = evidence.resource_list("bearer_methods_supported")?;
            ensure(!methods.contains(&"query"), || methods.join(" "))
        },
    },
];

/// The document is at `probe`. Other checks say if it is nowhere, or if the place redirects.
fn is_there(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    evidence.resource()?;
    if answer.status.is_redirection() {
        return not_asked(&format!("{} redirects", answer.url));
    }
    ensure(answer.is_document(), || {
        if answer.status.is_success() {
            format!("{} is not a JSON object", answer.url)
        } else {
            format!("{} answered {}", answer.url, answer.status.as_u16())
        }
    })
}

fn identifier(evidence: &Evidence) -> Result<&str, Objection> {
    let members = evidence.resource()?;
    match text(members, "resource") {
        Some(resource) => Ok(resource),
        None if members.contains_key("resource") => not_asked("`resource` is not a text"),
        None => Err(Objection::Found("there is no member `resource`".to_owned())),
    }
}

fn found(evidence: &Evidence) -> String {
    let resource = identifier(evidence).unwrap_or_default();
    format!("{resource} for {}", evidence.server)
}

/// Places that describe one resource say the same. The root may describe another one, as where
/// several servers share a host.
fn says_the_same(evidence: &Evidence) -> Judged {
    let mut documents = evidence.answers_to(&PLACES).filter(|answer| answer.is_document());
    let Some(first) = documents.next() else {
        return not_asked("there is no protected resource metadata");
    };
    let different = documents
        .find(|other| other.json != first.json && other.text("resource") == first.text("resource"));
    ensure_none(different.map(|other| format!("{} and {}", first.url, other.url)))
}

/// There is a document at one of `places`.
pub(super) fn is_found(evidence: &Evidence, places: &[Probe]) -> Judged {
    let found = evidence.first_document(places).is_some();
    if !found && available(evidence, places).is_err() {
        return not_asked("the places are not available");
    }
    ensure(found, || format!("tried {}", evidence.tried(places)))
}

/// No place that a client comes to before it has a document answers 429 or 5xx.
pub(super) fn available(evidence: &Evidence, places: &[Probe]) -> Judged {
    let reached = evidence.reached(places);
    if reached.is_empty() {
        return not_asked("there was nothing to ask");
    }
    let mut reached = reached.into_iter();
    let trouble = reached.find(|one| one.status.is_server_error() || one.status == 429);
    ensure_none(trouble.map(|one| format!("{} answered {}", one.url, one.status.as_u16())))
}

/// No document at `places` has a `null` member.
pub(super) fn no_null(evidence: &Evidence, places: &[Probe]) -> Judged {
    let documents = evidence.answers_to(places).filter(|answer| answer.object().is_some());
    let mut documents = documents.peekable();
    if documents.peek().is_none() {
        return not_asked("there is no document");
    }
    ensure_none(documents.find_map(|document| {
        Some(format!("`{}` is null at {}", document.null_member()?, document.url))
    }))
}
