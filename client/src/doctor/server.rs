//! Checks of what the authorization server says about itself (RFC 8414 §2).

use serde_json::Value;
use url::Url;

use super::{
    Check, Severity,
    evidence::{Evidence, Judged, Probe, ensure, not_asked, text, texts},
    resource::{available, no_null},
};
use crate::fetch::is_secure;

const PLACES: [Probe; 2] = [Probe::ServerOauth, Probe::ServerOpenid];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "server.found",
        severity: Severity::Error,
        promise: "There is authorization server metadata",
        consequence: "no client of a newer revision can go on",
        fix: "serve it at /.well-known/oauth-authorization-server, before the path of the issuer",
        section: "RFC 8414 §3; MCP authorization, Authorization Server Metadata Discovery",
        look: |evidence| {
            evidence.announced_issuer()?;
            let found = evidence.first_document(&PLACES).is_some();
            ensure(found, || "neither well-known place has a document".to_owned())
        },
    },
    Check {
        name: "server.oauth_place",
        severity: Severity::Warning,
        promise: "It is at the place of RFC 8414",
        consequence: "clients that know OAuth but not OpenID Connect find nothing",
        fix: "serve the document at /.well-known/oauth-authorization-server too",
        section: "RFC 8414 §3",
        look: |evidence| is_there(evidence, Probe::ServerOauth),
    },
    Check {
        name: "server.openid_place",
        severity: Severity::Advice,
        promise: "It is at the place of OpenID Connect too",
        consequence: "libraries made for OpenID Connect find nothing",
        fix: "serve the same document at /.well-known/openid-configuration",
        section: "OpenID Connect Discovery §4",
        look: |evidence| is_there(evidence, Probe::ServerOpenid),
    },
    Check {
        name: "server.available",
        severity: Severity::Error,
        promise: "No place answers 429 or 5xx",
        consequence: "clients stop there, or take the server for one of the first revision",
        fix: "exempt the metadata from rate limits and serve it without a database",
        section: "RFC 8414 §3.2",
        look: |evidence| available(evidence, &PLACES),
    },
    Check {
        name: "server.no_null",
        severity: Severity::Error,
        promise: "It has no null members",
        consequence: "TypeScript SDK 1 and 2, mcp-remote and Inspector refuse the whole document",
        fix: "leave absent members out",
        section: "RFC 8414 §3.2",
        look: |evidence| no_null(evidence, &PLACES),
    },
    Check {
        name: "server.endpoints",
        severity: Severity::Error,
        promise: "It names its authorization and token endpoints",
        consequence: "no client can begin, or end, a sign-in",
        fix: "add authorization_endpoint and token_endpoint",
        section: "RFC 8414 §2",
        look: |evidence| {
            let metadata = evidence.authorization_server()?;
            let missing = ["authorization_endpoint", "token_endpoint"];
            let missing = missing.into_iter().find(|name| text(metadata, name).is_none());
            ensure(missing.is_none(), || format!("no {}", missing.unwrap_or_default()))
        },
    },
    Check {
        name: "server.secure_endpoints",
        severity: Severity::Error,
        promise: "Every endpoint is https, or on this machine",
        consequence: "careful clients send nothing there; careless ones send codes and tokens in the clear",
        fix: "print https addresses; behind a proxy, configure the public one",
        section: "OAuth 2.1 §1.5",
        look: secure_endpoints,
    },
    Check {
        name: "server.pkce",
        severity: Severity::Error,
        promise: "It supports PKCE with S256 and says so",
        consequence: "clients MUST refuse a server that does not say so, and the SDKs do",
        fix: "add `code_challenge_methods_supported: [\"S256\"]`",
        section: "MCP authorization, Authorization Code Protection; RFC 7636 §4.2",
        look: |evidence| {
            let methods =
                texts(evidence.authorization_server()?, "code_challenge_methods_supported");
            let methods = methods.unwrap_or_default();
            ensure(methods.contains(&"S256"), || match methods.is_empty() {
                true => "no code_challenge_methods_supported".to_owned(),
                false => methods.join(" "),
            })
        },
    },
    Check {
        name: "server.no_plain",
        severity: Severity::Warning,
        promise: "It does not offer PKCE plain",
        consequence: "a client that is talked down to it shows its verifier to the browser",
        fix: "offer S256 only",
        section: "OAuth 2.1 §7.5.1; RFC 9700 §2.1.1",
        look: |evidence| lists_none(evidence, "code_challenge_methods_supported", &["plain"]),
    },
    Check {
        name: "server.code",
        severity: Severity::Error,
        promise: "It serves the response type code",
        consequence: "no MCP client can sign in without codes",
        fix: "add `response_types_supported: [\"code\"]`",
        section: "RFC 8414 §2",
        look: |evidence| {
            let types = texts(evidence.authorization_server()?, "response_types_supported");
            let types = types.unwrap_or_default();
            ensure(types.contains(&"code"), || types.join(" "))
        },
    },
    Check {
        name: "server.no_implicit",
        severity: Severity::Warning,
        promise: "It offers neither implicit nor password grants",
        consequence: "tokens travel in addresses, or passwords through clients",
        fix: "take token from response_types_supported, implicit and password from grant_types_supported",
        section: "RFC 9700 §2.1.2 and §2.4",
        look: |evidence| {
            lists_none(evidence, "grant_types_supported", &["implicit", "password"])?;
            lists_none(evidence, "response_types_supported", &["token", "id_token token"])
        },
    },
    Check {
        name: "server.refresh_tokens",
        severity: Severity::Warning,
        promise: "It serves refresh tokens",
        consequence: "people sign in again whenever an access token expires",
        fix: "add refresh_token to grant_types_supported, and issue refresh tokens",
        section: "RFC 8414 §2; MCP authorization, Refresh Tokens",
        look: |evidence| {
            let grants = texts(evidence.authorization_server()?, "grant_types_supported");
            let grants = grants.unwrap_or_default();
            ensure(grants.contains(&"refresh_token"), || match grants.is_empty() {
                true => "no grant_types_supported".to_owned(),
                false => grants.join(" "),
            })
        },
    },
    Check {
        name: "server.public_clients",
        severity: Severity::Error,
        promise: "Public clients may use the token endpoint, and it says so",
        consequence: "claude.ai uses no metadata document without it; clients fall back to client_secret_basic and fail",
        fix: "add \"none\" to token_endpoint_auth_methods_supported",
        section: "RFC 8414 §2; RFC 7591 §2",
        look: |evidence| {
            let metadata = evidence.authorization_server()?;
            let methods = texts(metadata, "token_endpoint_auth_methods_supported");
            let methods = methods.unwrap_or_default();
            ensure(methods.contains(&"none"), || match methods.is_empty() {
                true => "no token_endpoint_auth_methods_supported".to_owned(),
                false => methods.join(" "),
            })
        },
    },
    Check {
        name: "server.iss",
        severity: Severity::Warning,
        promise: "It promises iss in its answers",
        consequence: "clients of several servers cannot tell who answered (mix-up); ChatGPT asks for it",
        fix: "send iss with every answer and set authorization_response_iss_parameter_supported",
        section: "RFC 9207 §3",
        look: |evidence| {
            let promised = evidence
                .authorization_server()?
                .get("authorization_response_iss_parameter_supported");
            ensure(promised == Some(&Value::Bool(true)), || "it does not say so".to_owned())
        },
    },
    Check {
        name: "server.identity",
        severity: Severity::Error,
        promise: "A client it has never met can introduce itself",
        consequence: "only clients that an operator entered beforehand can sign in",
        fix: "serve metadata documents (client_id_metadata_document_supported) or registration",
        section: "MCP authorization, Client Registration Approaches",
        look: |evidence| {
            let known =
                takes_documents(evidence)? || evidence.endpoint("registration_endpoint").is_some();
            ensure(known, || "neither metadata documents nor registration".to_owned())
        },
    },
    Check {
        name: "server.metadata_documents",
        severity: Severity::Advice,
        promise: "It takes client metadata documents",
        consequence: "clients register anew at every connection; Claude Code and VS Code prefer documents",
        fix: "fetch client_id addresses and set client_id_metadata_document_supported",
        section: "MCP authorization, Client ID Metadata Documents",
        look: |evidence| ensure(takes_documents(evidence)?, || "it does not say so".to_owned()),
    },
    Check {
        name: "server.registration",
        severity: Severity::Warning,
        promise: "It offers registration",
        consequence: "Cursor, FastMCP and every older client know no other way in",
        fix: "serve RFC 7591 and name registration_endpoint",
        section: "RFC 7591 §3; MCP authorization, Dynamic Client Registration",
        look: |evidence| {
            evidence.authorization_server()?;
            let offered = evidence.endpoint("registration_endpoint").is_some();
            ensure(offered, || "no registration_endpoint".to_owned())
        },
    },
    Check {
        name: "server.revocation",
        severity: Severity::Advice,
        promise: "It offers revocation",
        consequence: "who signs out keeps live tokens on the server",
        fix: "serve RFC 7009 and name revocation_endpoint",
        section: "RFC 7009 §2",
        look: |evidence| {
            evidence.authorization_server()?;
            let offered = evidence.endpoint("revocation_endpoint").is_some();
            ensure(offered, || "no revocation_endpoint".to_owned())
        },
    },
    Check {
        name: "server.scopes",
        severity: Severity::Warning,
        promise: "It knows the scopes that the resource asks for",
        consequence: "clients that ask for what the resource lists are told invalid_scope",
        fix: "add the scopes of the resource to scopes_supported",
        section: "RFC 8414 §2",
        look: knows_the_scopes,
    },
    Check {
        name: "server.offline_access",
        severity: Severity::Advice,
        promise: "offline_access is not advertised",
        consequence: "TypeScript and Python clients add it and prompt=consent: every sign-in asks again",
        fix: "give refresh tokens to clients that registered the grant, and do not list offline_access",
        section: "OpenID Connect Core §11",
        look: |evidence| {
            let scopes = texts(evidence.authorization_server()?, "scopes_supported");
            let listed = scopes.unwrap_or_default().contains(&"offline_access");
            ensure(!listed, || "scopes_supported lists it".to_owned())
        },
    },
];

fn is_there(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    ensure(answer.is_document(), || format!("{} answered {}", answer.url, answer.status.as_u16()))
}

fn lists_none(evidence: &Evidence, member: &str, unwanted: &[&str]) -> Judged {
    let listed = texts(evidence.authorization_server()?, member).unwrap_or_default();
    let found = listed.into_iter().find(|name| unwanted.contains(name));
    ensure(found.is_none(), || format!("{member} lists {}", found.unwrap_or_default()))
}

fn secure_endpoints(evidence: &Evidence) -> Judged {
    let metadata = evidence.authorization_server()?;
    let endpoints =
        metadata.iter().filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"));
    let bad = endpoints
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .find(|(_, address)| Url::parse(address).map_or(true, |url| !is_secure(&url)));
    ensure(bad.is_none(), || {
        bad.map(|(name, address)| format!("{name} is {address}")).unwrap_or_default()
    })
}

fn takes_documents(evidence: &Evidence) -> Result<bool, super::evidence::Objection> {
    let metadata = evidence.authorization_server()?;
    Ok(metadata.get("client_id_metadata_document_supported") == Some(&Value::Bool(true)))
}

fn knows_the_scopes(evidence: &Evidence) -> Judged {
    let wanted = texts(evidence.resource()?, "scopes_supported").unwrap_or_default();
    let Some(known) = texts(evidence.authorization_server()?, "scopes_supported") else {
        return not_asked("the authorization server lists no scopes");
    };
    let unknown: Vec<_> = wanted.into_iter().filter(|scope| !known.contains(scope)).collect();
    ensure(unknown.is_empty(), || format!("{} is not listed", unknown.join(" ")))
}
