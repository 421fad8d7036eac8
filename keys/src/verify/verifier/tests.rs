//! Which access tokens are accepted, as RFC 9068 has them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::{
    Algorithm, Audience, KeySet, SigningKey, TokenType, UNENFORCED_CLAIMS,
    verify::jws::MAX_TOKEN_LENGTH,
};

const NOW: i64 = 1_000_000;

fn valid_claims() -> AccessTokenClaims {
    AccessTokenClaims {
        iss: "http://localhost:3000".into(),
        sub: "nick".into(),
        aud: Audience::One("http://localhost:3001/mcp".into()),
        client_id: "c".into(),
        scope: "mcp:tools profile".into(),
        exp: NOW + 600,
        iat: NOW,
        nbf: None,
        jti: "1".into(),
        auth_time: Some(NOW),
        acr: None,
        cnf: None,
        act: None,
        name: Some("Nick Lucas".into()),
        preferred_username: None,
        picture: None,
        email: None,
        email_verified: None,
        groups: Vec::new(),
    }
}

fn verifier() -> Verifier {
    Verifier::new("http://localhost:3000", vec!["http://localhost:3001/mcp".into()])
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

fn set(key: &SigningKey) -> KeySet {
    KeySet::new(vec![key.public_jwk().clone()])
}

fn published(key: &SigningKey) -> PublishedKeys {
    PublishedKeys::from(&set(key))
}

fn judged(change: impl FnOnce(&mut AccessTokenClaims)) -> Result<(), VerifyError> {
    let key = key();
    let mut claims = valid_claims();
    change(&mut claims);
    let token = key.sign(TokenType::AccessToken, &claims).unwrap();
    verifier().verify(&token, &published(&key), NOW).map(|_| ())
}

#[test]
fn every_algorithm_signs_what_it_verifies_after_a_round_trip_through_json() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::shared(algorithm);
        let key = SigningKey::from_json(key.private_jwk().as_bytes()).unwrap();
        let set = serde_json::to_vec(&set(&key)).unwrap();
        let token = key.sign(TokenType::AccessToken, &valid_claims()).unwrap();
        let claims = verifier().verify(&token, &PublishedKeys::from_json(&set).unwrap(), NOW);
        assert_eq!(claims.unwrap(), valid_claims());
    }
}

#[test]
fn the_published_set_holds_no_private_member() {
    let set = serde_json::to_value(set(&key())).unwrap();
    assert_eq!(set["keys"][0].get("d"), None);
    assert_eq!(set["keys"][0]["use"], "sig");
}

#[test]
fn each_claim_is_checked() {
    assert_eq!(judged(|_| ()), Ok(()));
    assert_eq!(judged(|c| c.iss.push('/')), Err(VerifyError::WrongIssuer));
    assert_eq!(judged(|c| c.sub.clear()), Err(VerifyError::BadClaims));
    assert_eq!(judged(|c| c.client_id.clear()), Err(VerifyError::BadClaims));
    assert_eq!(judged(|c| c.jti.clear()), Err(VerifyError::BadClaims));
    assert_eq!(
        judged(|c| c.aud = Audience::Many(vec!["http://localhost:3001".into()])),
        Err(VerifyError::WrongAudience)
    );
    assert_eq!(judged(|c| c.exp = NOW - 5), Err(VerifyError::Expired));
    assert_eq!(judged(|c| c.exp = NOW - 4), Ok(()));
    assert_eq!(judged(|c| c.iat = NOW + 6), Err(VerifyError::NotYetValid));
    assert_eq!(judged(|c| c.nbf = Some(NOW + 6)), Err(VerifyError::NotYetValid));
    assert_eq!(judged(|c| c.exp = NOW + 86_400), Ok(()));
    assert_eq!(judged(|c| c.exp = NOW + 86_401), Err(VerifyError::TooLongLived));
    assert_eq!(judged(|c| c.exp = i64::MAX), Err(VerifyError::TooLongLived));
    assert_eq!(judged(|c| c.iat = i64::MIN), Err(VerifyError::TooLongLived));
}

#[test]
fn times_may_have_fractions_and_a_profile_of_a_wrong_type_ends_nothing() {
    let key = key();
    let with = |name: &str, value: Value| {
        let mut claims = serde_json::to_value(valid_claims()).unwrap();
        claims[name] = value;
        let token = key.sign(TokenType::AccessToken, &claims).unwrap();
        verifier().verify(&token, &published(&key), NOW)
    };
    for name in ["exp", "iat", "nbf", "auth_time"] {
        assert!(with(name, json!(NOW as f64 + 0.75)).is_ok(), "{name}");
        assert_eq!(with(name, json!("soon")), Err(VerifyError::BadClaims), "{name}");
    }
    assert_eq!(with("exp", json!(NOW as f64 + 600.75)).unwrap().exp, NOW + 600);
    assert_eq!(with("exp", json!(NOW as f64 - 5.5)), Err(VerifyError::Expired));
    for name in ["name", "preferred_username", "picture", "email", "email_verified", "acr"] {
        assert!(with(name, json!([7])).is_ok(), "{name}");
    }
    // What narrows the token must be understood.
    for (name, value) in [("cnf", json!({"x5t#S256": "a"})), ("cnf", json!(7)), ("act", json!("a"))]
    {
        assert_eq!(with(name, value), Err(VerifyError::BadClaims), "{name}");
    }
}

#[test]
fn groups_come_from_the_claim_that_the_verifier_is_told_and_no_other() {
    let key = key();
    let mut claims = serde_json::to_value(valid_claims()).unwrap();
    claims["roles"] = json!(["admin"]);
    claims["groups"] = json!(["staff"]);
    let token = key.sign(TokenType::AccessToken, &claims).unwrap();
    let read = |verifier: Verifier| verifier.verify(&token, &published(&key), NOW).unwrap();
    assert!(read(verifier()).groups.is_empty());
    assert_eq!(read(verifier().with_groups_claim("groups")).groups, ["staff"]);
    assert_eq!(read(verifier().with_groups_claim("roles")).groups, ["admin"]);
}

#[test]
fn a_token_with_a_restriction_that_is_not_enforced_is_refused() {
    let key = key();
    let verdict = |name: &str, value: Value| {
        let mut claims = serde_json::to_value(valid_claims()).unwrap();
        claims[name] = value;
        let token = key.sign(TokenType::AccessToken, &claims).unwrap();
        verifier().verify(&token, &published(&key), NOW).map(|_| ())
    };
    for name in UNENFORCED_CLAIMS {
        for value in [json!({"sub": "x"}), json!([]), json!("acme"), Value::Null] {
            assert_eq!(verdict(name, value), Err(VerifyError::Restricted), "{name}");
        }
    }
    for cnf in [
        json!({"jkt": "k", "x5t#S256": "t"}),
        json!({"x5t#S256": "t"}),
        json!({"jwk": {"kty": "EC"}}),
        json!({}),
        json!("k"),
    ] {
        assert_eq!(verdict("cnf", cnf.clone()), Err(VerifyError::BadClaims), "{cnf}");
    }
    assert_eq!(verdict("cnf", json!({"jkt": "k"})), Ok(()));
    assert_eq!(verdict("session_state", json!("x")), Ok(()));
}

#[test]
fn a_token_for_others_too_is_refused_unless_they_are_its_issuer() {
    let for_these = |others: &[&str]| {
        let own = ["http://localhost:3001/mcp"].iter();
        let names = own.chain(others).map(|name| (*name).to_owned()).collect();
        judged(|claims| claims.aud = Audience::Many(names))
    };
    assert_eq!(for_these(&[]), Ok(()));
    assert_eq!(for_these(&["http://localhost:3000/userinfo"]), Ok(()));
    for other in ["https://evil.test", "http://localhost:3000/mcp", "http://localhost:3001", ""] {
        assert_eq!(for_these(&[other]), Err(VerifyError::WrongAudience), "{other}");
    }
}

#[test]
fn a_key_for_encryption_verifies_nothing() {
    let key = key();
    let mut published = key.public_jwk().clone();
    published.usage = "enc".into();
    let token = key.sign(TokenType::AccessToken, &valid_claims()).unwrap();
    let result = verifier().verify(&token, &(&KeySet::new(vec![published])).into(), NOW);
    assert_eq!(result, Err(VerifyError::UnknownKey));
}

#[test]
fn an_id_token_is_not_an_access_token() {
    let key = key();
    let token = key.sign(TokenType::IdToken, &valid_claims()).unwrap();
    let result = verifier().verify(&token, &published(&key), NOW);
    assert_eq!(result, Err(VerifyError::WrongType));
}

#[test]
fn a_key_of_the_same_name_but_other_material_does_not_verify() {
    let (signing, other) = (key(), key());
    let mut impostor = other.public_jwk().clone();
    impostor.kid = signing.kid().into();
    let token = signing.sign(TokenType::AccessToken, &valid_claims()).unwrap();
    let result = verifier().verify(&token, &(&KeySet::new(vec![impostor])).into(), NOW);
    assert_eq!(result, Err(VerifyError::BadSignature));
    let result = verifier().verify(&token, &published(&other), NOW);
    assert_eq!(result, Err(VerifyError::UnknownKey));
}

#[test]
fn a_forged_token_is_refused_by_its_claims_first_and_never_accepted() {
    let (key, other) = (key(), key());
    let forged = |change: fn(&mut AccessTokenClaims)| {
        let mut claims = valid_claims();
        change(&mut claims);
        let token = key.sign(TokenType::AccessToken, &claims).unwrap();
        let stranger = other.sign(TokenType::AccessToken, &claims).unwrap();
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = stranger.rsplit_once('.').unwrap();
        verifier().verify(&format!("{signed}.{signature}"), &published(&key), NOW)
    };
    assert_eq!(forged(|_| ()), Err(VerifyError::BadSignature));
    assert_eq!(forged(|c| c.iss.clear()), Err(VerifyError::WrongIssuer));
    assert_eq!(forged(|c| c.exp = NOW - 60), Err(VerifyError::Expired));
    assert_eq!(
        forged(|c| c.aud = Audience::One("https://a.test".into())),
        Err(VerifyError::WrongAudience)
    );
}

#[test]
fn a_rewritten_header_is_refused() {
    let key = key();
    let token = key.sign(TokenType::AccessToken, &valid_claims()).unwrap();
    let (_, rest) = token.split_once('.').unwrap();
    let with = |header: Value| {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        verifier().verify(&format!("{header}.{rest}"), &published(&key), NOW)
    };
    let kid = key.kid();
    let typ = "at+jwt";
    assert_eq!(
        with(json!({"alg": "none", "typ": typ, "kid": kid})),
        Err(VerifyError::WrongAlgorithm)
    );
    assert_eq!(
        with(json!({"alg": "HS256", "typ": typ, "kid": kid})),
        Err(VerifyError::WrongAlgorithm)
    );
    assert_eq!(
        with(json!({"alg": "ES256", "typ": typ, "kid": kid, "crit": ["b64"]})),
        Err(VerifyError::CriticalHeader)
    );
    assert_eq!(with(json!({"alg": "ES256", "typ": typ})), Err(VerifyError::NoKeyId));
    assert_eq!(
        with(json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "x": 1})),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn anything_else_is_malformed() {
    let keys = PublishedKeys::default();
    for text in ["", ".", "..", "a.b", "a.b.c.d", "é.é.é", "e30.e30.e30.e30", "e30.e30.e30"] {
        assert_eq!(verifier().verify(text, &keys, NOW), Err(VerifyError::Malformed), "{text}");
    }
    let long = "a".repeat(MAX_TOKEN_LENGTH + 1);
    assert_eq!(verifier().verify(&long, &keys, NOW), Err(VerifyError::Malformed));
}
