//! Checks of what the authorization server says about itself (RFC 8414 §2).

use url::Url;

use super::{
    Check, Severity,
    evidence::{Evidence, Judged, Objection, Probe, ensure, ensure_none, not_asked, texts},
    member_types::{SERVER, have_their_types},
    requests::SERVER_PLACES as PLACES,
    resource::{available, is_found, no_null},
};
use crate::http::is_secure;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "server.reachable",
        severity: Severity::Error,
        promise: "The authorization server that the resource names answers",
        finding: "The authorization server does not answer",
        consequence: "no client can sign in",
        fix: "start the authorization server, or name the address at which clients reach it in authorization_servers",
        section: "MCP authorization, Authorization Server Metadata Discovery",
        look: is_reachable,
    },
    Check {
        name: "server.found",
        severity: Severity::Error,
        promise: "There is authorization server metadata",
        finding: "The authorization server publishes no metadata",
        consequence: "no client of a newer revision can go on",
        fix: "serve it at /.well-known/oauth-authorization-server, before the path of the issuer",
        section: "RFC 8414 §3; MCP authorization, Authorization Server Metadata Discovery",
        look: |evidence| {
            evidence.announced_issuer()?;
            if evidence.answers_to(&PLACES).next().is_none() {
                return not_asked("the authorization server gave no usable answer");
            }
            is_found(evidence, &PLACES)
        },
    },
    Check {
        name: "server.oauth_place",
        severity: Severity::Advice,
        promise: "It is at the place of RFC 8414",
        finding: "The authorization server metadata is not at the place of RFC 8414",
        consequence: "clients that know OAuth but not OpenID Connect find nothing",
        fix: "serve the document at /.well-known/oauth-authorization-server too",
        section: "RFC 8414 §3",
        look: |evidence| is_there(evidence, Probe::ServerOauth),
    },
    Check {
        name: "server.openid_place",
        severity: Severity::Advice,
        promise: "It is at the place of OpenID Connect too",
        finding: "The authorization server metadata is not at the place of OpenID Connect",
        consequence: "libraries made for OpenID Connect find nothing",
        fix: "serve the same document at /.well-known/openid-configuration",
        section: "OpenID Connect Discovery §4",
        look: |evidence| is_there(evidence, Probe::ServerOpenid),
    },
    Check {
        name: "server.available",
        severity: Severity::Error,
        promise: "No place answers 429 or 5xx",
        finding: "A place of the authorization server metadata answers 429 or 5xx",
        consequence: "clients stop there, or take the server for one of the first revision",
        fix: "exempt the metadata from rate limits and serve it without a database",
        section: "RFC 8414 §3.2",
        look: |evidence| available(evidence, &PLACES),
    },
    Check {
        name: "server.no_null",
        severity: Severity::Error,
        promise: "It has no null members",
        finding: "The authorization server metadata has a null member",
        consequence: "TypeScript SDK 1 and 2, mcp-remote and Inspector refuse the whole document",
        fix: "leave absent members out",
        section: "RFC 8414 §3.2",
        look: |evidence| no_null(evidence, &PLACES),
    },
    Check {
        name: "server.types",
        severity: Severity::Error,
        promise: "Every member has its type",
        finding: "A member of the authorization server metadata has the wrong type",
        consequence: "clients that check types refuse the whole document; others overlook the member",
        fix: "write each member with the type that the section names",
        section: "RFC 8414 §2; OpenID Connect Discovery §3",
        look: |evidence| have_their_types(evidence, &PLACES, SERVER),
    },
    Check {
        name: "server.endpoints",
        severity: Severity::Error,
        promise: "It names its authorization and token endpoints",
        finding: "The metadata does not name the authorization and token endpoints",
        consequence: "no client can begin, or end, a sign-in",
        fix: "add authorization_endpoint and token_endpoint",
        section: "RFC 8414 §2",
        look: |evidence| {
            let metadata = evidence.authorization_server()?;
            let mut needed = ["authorization_endpoint", "token_endpoint"].iter();
            let missing = needed.find(|name| !metadata.contains_key(**name));
            ensure_none(missing.map(|name| format!("no {name}")))
        },
    },
    Check {
        name: "server.secure_endpoints",
        severity: Severity::Error,
        promise: "Every endpoint is https, or on this machine",
        finding: "An endpoint is plain http on another machine",
        consequence: "careful clients send nothing there; careless ones send codes and tokens in the clear",
        fix: "print https addresses; behind a proxy, configure the public one",
        section: "OAuth 2.1 §1.5",
        look: secure_endpoints,
    },
    Check {
        name: "server.pkce",
        severity: Severity::Error,
        promise: "It supports PKCE with S256 and says so",
        finding: "The metadata does not say that PKCE with S256 is supported",
        consequence: "clients MUST refuse a server that does not say so, and the SDKs do",
        fix: "add `code_challenge_methods_supported: [\"S256\"]`",
        section: "MCP authorization, Authorization Code Protection; RFC 7636 §4.2",
        look: |evidence| {
            let methods = evidence.server_list("code_challenge_methods_supported")?;
            ensure(methods.contains(&"S256"), || {
                listed("code_challenge_methods_supported", &methods)
            })
        },
    },
    Check {
        name: "server.no_plain",
        severity: Severity::Advice,
        promise: "It does not offer PKCE plain",
        finding: "The server offers PKCE plain",
        consequence: "a client that is downgraded to it reveals its verifier to the browser",
        fix: "offer S256 only",
        section: "OAuth 2.1 §7.5.1; RFC 9700 §2.1.1",
        look: |evidence| lists_none(evidence, "code_challenge_methods_supported", "plain"),
    },
    Check {
        name: "server.code",
        severity: Severity::Error,
        promise: "It serves the response type code",
        finding: "The server does not offer the response type code",
        consequence: "no MCP client can sign in without codes",
        fix: "add `response_types_supported: [\"code\"]`",
        section: "RFC 8414 §2",
        look: |evidence| {
            let types = evidence.server_list("response_types_supported")?;
            ensure(types.contains(&"code"), || listed("response_types_supported", &types))
        },
    },
    Check {
        name: "server.no_implicit",
        severity: Severity::Warning,
        promise: "It offers neither implicit nor password grants",
        finding: "The server offers the implicit or the password grant",
        consequence: "tokens travel in addresses, or passwords through clients",
        fix: "take types with token from response_types_supported, and password from grant_types_supported",
        section: "RFC 9700 §2.1.2 and §2.4",
        look: |evidence| {
            lists_none(evidence, "grant_types_supported", "password")?;
            // The grant named implicit may bring identity tokens alone, which does no harm.
            let mut types = evidence.server_list("response_types_supported")?.into_iter();
            let found = types.find(|kind| kind.split_whitespace().any(|part| part == "token"));
            ensure_none(found.map(|kind| format!("response_types_supported lists {kind}")))
        },
    },
    Check {
        name: "server.refresh_tokens",
        severity: Severity::Advice,
        promise: "It serves refresh tokens",
        finding: "The server does not offer refresh tokens",
        consequence: "people sign in again whenever an access token expires",
        fix: "add refresh_token to grant_types_supported, and issue refresh tokens",
        section: "RFC 8414 §2; MCP authorization, Refresh Tokens",
        look: |evidence| {
            let grants = texts(evidence.authorization_server()?, "grant_types_supported")?;
            // Few servers that issue refresh tokens rely on the default, which has none.
            let Some(grants) = grants else { return not_asked("it lists no grant types") };
            ensure(grants.contains(&"refresh_token"), || listed("grant_types_supported", &grants))
        },
    },
    Check {
        name: "server.public_clients",
        severity: Severity::Error,
        promise: "Clients without a secret may use the token endpoint, or get one when they register",
        finding: "A client without a secret cannot use the token endpoint",
        consequence: "clients that are known by a metadata document have no secret and cannot sign in; claude.ai does not even try",
        fix: "add \"none\" to token_endpoint_auth_methods_supported",
        section: "RFC 8414 §2; MCP authorization, Client ID Metadata Documents",
        look: takes_public_clients,
    },
    Check {
        name: "server.iss",
        severity: Severity::Advice,
        promise: "It promises iss in its answers",
        finding: "The server does not promise iss in its answers",
        consequence: "clients of several servers cannot tell who answered (mix-up); ChatGPT asks for it",
        fix: "send iss with every answer and set authorization_response_iss_parameter_supported",
        section: "RFC 9207 §3",
        look: |evidence| {
            let promised = evidence.promises("authorization_response_iss_parameter_supported")?;
            ensure(promised, || "it does not say so".to_owned())
        },
    },
    Check {
        name: "server.endpoint_origin",
        severity: Severity::Warning,
        promise: "The authorization endpoint is on the issuer's origin, or iss is promised",
        finding: "The authorization endpoint is on another origin than the issuer, and iss is not promised",
        consequence: "Codex 0.150 and newer stops before it opens the browser, because anyone could have sent the answer",
        fix: "send iss with every answer and set authorization_response_iss_parameter_supported, or serve both from one origin",
        section: "RFC 9207 §2.4; RFC 9700 §4.4",
        look: has_one_origin_or_iss,
    },
    Check {
        name: "server.identity",
        severity: Severity::Warning,
        promise: "A client it has never met can introduce itself",
        finding: "A client that the server has never met cannot introduce itself",
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
        finding: "The server takes no client metadata documents",
        consequence: "clients register again at every connection; Claude Code and VS Code prefer documents",
        fix: "fetch client_id addresses and set client_id_metadata_document_supported",
        section: "MCP authorization, Client ID Metadata Documents",
        look: |evidence| ensure(takes_documents(evidence)?, || "it does not say so".to_owned()),
    },
    Check {
        name: "server.registration",
        severity: Severity::Advice,
        promise: "It offers registration",
        finding: "The server offers no registration",
        consequence: "Cursor, FastMCP and every older client know no other way in",
        fix: "serve RFC 7591 and name registration_endpoint",
        section: "RFC 7591 §3; MCP authorization, Dynamic Client Registration",
        look: |evidence| offers(evidence, "registration_endpoint"),
    },
    Check {
        name: "server.revocation",
        severity: Severity::Advice,
        promise: "It offers revocation",
        finding: "The server offers no revocation",
        consequence: "a user who signs out leaves live tokens on the server",
        fix: "serve RFC 7009 and name revocation_endpoint",
        section: "RFC 7009 §2",
        look: |evidence| offers(evidence, "revocation_endpoint"),
    },
    Check {
        name: "server.scopes",
        severity: Severity::Advice,
        promise: "It lists the scopes that the resource asks for",
        finding: "The server does not list the scopes that the resource asks for",
        consequence: "people who read the list miss them, and some clients ask for nothing else",
        fix: "add the scopes of the resource to scopes_supported",
        section: "RFC 8414 §2",
        look: knows_the_scopes,
    },
    Check {
        name: "server.offline_access",
        severity: Severity::Advice,
        promise: "offline_access is not advertised",
        finding: "The server advertises offline_access",
        consequence: "TypeScript and Python clients add it and prompt=consent: every sign-in asks again",
        fix: "give refresh tokens to clients that registered the grant, and do not list offline_access",
        section: "OpenID Connect Core §11",
        look: |evidence| {
            let scopes = evidence.server_list("scopes_supported")?;
            ensure(!scopes.contains(&"offline_access"), || "scopes_supported lists it".to_owned())
        },
    },
];

/// A server answers at one of the well-known places.
fn is_reachable(evidence: &Evidence) -> Judged {
    let issuer = evidence.announced_issuer()?;
    if !Url::parse(issuer).is_ok_and(|issuer| is_secure(&issuer)) {
        return not_asked("the issuer is not an address that clients send anything to");
    }
    let answers = PLACES.iter().filter_map(|probe| evidence.answers.get(probe));
    let mut reasons = answers.map(|answer| answer.as_ref().err());
    match reasons.next() {
        Some(Some(reason)) if reasons.all(|reason| reason.is_some()) => {
            Err(Objection::Found(reason.clone()))
        }
        Some(_) => Ok(()),
        None => not_asked("there was nothing to ask"),
    }
}

fn has_one_origin_or_iss(evidence: &Evidence) -> Judged {
    let Some(endpoint) = evidence.endpoint("authorization_endpoint") else {
        return not_asked("the metadata names no authorization_endpoint");
    };
    let Ok(issuer) = Url::parse(evidence.issuer()?) else {
        return not_asked("the issuer is not an address");
    };
    if evidence.promises("authorization_response_iss_parameter_supported")? {
        return Ok(());
    }
    ensure(endpoint.origin() == issuer.origin(), || format!("{endpoint} for {issuer}"))
}

/// The document is at `probe`. Another check says if it is nowhere.
fn is_there(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    evidence.authorization_server()?;
    if answer.status.is_redirection() {
        return not_asked(&format!("{} redirects", answer.url));
    }
    ensure(answer.is_document(), || format!("{} answered {}", answer.url, answer.status.as_u16()))
}

fn offers(evidence: &Evidence, endpoint: &str) -> Judged {
    evidence.authorization_server()?;
    ensure(evidence.endpoint(endpoint).is_some(), || format!("no {endpoint}"))
}

fn listed(member: &str, values: &[&str]) -> String {
    if values.is_empty() {
        format!("no {member}")
    } else {
        format!("{member}: {}", values.join(" "))
    }
}

/// A client that is known by its metadata document has no secret, and one that registers may get
/// one. Where no methods are listed, the registration shows what holds.
fn takes_public_clients(evidence: &Evidence) -> Judged {
    let methods = evidence.server_list("token_endpoint_auth_methods_supported")?;
    if methods.contains(&"none") {
        return Ok(());
    }
    if takes_documents(evidence)? {
        let found = listed("token_endpoint_auth_methods_supported", &methods);
        return Err(Objection::Found(found));
    }
    if evidence.client.is_some() {
        return Ok(());
    }
    not_asked("no client could be registered")
}

fn lists_none(evidence: &Evidence, member: &str, unwanted: &str) -> Judged {
    let is_listed = evidence.server_list(member)?.contains(&unwanted);
    ensure(!is_listed, || format!("{member} lists {unwanted}"))
}

fn secure_endpoints(evidence: &Evidence) -> Judged {
    let metadata = evidence.authorization_server()?;
    let endpoints =
        metadata.iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
    let bad = endpoints
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        // The check of types finds values that are not addresses.
        .find(|(_, address)| Url::parse(address).is_ok_and(|url| !is_secure(&url)));
    ensure_none(bad.map(|(name, address)| format!("{name} is {address}")))
}

fn takes_documents(evidence: &Evidence) -> Result<bool, Objection> {
    evidence.promises("client_id_metadata_document_supported")
}

fn knows_the_scopes(evidence: &Evidence) -> Judged {
    let wanted = evidence.resource_list("scopes_supported")?;
    let Some(known) = texts(evidence.authorization_server()?, "scopes_supported")? else {
        return not_asked("the authorization server lists no scopes");
    };
    let unknown: Vec<_> = wanted.into_iter().filter(|scope| !known.contains(scope)).collect();
    ensure(unknown.is_empty(), || format!("{} is not listed", unknown.join(" ")))
}
