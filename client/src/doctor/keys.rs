//! Checks of the public keys (RFC 7517, RFC 8725).

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::Value;

use super::{
    Check, Severity,
    evidence::{Evidence, Judged, Objection, Probe, ensure, ensure_none, not_asked, text},
    member_types::{KEY, judge_members, wrong_members},
};

/// RFC 7518 §3.3: a key of 2048 bits or larger.
const MIN_MODULUS_BYTES: usize = 256;
const MIN_MAX_AGE: u64 = 60;
const MAX_MAX_AGE: u64 = 24 * 60 * 60;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "keys.readable",
        severity: Severity::Error,
        promise: "jwks_uri answers with keys",
        finding: "jwks_uri does not answer with keys",
        consequence: "no resource server can verify a token: every call after the sign-in fails",
        fix: "serve the key set as JSON at jwks_uri, without authentication",
        section: "RFC 7517 §5; RFC 8414 §2",
        look: |evidence| {
            evidence.usable_endpoint("jwks_uri")?;
            evidence.is_answered(Probe::Keys)?;
            let answer = evidence.answer(Probe::Keys)?;
            let keys = answer.json.as_ref().and_then(|json| json.get("keys")?.as_array());
            let good = answer.status == StatusCode::OK && keys.is_some_and(|keys| !keys.is_empty());
            ensure(good, || {
                format!("{} answered {} without keys", answer.url, answer.status.as_u16())
            })
        },
    },
    Check {
        name: "keys.public",
        severity: Severity::Error,
        promise: "No private or shared key is published",
        finding: "A private or shared key is published",
        consequence: "anyone who reads the page can make tokens for any user",
        fix: "publish kty, kid, alg, use and the public members only; replace the key at once",
        section: "RFC 7517 §9.2",
        look: |evidence| {
            let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
            let mut keys = keys(evidence)?.iter();
            let found = keys.find(|key| private.iter().any(|member| key.get(member).is_some()));
            ensure_none(found.map(name))
        },
    },
    Check {
        name: "keys.named",
        severity: Severity::Error,
        promise: "Keys can be told apart by their kid",
        finding: "The keys cannot be told apart by their kid",
        consequence: "after a rotation, verifiers take the wrong key or fetch the set for every token",
        fix: "give each key a kid, and the same in the header of its tokens",
        section: "RFC 7517 §4.5; RFC 9068 §2.1",
        look: are_told_apart,
    },
    Check {
        name: "keys.types",
        severity: Severity::Error,
        promise: "Every member of a key has its type",
        finding: "A member of a key has the wrong type",
        consequence: "libraries refuse the key, or the whole set",
        fix: "write each member with the type that the section names",
        section: "RFC 7517 §4; RFC 7518 §6",
        look: |evidence| {
            let keys = keys(evidence)?.iter();
            let wrong = keys.flat_map(|key| match key.as_object() {
                Some(members) => wrong_members(members, KEY),
                None => vec![format!("a key is {key}, not an object")],
            });
            judge_members(wrong.collect())
        },
    },
    Check {
        name: "keys.alg",
        severity: Severity::Advice,
        promise: "Every key names its algorithm",
        finding: "A key does not name its algorithm",
        consequence: "verifiers that choose by alg pass the key over, and the others must guess",
        fix: "add alg, such as ES256, to each key",
        section: "RFC 7517 §4.4; RFC 8725 §3.1",
        look: |evidence| {
            let mut keys = keys(evidence)?.iter();
            let found = keys.find(|key| key.get("alg").is_none_or(Value::is_null));
            ensure_none(found.map(|key| format!("{} has no alg", name(key))))
        },
    },
    Check {
        name: "keys.algorithms",
        severity: Severity::Error,
        promise: "The keys are for signatures with a public half",
        finding: "The key set holds keys that are not for signatures with a public half",
        consequence: "verifiers with an allow-list refuse the tokens; shared keys let verifiers forge them",
        fix: "sign with ES256, EdDSA or RS256, and set alg and use: sig",
        section: "RFC 8725 §3.1; RFC 9068 §2.1",
        look: |evidence| {
            let found = keys(evidence)?.iter().find(|key| {
                let text = |member: &str| key.get(member).and_then(Value::as_str);
                let algorithm = text("alg").unwrap_or("ES256");
                text("kty") == Some("oct") || algorithm == "none" || algorithm.starts_with("HS")
            });
            ensure_none(found.map(name))
        },
    },
    Check {
        name: "keys.strength",
        severity: Severity::Error,
        promise: "RSA keys have 2048 bits or more",
        finding: "An RSA key has fewer than 2048 bits",
        consequence: "cryptographic libraries refuse shorter ones, rightly",
        fix: "make a key of 2048 bits or more, or use ES256",
        section: "RFC 7518 §3.3",
        look: |evidence| {
            let found = keys(evidence)?.iter().find(|key| {
                let modulus = key.get("n").and_then(Value::as_str);
                let bytes = modulus.and_then(|modulus| URL_SAFE_NO_PAD.decode(modulus).ok());
                key.get("kty").and_then(Value::as_str) == Some("RSA")
                    && bytes.is_some_and(|bytes| bytes.len() < MIN_MODULUS_BYTES)
            });
            ensure_none(found.map(name))
        },
    },
    Check {
        name: "keys.freshness",
        severity: Severity::Advice,
        promise: "The key set says how long it is fresh, a minute to a day",
        finding: "The key set does not say how long it is fresh, a minute to a day",
        consequence: "verifiers ask for every token, or miss a rotation",
        fix: "send Cache-Control: public, max-age=3600, and publish a key that long before it signs",
        section: "RFC 9111 §5.2.2.1",
        look: |evidence| {
            keys(evidence)?;
            let age = evidence.answer(Probe::Keys)?.max_age();
            let good = age.is_some_and(|age| (MIN_MAX_AGE..=MAX_MAX_AGE).contains(&age));
            ensure(good, || age.map_or("no max-age".to_owned(), |age| format!("max-age={age}")))
        },
    },
];

/// Several keys have kids, and no two keys for one algorithm have the same.
fn are_told_apart(evidence: &Evidence) -> Judged {
    let keys = keys(evidence)?;
    let member = |key: &Value, name: &str| key.get(name).map(Value::to_string);
    let names: Vec<_> = keys.iter().filter_map(|key| member(key, "kid")).collect();
    if keys.len() > 1 {
        ensure(names.len() == keys.len(), || {
            format!("{} keys, {} with a kid", keys.len(), names.len())
        })?;
    }
    let kinds: BTreeSet<_> = keys
        .iter()
        .map(|key| (member(key, "kid"), member(key, "kty"), member(key, "alg")))
        .collect();
    ensure(kinds.len() == keys.len(), || {
        format!("{} keys, {} different kids", keys.len(), kinds.len())
    })
}

fn keys(evidence: &Evidence) -> Result<&Vec<Value>, Objection> {
    evidence.usable_endpoint("jwks_uri")?;
    let json = evidence.answer(Probe::Keys)?.json.as_ref();
    match json.and_then(|json| json.get("keys")?.as_array()) {
        Some(keys) => Ok(keys),
        None => not_asked("there are no keys"),
    }
}

fn name(key: &Value) -> String {
    let named = key.as_object().and_then(|members| text(members, "kid"));
    format!("the key {}", named.unwrap_or("without a kid"))
}
