//! Which tokens are verified, and how often.

use std::sync::atomic::AtomicI64;

use axum::http::{HeaderMap, Uri, header::AUTHORIZATION};
use keys::{Algorithm, KeySet, SigningKey, TokenType};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_000_000;
const ISSUER: &str = "https://auth.test";
const RESOURCE: &str = "https://mcp.test/mcp";

/// Two issuers. The first publishes the key; their URLs do not answer.
fn issuers(key: &SigningKey) -> Issuers {
    let clock = Clock::manual(Arc::new(AtomicI64::new(NOW)));
    let issuer = |name: &str| {
        let audiences = vec![RESOURCE.into()];
        let verifier = Verifier::new(name, audiences).with_groups_claim("groups");
        Issuer::new(verifier, Revocations::Off, clock.clone()).unwrap()
    };
    let others = vec![issuer("http://127.0.0.1:1")];
    let issuers = Issuers::new(issuer(ISSUER), others, ScopeHierarchy::default());
    publish(&issuers, key);
    issuers
}

fn publish(issuers: &Issuers, key: &SigningKey) {
    let set = KeySet::new(vec![key.public_jwk().clone()]);
    issuers.first.keys.replace(PublishedKeys::from(&set));
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

fn token(key: &SigningKey, change: impl FnOnce(&mut Value)) -> HeaderMap {
    let mut claims = json!({"iss": ISSUER, "sub": "nick", "aud": RESOURCE, "client_id": "c",
        "exp": NOW + 600, "iat": NOW, "jti": "1"});
    change(&mut claims);
    bearer(&key.sign(TokenType::AccessToken, &claims).unwrap())
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

fn read(headers: &HeaderMap) -> BearerToken<'_> {
    BearerToken::from_request(headers, &Uri::from_static("/mcp")).unwrap().1
}

async fn verify(issuers: &Issuers, headers: &HeaderMap, now: i64) -> Result<String, Refusal> {
    let (token, _) = issuers.verify(read(headers), now).await?;
    Ok(token.caller.subject.clone())
}

/// The same token with another signature.
fn forged(headers: &HeaderMap, other: &HeaderMap) -> HeaderMap {
    let (signed, _) = read(headers).expose().rsplit_once('.').unwrap();
    let (_, signature) = read(other).expose().rsplit_once('.').unwrap();
    bearer(&format!("{signed}.{signature}"))
}

#[tokio::test]
async fn the_signature_of_a_token_is_verified_once_under_one_key_set() {
    let key = key();
    let issuers = issuers(&key);
    let good = token(&key, |_| ());
    assert_eq!(verify(&issuers, &good, NOW).await.as_deref(), Ok("nick"));
    // Remembered as verified, a forged token shows whether its signature is verified again.
    let forged = forged(&good, &token(&key, |claims| claims["sub"] = json!("eve")));
    let known = issuers.verified.get(&sha256(read(&good).expose())).unwrap();
    let keys = issuers.first.keys.holding(key.kid()).await.unwrap();
    issuers.verified.insert(sha256(read(&forged).expose()), 1, known.token, keys);
    assert_eq!(verify(&issuers, &forged, NOW).await.as_deref(), Ok("nick"));
    publish(&issuers, &key);
    let refused = Err(Refusal::Token(VerifyError::BadSignature));
    assert_eq!(verify(&issuers, &forged, NOW).await, refused);
    assert_eq!(verify(&issuers, &good, NOW).await.as_deref(), Ok("nick"));
}

#[tokio::test]
async fn a_token_that_was_refused_is_not_remembered() {
    let key = key();
    let issuers = issuers(&key);
    let good = token(&key, |_| ());
    let forged = forged(&good, &token(&key, |claims| claims["sub"] = json!("eve")));
    for _ in 0..2 {
        let refused = Err(Refusal::Token(VerifyError::BadSignature));
        assert_eq!(verify(&issuers, &forged, NOW).await, refused);
        assert!(issuers.verified.get(&sha256(read(&forged).expose())).is_none());
    }
}

#[tokio::test]
async fn a_remembered_token_expires() {
    let key = key();
    let issuers = issuers(&key);
    let good = token(&key, |_| ());
    assert!(verify(&issuers, &good, NOW).await.is_ok());
    let expired = Err(Refusal::Token(VerifyError::Expired));
    assert_eq!(verify(&issuers, &good, NOW + 605).await, expired);
}

#[tokio::test]
async fn a_token_whose_claims_are_refused_needs_no_keys() {
    let key = key();
    let issuers = issuers(&key);
    let second = |change: fn(&mut Value)| {
        token(&key, |claims| {
            claims["iss"] = json!("http://127.0.0.1:1");
            change(claims);
        })
    };
    // The second issuer cannot be reached, so a token that needs its keys has to wait.
    assert_eq!(verify(&issuers, &second(|_| ()), NOW).await, Err(Refusal::NoKeys));
    for (headers, error) in [
        (second(|claims| claims["exp"] = json!(NOW - 60)), VerifyError::Expired),
        (second(|claims| claims["iat"] = json!(NOW + 60)), VerifyError::NotYetValid),
        (second(|claims| claims["aud"] = json!("https://a.test")), VerifyError::WrongAudience),
        (second(|claims| claims["jti"] = json!("")), VerifyError::BadClaims),
        (token(&key, |claims| claims["iss"] = json!("https://a.test")), VerifyError::WrongIssuer),
    ] {
        assert_eq!(verify(&issuers, &headers, NOW).await, Err(Refusal::Token(error)));
    }
}
