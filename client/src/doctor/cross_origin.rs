//! Checks of what stands between: browsers, caches, proxies, TLS and clocks.

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{
    Check, Severity,
    evidence::{Evidence, Exchange, Judged, Probe, ensure, not_asked},
    probe::BROWSER_ORIGIN,
};
use crate::fetch::is_loopback;

/// Clocks this far apart make fresh tokens look unripe or stale.
const LARGEST_SKEW: i64 = 60;
const DOCUMENTS: [Probe; 5] = [
    Probe::ResourceAnnounced,
    Probe::ResourceInserted,
    Probe::ResourceRoot,
    Probe::ServerOauth,
    Probe::ServerOpenid,
];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "tls.used",
        severity: Severity::Error,
        promise: "The server is called by https with a certificate that is trusted, or is on this machine",
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
        promise: "Its clock agrees with this machine's to a minute",
        consequence: "tokens look expired, or not valid yet, to whoever verifies them",
        fix: "synchronise the clocks (NTP) of the authorization server and of this machine",
        section: "RFC 7519 §4.1.4; RFC 9110 §6.6.1",
        look: clock_skew,
    },
    Check {
        name: "redirects.none",
        severity: Severity::Warning,
        promise: "The metadata is served without redirects",
        consequence: "careful clients follow none, so that nobody sends them elsewhere",
        fix: "serve the documents where they are asked for",
        section: "RFC 9728 §7.7; RFC 8414 §6.2",
        look: |evidence| {
            let answers = DOCUMENTS.iter().filter_map(|probe| evidence.answer(*probe).ok());
            let redirect = answers.into_iter().find(|answer| answer.status.is_redirection());
            ensure(redirect.is_none(), || {
                redirect.map(|answer| answer.url.to_string()).unwrap_or_default()
            })
        },
    },
    Check {
        name: "cors.mcp",
        severity: Severity::Warning,
        promise: "Pages may call the MCP endpoint: its preflight needs no token and allows the headers",
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
        severity: Severity::Warning,
        promise: "Pages may read the resource metadata",
        consequence: "web clients cannot discover the authorization server",
        fix: "send Access-Control-Allow-Origin: * with the document",
        section: "RFC 9728 §3.1",
        look: |evidence| readable(evidence, &DOCUMENTS[..3]),
    },
    Check {
        name: "cors.server",
        severity: Severity::Warning,
        promise: "Pages may read the authorization server metadata",
        consequence: "web clients cannot find the endpoints",
        fix: "send Access-Control-Allow-Origin: * with the document",
        section: "RFC 8414 §3.1",
        look: |evidence| readable(evidence, &DOCUMENTS[3..]),
    },
    Check {
        name: "cors.register",
        severity: Severity::Warning,
        promise: "Pages may register",
        consequence: "web clients cannot introduce themselves",
        fix: "allow POST with content-type from any origin, without credentials",
        section: "RFC 7591 §3",
        look: |evidence| preflight(evidence, Probe::RegisterPreflight, &["content-type"]),
    },
    Check {
        name: "cors.token",
        severity: Severity::Warning,
        promise: "Pages may ask for tokens",
        consequence: "web clients come back with a code that they cannot use",
        fix: "allow POST with authorization and content-type from any origin, without credentials",
        section: "OAuth 2.1 §3.2",
        look: |evidence| {
            preflight(evidence, Probe::TokenPreflight, &["authorization", "content-type"])
        },
    },
    Check {
        name: "cors.authorize",
        severity: Severity::Warning,
        promise: "Pages may not read the authorization endpoint",
        consequence: "another site can look at what a signed-in person would see",
        fix: "send no CORS headers from the authorization endpoint",
        section: "RFC 9700 §2.6",
        look: |evidence| {
            let header = evidence
                .answer(Probe::AuthorizeUnknownClient)?
                .header("access-control-allow-origin");
            ensure(header.is_none(), || header.unwrap_or_default())
        },
    },
    Check {
        name: "cors.exposed",
        severity: Severity::Advice,
        promise: "Pages see the challenge",
        consequence: "web clients cannot read resource_metadata and scope from the 401",
        fix: "send Access-Control-Expose-Headers: WWW-Authenticate, Mcp-Session-Id",
        section: "Fetch standard, CORS protocol",
        look: exposes_challenge,
    },
    Check {
        name: "cache.metadata",
        severity: Severity::Advice,
        promise: "The metadata may be cached for a while",
        consequence: "every sign-in fetches everything again",
        fix: "send Cache-Control: public, max-age=300",
        section: "RFC 9111 §5.2.2.1; RFC 8414 §3.2",
        look: |evidence| {
            let Some(document) = evidence.first_document(&DOCUMENTS[3..]) else {
                return not_asked("there is no document");
            };
            ensure(document.max_age().is_some_and(|age| age > 0), || {
                document.header("cache-control").unwrap_or_else(|| "no Cache-Control".to_owned())
            })
        },
    },
];

fn clock_skew(evidence: &Evidence) -> Judged {
    let places = [Probe::TokenUnknownClient, Probe::ServerOauth, Probe::Post];
    let dates = places.iter().filter_map(|probe| evidence.answer(*probe).ok()?.header("date"));
    let Some(date) = dates.into_iter().next() else { return not_asked("it sends no Date") };
    // The form of HTTP is that of mail with GMT for the zone.
    let Ok(said) = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822) else {
        return not_asked("its Date cannot be read");
    };
    let skew = said.unix_timestamp() - evidence.now;
    ensure(skew.abs() <= LARGEST_SKEW, || format!("{skew} s apart"))
}

fn allows_origin(answer: &Exchange) -> bool {
    let origin = answer.header("access-control-allow-origin");
    origin.is_some_and(|origin| origin == "*" || origin == BROWSER_ORIGIN)
}

fn readable(evidence: &Evidence, places: &[Probe]) -> Judged {
    let Some(document) = evidence.first_document(places) else {
        return not_asked("there is no document");
    };
    ensure(allows_origin(document), || {
        format!("no Access-Control-Allow-Origin at {}", document.url)
    })
}

fn preflight(evidence: &Evidence, probe: Probe, headers: &[&str]) -> Judged {
    let answer = evidence.answer(probe)?;
    ensure(answer.status.is_success(), || format!("OPTIONS answered {}", answer.status.as_u16()))?;
    ensure(allows_origin(answer), || "no Access-Control-Allow-Origin".to_owned())?;
    let allowed = answer.header("access-control-allow-headers").unwrap_or_default();
    let allowed = allowed.to_ascii_lowercase();
    let allowed: Vec<_> = allowed.split(',').map(str::trim).collect();
    let missing = headers.iter().find(|name| !allowed.contains(*name));
    ensure(missing.is_none(), || format!("{} is not allowed", missing.unwrap_or(&"")))
}

fn exposes_challenge(evidence: &Evidence) -> Judged {
    preflight(evidence, Probe::McpPreflight, &[])
        .or_else(|_| not_asked("pages may not call it"))?;
    // Answers expose headers only when a page asks, and browsers ask in the first call too.
    let answer = evidence.answer(Probe::Discover)?;
    let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
    let names = exposed.to_ascii_lowercase();
    ensure(names.contains("www-authenticate") || names.trim() == "*", || match exposed.is_empty() {
        true => "no Access-Control-Expose-Headers".to_owned(),
        false => exposed,
    })
}
