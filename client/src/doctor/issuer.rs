//! Checks of the issuer, which every document and response must spell alike (RFC 8414 §3.3,
//! RFC 9207).

use url::Url;

use super::{
    Check, Severity,
    evidence::{Evidence, Judged, ensure, not_asked, text},
    requests::SERVER_PLACES,
};
use crate::http::is_secure;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "issuer.expected",
        severity: Severity::Error,
        promise: "The resource names the authorization server that was expected",
        finding: "The resource names another authorization server than was expected",
        consequence: "people sign in at a place that someone else may run, who gets their consent and their tokens",
        fix: "find out who changed authorization_servers, or expect the new one",
        section: "RFC 9728 §7.4; RFC 9700 §4.4",
        look: |evidence| {
            let Some(expected) = &evidence.expected_issuer else {
                return not_asked("no issuer was expected; add --expect-issuer");
            };
            let announced = evidence.announced_issuer()?;
            let is_same = announced.trim_end_matches('/') == expected.trim_end_matches('/');
            ensure(is_same, || format!("{announced} instead of {expected}"))
        },
    },
    Check {
        name: "issuer.well_formed",
        severity: Severity::Error,
        promise: "The issuer is an https address without query and fragment",
        finding: "The issuer is not an https address without query and fragment",
        consequence: "clients refuse to send anyone there",
        fix: "use https (http only on this machine), and no `?` or `#`",
        section: "RFC 8414 §2",
        look: |evidence| {
            let issuer = evidence.announced_issuer()?;
            let good = Url::parse(issuer).is_ok_and(|url| {
                is_secure(&url) && url.query().is_none() && url.fragment().is_none()
            });
            ensure(good, || issuer.to_owned())
        },
    },
    Check {
        name: "issuer.announced_slash",
        severity: Severity::Error,
        promise: "authorization_servers does not end in a slash that the issuer lacks",
        finding: "authorization_servers ends in a slash that the issuer lacks",
        consequence: "Python SDK and FastMCP refuse: they compare byte for byte",
        fix: "take the slash off in authorization_servers; URL libraries add it",
        section: "RFC 8414 §3.3",
        look: |evidence| {
            issuers_fit(evidence, |announced, issuer| announced != format!("{issuer}/"))
        },
    },
    Check {
        name: "issuer.own_slash",
        severity: Severity::Error,
        promise: "The issuer does not end in a slash that authorization_servers lacks",
        finding: "The issuer ends in a slash that authorization_servers lacks",
        consequence: "TypeScript SDK 2, mcp-remote, Inspector, Python SDK and FastMCP refuse",
        fix: "take the slash off in `issuer`; URL libraries add it",
        section: "RFC 8414 §3.3",
        look: |evidence| {
            issuers_fit(evidence, |announced, issuer| issuer != format!("{announced}/"))
        },
    },
    Check {
        name: "issuer.same",
        severity: Severity::Error,
        promise: "The metadata is about the issuer that the resource names",
        finding: "The metadata is about another issuer than the resource names",
        consequence: "every client that compares refuses: it looks like another server's document",
        fix: "make authorization_servers[0] and `issuer` the same bytes",
        section: "RFC 8414 §3.3",
        look: |evidence| {
            issuers_fit(evidence, |announced, issuer| {
                announced.trim_end_matches('/') == issuer.trim_end_matches('/')
            })
        },
    },
    Check {
        name: "issuer.no_trailing_slash",
        severity: Severity::Advice,
        promise: "The issuer ends without a slash",
        finding: "The issuer ends in a slash",
        consequence: "some client or proxy on the way drops it, and five of seven clients then refuse",
        fix: "choose an issuer without a trailing slash",
        section: "RFC 8414 §2",
        look: |evidence| {
            let announced = evidence.announced_issuer()?;
            let issuer = evidence.issuer()?;
            if announced != issuer {
                return not_asked("the issuer is named in two ways");
            }
            ensure(!issuer.ends_with('/'), || issuer.to_owned())
        },
    },
    Check {
        name: "issuer.same_everywhere",
        severity: Severity::Error,
        promise: "Every metadata document names the same issuer",
        finding: "Two metadata documents name different issuers",
        consequence: "which document a client reads decides whether its sign-in works",
        fix: "serve one document from both well-known places",
        section: "RFC 8414 §3",
        look: same_everywhere,
    },
];

/// The issuer as the resource announces it and as the metadata names it fit together.
fn issuers_fit(evidence: &Evidence, fit: fn(&str, &str) -> bool) -> Judged {
    let announced = evidence.announced_issuer()?;
    let issuer = evidence.issuer()?;
    ensure(fit(announced, issuer), || {
        format!("authorization_servers says {announced}, issuer says {issuer}")
    })
}

fn same_everywhere(evidence: &Evidence) -> Judged {
    let documents = evidence.answers_to(&SERVER_PLACES).filter(|one| one.is_document());
    let issuers: Vec<_> =
        documents.filter_map(|document| text(document.object()?, "issuer")).collect();
    match issuers.as_slice() {
        [oauth, openid] => ensure(oauth == openid, || format!("{oauth} and {openid}")),
        _ => not_asked("there is one document only"),
    }
}
