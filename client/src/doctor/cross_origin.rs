//! Checks for browsers, caches, proxies, TLS and clocks.

use net::loopback::is_loopback;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Probe, ensure, ensure_none, not_asked},
    requests::{BROWSER_ORIGIN, RESOURCE_PLACES, SERVER_PLACES},
};

/// Clocks this far apart make fresh tokens look unripe or stale.
const MAX_SKEW: i64 = 60;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "tls.used",
        severity: Severity::Error,
        promise: "The server is called over https with a trusted certificate, or is on this machine",
        finding: "The server is called over plain http",
        consequence: "tokens travel in the clear; clients refuse the address",
        fix: "serve https with a certificate of a public authority",
        section: "OAuth 2.1 §1.5; RFC 6750 §5.3",
        // The first request went through, so the certificate was good.
        look: |evidence| {
            let good = evidence.server.scheme() == "https" || is_loopback(&evidence.server);
            ensure(good, || evidence.server.to_string())
        },
    },
    Check {
        name: "clock.skew",
        severity: Severity::Warning,
        promise: "Its clock and this machine's differ by a minute at most",
        finding: "The server's clock and this machine's differ by more than a minute",
        consequence: "verifiers take fresh tokens for expired, or for not valid yet",
        fix: "synchronise the clocks (NTP) of the authorization server and of this machine",
        section: "RFC 7519 §4.1.4; RFC 9110 §6.6.1",
        look: clock_skew,
    },
    Check {
        name: "redirects.none",
        severity: Severity::Warning,
        promise: "The metadata is served without redirects",
        finding: "The metadata is behind a redirect",
        consequence: "careful clients follow none, because a redirect could lead them to another server",
        fix: "serve the documents where they are asked for",
        section: "RFC 9728 §7.7; RFC 8414 §6.2",
        look: |evidence| {
            let mut answers = evidence.reached(&RESOURCE_PLACES);
            answers.extend(evidence.reached(&SERVER_PLACES));
            let redirect = answers.into_iter().find(|answer| answer.status.is_redirection());
            ensure_none(redirect.map(|answer| answer.url.to_string()))
        },
    },
    Check {
        name: "cors.mcp",
        severity: Severity::Advice,
        promise: "Pages may call the MCP endpoint: its preflight needs no token and allows the headers",
        finding: "Web pages may not call the MCP endpoint",
        consequence: "Inspector in the browser and every web client fails before it sends anything",
        fix: "answer OPTIONS without a token; allow authorization, content-type, mcp-protocol-version and mcp-session-id",
        section: "MCP transports, Streamable HTTP; Fetch standard, CORS protocol",
        look: |evidence| {
            preflight(
                evidence,
                Probe::McpPreflight,
                &["authorization", "content-type", "mcp-protocol-version", "mcp-session-id"],
            )
        },
    },
    Check {
        name: "cors.resource",
        severity: Severity::Advice,
        promise: "Pages may read the resource metadata",
        finding: "Web pages may not read the resource metadata",
        consequence: "web clients cannot discover the authorization server",
        fix: "send Access-Control-Allow-Origin: * with the document",
        section: "RFC 9728 §3.1",
        look: |evidence| readable(evidence, Probe::ResourceCrossOrigin),
    },
    Check {
        name: "cors.server",
        severity: Severity::Advice,
        promise: "Pages may read the authorization server metadata",
        finding: "Web pages may not read the authorization server metadata",
        consequence: "web clients cannot find the endpoints",
        fix: "send Access-Control-Allow-Origin: * with the document",
        section: "RFC 8414 §3.1",
        look: |evidence| readable(evidence, Probe::ServerCrossOrigin),
    },
    Check {
        name: "cors.register",
        severity: Severity::Advice,
        promise: "Pages may register",
        finding: "Web pages may not register a client",
        consequence: "web clients cannot introduce themselves",
        fix: "allow POST with content-type from any origin, without credentials",
        section: "RFC 7591 §3",
        look: |evidence| {
            if evidence.client.is_none() {
                return not_asked("no client could be registered");
            }
            preflight(evidence, Probe::RegisterPreflight, &["content-type"])
        },
    },
    Check {
        name: "cors.token",
        severity: Severity::Advice,
        promise: "Pages may ask for tokens",
        finding: "Web pages may not ask for tokens",
        consequence: "web clients come back with a code that they cannot use",
        fix: "send Access-Control-Allow-Origin with every answer of the token endpoint",
        section: "OAuth 2.1 §3.2; Fetch standard, CORS protocol",
        // A public client sends a plain form, so browsers ask nothing beforehand.
        look: |evidence| {
            super::token::exists(evidence)?;
            let answer = evidence.answer(Probe::TokenCrossOrigin)?;
            if allows_origin(answer) {
                return Ok(());
            }
            ensure(preflight(evidence, Probe::TokenPreflight, &[]).is_ok(), || {
                "no Access-Control-Allow-Origin".to_owned()
            })
        },
    },
    Check {
        name: "cors.authorization_named",
        severity: Severity::Advice,
        promise: "Where pages may call the MCP endpoint, Authorization is allowed by its name",
        finding: "Web pages are allowed the Authorization header by `*` only",
        consequence: "the standard does not count Authorization in `*`: browsers warn, and may refuse",
        fix: "name authorization in Access-Control-Allow-Headers",
        section: "Fetch standard, CORS-preflight fetch",
        look: |evidence| {
            preflight(evidence, Probe::McpPreflight, &[])
                .or_else(|_| not_asked("pages may not call it"))?;
            let allowed = allowed_headers(evidence.answer(Probe::McpPreflight)?);
            let is_wild = allowed.iter().any(|name| name == "*");
            let is_named = allowed.iter().any(|name| name == "authorization");
            ensure(is_named || !is_wild, || "Access-Control-Allow-Headers: *".to_owned())
        },
    },
    Check {
        name: "cors.authorize",
        severity: Severity::Warning,
        promise: "Pages may not read the authorization endpoint",
        finding: "Web pages may read the authorization endpoint",
        consequence: "with credentials allowed too, another site could look at what a signed-in person sees",
        fix: "send no CORS headers from the authorization endpoint",
        section: "RFC 9700 §2.6",
        look: |evidence| {
            let answer = evidence.answer(Probe::AuthorizeCrossOrigin)?;
            ensure_none(answer.header("access-control-allow-origin"))
        },
    },
    Check {
        name: "cors.exposed",
        severity: Severity::Advice,
        promise: "Pages see the challenge",
        finding: "Web pages cannot see the challenge",
        consequence: "web clients cannot read resource_metadata and scope from the 401",
        fix: "send Access-Control-Expose-Headers: WWW-Authenticate, Mcp-Session-Id",
        section: "Fetch standard, CORS protocol",
        look: exposes_challenge,
    },
    Check {
        name: "cache.metadata",
        severity: Severity::Advice,
        promise: "The metadata may be cached for a while",
        finding: "The metadata does not say how long it may be cached",
        consequence: "every sign-in fetches everything again",
        fix: "send Cache-Control: public, max-age=300",
        section: "RFC 9111 §5.2.2.1; RFC 8414 §3.2",
        look: |evidence| {
            let Some(document) = evidence.first_document(&SERVER_PLACES) else {
                return not_asked("there is no document");
            };
            ensure(document.max_age().is_some_and(|age| age > 0), || {
                document.header("cache-control").unwrap_or_else(|| "no Cache-Control".to_owned())
            })
        },
    },
];

fn clock_skew(evidence: &Evidence) -> Judged {
    // No cache answers these, so that their Date is the time of the answer.
    let places = [Probe::TokenUnknownClient, Probe::Post];
    let mut answers = places.iter().filter_map(|probe| evidence.any_answer(*probe).ok());
    let dated = answers.find_map(|answer| Some((answer.header("date")?, answer.received_at)));
    let Some((date, received_at)) = dated else { return not_asked("it sends no Date") };
    // The form of HTTP is that of mail with GMT for the zone.
    let Ok(said) = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822) else {
        return not_asked("its Date cannot be read");
    };
    let skew = said.unix_timestamp() - received_at;
    ensure(skew.abs() <= MAX_SKEW, || format!("{skew} s apart"))
}

fn allows_origin(answer: &Exchange) -> bool {
    let origin = answer.header("access-control-allow-origin");
    origin.is_some_and(|origin| origin == "*" || origin == BROWSER_ORIGIN)
}

fn readable(evidence: &Evidence, probe: Probe) -> Judged {
    let answer = evidence.answer(probe)?;
    let place = &answer.url;
    ensure(answer.is_document(), || {
        format!("{place} answered {} to a page", answer.status.as_u16())
    })?;
    ensure(allows_origin(answer), || format!("no Access-Control-Allow-Origin at {place}"))
}

fn preflight(evidence: &Evidence, probe: Probe, headers: &[&str]) -> Judged {
    let answer = evidence.answer(probe)?;
    ensure(answer.status.is_success(), || format!("OPTIONS answered {}", answer.status.as_u16()))?;
    ensure(allows_origin(answer), || "no Access-Control-Allow-Origin".to_owned())?;
    let allowed = allowed_headers(answer);
    let missing = headers.iter().find(|name| !allowed.iter().any(|one| one == *name || one == "*"));
    ensure_none(missing.map(|name| format!("{name} is not allowed")))
}

fn allowed_headers(answer: &Exchange) -> Vec<String> {
    let allowed = answer.header("access-control-allow-headers").unwrap_or_default();
    allowed.split(',').map(|name| name.trim().to_ascii_lowercase()).collect()
}

fn exposes_challenge(evidence: &Evidence) -> Judged {
    preflight(evidence, Probe::McpPreflight, &[])
        .or_else(|_| not_asked("pages may not call it"))?;
    let answer = evidence.answer(Probe::McpCrossOrigin)?;
    let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
    let names = exposed.to_ascii_lowercase();
    ensure(names.contains("www-authenticate") || names.trim() == "*", || {
        if exposed.is_empty() { "no Access-Control-Expose-Headers".to_owned() } else { exposed }
    })
}
