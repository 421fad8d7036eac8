//! Checks of the audience of access tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use url::Url;

use super::{exchanged, is_token};
use crate::doctor::{
    evidence::{Evidence, Exchange, Judged, Probe, ensure, not_asked, text},
    requests::FOREIGN_RESOURCE,
};

/// The token is for this resource and from this issuer. An audience that is not an address may be a
/// name for this resource alone, so nothing is known of it.
pub(super) fn audience(evidence: &Evidence) -> Judged {
    let Some(claims) = claims(exchanged(evidence)?) else {
        return not_asked("the token is opaque");
    };
    let resource = text(evidence.resource()?, "resource").unwrap_or_default();
    let audiences = audiences(&claims);
    let shown = claims.get("aud").map_or("no aud".to_owned(), |aud| format!("aud is {aud}"));
    ensure(!audiences.is_empty(), || shown.clone())?;
    if !audiences.iter().any(|audience| is_here(audience, resource)) {
        let names_address = audiences
            .iter()
            .any(|audience| Url::parse(audience).is_ok_and(|url| url.scheme().starts_with("http")));
        ensure(!names_address, || shown.clone())?;
        return not_asked(&format!("{shown}, which may be a name for this resource"));
    }
    match claims.get("iss").and_then(Value::as_str) {
        Some(issuer) => ensure(issuer == evidence.issuer()?, || format!("iss is {issuer}")),
        None => Ok(()),
    }
}

/// No token for another resource came of the refresh that asked for one. A server may overlook the
/// wish and issue a token for the granted resource.
pub(super) fn foreign_resource(evidence: &Evidence) -> Judged {
    let answer = evidence.answer(Probe::RefreshForeignResource)?;
    if is_token(answer).is_err() {
        // A grant that has ended refuses everything.
        if answer.text("error") == Some("invalid_grant") {
            return not_asked("the refresh token was refused for itself");
        }
        return Ok(());
    }
    let Some(claims) = claims(answer) else {
        return not_asked("an opaque token came, which does not show whom it is for");
    };
    let is_foreign = audiences(&claims).iter().any(|one| is_same(one, FOREIGN_RESOURCE));
    ensure(!is_foreign, || format!("a token for {FOREIGN_RESOURCE}"))
}

/// A token for another resource does not open this one.
pub(super) fn foreign_token(evidence: &Evidence) -> Judged {
    let brought = evidence.answer(Probe::RefreshForeignResource)?;
    let claims = claims(brought).unwrap_or_default();
    if !audiences(&claims).iter().any(|one| is_same(one, FOREIGN_RESOURCE)) {
        return not_asked("no token for another resource could be had");
    }
    let answer = evidence.answer(Probe::CallWithForeignToken)?;
    ensure(!answer.status.is_success(), || format!("the token for {FOREIGN_RESOURCE} opens it"))
}

/// The access token with another claim, and its claims without a signature, if it is a JWT
/// (RFC 8725 §2.1).
pub(super) fn forged(answer: &Exchange) -> Option<[String; 2]> {
    let token = answer.text("access_token")?;
    let mut parts = token.split('.');
    let header = parts.next()?;
    let signature = parts.nth(1)?;
    let mut claims = claims(answer)?;
    let unsigned = part(&json!({"alg": "none", "typ": "at+jwt"}));
    let unsigned = format!("{unsigned}.{}.", part(&Value::Object(claims.clone())));
    claims.insert("portcullis_doctor".to_owned(), true.into());
    Some([format!("{header}.{}.{signature}", part(&Value::Object(claims))), unsigned])
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// Whether `audience` is the resource or its whole origin, which belongs to it alone.
fn is_here(audience: &str, resource: &str) -> bool {
    let origin = |address: &str| Url::parse(address).ok().map(|url| url.origin());
    audience == resource || origin(audience).is_some_and(|one| Some(one) == origin(resource))
}

/// Addresses that differ by a slash at the end mean the same to verifiers.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// The claims of the access token, if it is a JWT.
fn claims(answer: &Exchange) -> Option<Map<String, Value>> {
    let part = answer.text("access_token")?.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}
