//! Claims in the places where providers write them; tests/it/guard/profiles.rs has whole tokens.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, KeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;
use crate::{
    PublishedKeys, Verifier,
    verify::{VerifyingKey, jwk::KeyMaterial},
};

const NOW: i64 = 1_000_000;
const ISSUER: &str = "https://sso.example.com";
const RESOURCE: &str = "https://mcp.example.com/mcp";

/// A key on a curve that this crate does not sign with.
struct Curve(&'static str, &'static str, EcdsaKeyPair);

impl Curve {
    fn generate(alg: &'static str, crv: &'static str, by: &'static EcdsaSigningAlgorithm) -> Self {
        Self(alg, crv, EcdsaKeyPair::generate(by).unwrap())
    }

    fn keys(&self, profile: Profile) -> PublishedKeys {
        let point = self.2.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
        let jwk = json!({"kty": "EC", "crv": self.1, "x": x, "y": y, "kid": "k", "alg": self.0});
        let set = json!({"keys": [jwk]}).to_string();
        PublishedKeys::from_json_of(profile, set.as_bytes()).unwrap()
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        let mut header = json!({"alg": self.0, "kid": "k", "typ": typ});
        header.as_object_mut().unwrap().retain(|_, value| *value != "");
        let parts = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = parts.join(".");
        let signature = self.2.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The client and the scopes that a profile reads from a token of this type with these claims.
fn read(profile: Profile, typ: &str, claims: &Value) -> Result<(String, String), VerifyError> {
    let key = Curve::generate("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING);
    let mut all =
        json!({"iss": ISSUER, "sub": "nick", "exp": NOW + 600, "iat": NOW, "aud": RESOURCE});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let audiences = vec![RESOURCE.to_owned(), "client".to_owned()];
    let verifier = Verifier::new(ISSUER, audiences).with_profile(profile);
    let claims = verifier.verify(&key.sign(typ, &all), &key.keys(profile), NOW)?;
    Ok((claims.client_id, claims.scope))
}

/// Claims as providers write them, with the client `c` or `client` and the scopes `a b`.
fn accepted() -> Vec<(Profile, &'static str, Value)> {
    vec![
        (Profile::Authentik, "JWT", json!({"aud": "client", "azp": "c", "scope": "a b"})),
        (
            Profile::Auth0,
            "JWT",
            json!({"azp": "c", "scope": "a b",
            "aud": [RESOURCE, "https://sso.example.com/userinfo"]}),
        ),
        (
            Profile::Cognito,
            "",
            json!({"aud": null, "client_id": "client", "token_use": "access",
            "scope": "a b"}),
        ),
        (Profile::Duende, "at+jwt", json!({"client_id": "c", "scope": ["a", "b"]})),
        (Profile::Entra, "JWT", json!({"aud": "client", "azp": "c", "scp": "a b"})),
        (Profile::Entra, "JWT", json!({"aud": "client", "appid": "c", "scp": "a b"})),
        (Profile::Hydra, "JWT", json!({"client_id": "c", "scp": ["a", "b"]})),
        (
            Profile::Keycloak,
            "JWT",
            json!({"aud": [RESOURCE, "account"], "typ": "Bearer", "azp": "c",
            "scope": "a b"}),
        ),
        (Profile::Logto, "at+jwt", json!({"client_id": "c", "scope": "a b"})),
        (Profile::Okta, "", json!({"cid": "c", "scp": ["a", "b"]})),
        (
            Profile::Spring,
            "",
            json!({"aud": "client", "scope": ["a", "b"], "iat": null, "nbf": NOW}),
        ),
        (
            Profile::Zitadel,
            "JWT",
            json!({"client_id": "c", "scope": "a b",
            "aud": [RESOURCE, "other@project"]}),
        ),
    ]
}

#[test]
fn each_profile_finds_client_and_scopes_and_the_default_accepts_none_of_these() {
    for (profile, typ, claims) in accepted() {
        let client = if claims["azp"] == "c"
            || claims["appid"] == "c"
            || claims["client_id"] == "c"
            || claims["cid"] == "c"
        {
            "c"
        } else {
            "client"
        };
        assert_eq!(read(profile, typ, &claims), Ok((client.into(), "a b".into())), "{profile}");
        assert!(read(Profile::Rfc9068, typ, &claims).is_err(), "{profile}");
        for (name, value) in [
            ("iss", json!("https://a.test")),
            ("exp", json!(NOW - 60)),
            ("sub", json!("")),
            ("nonce", json!("n")),
            ("at_hash", json!("h")),
            ("cnf", json!({})),
        ] {
            let mut changed = claims.clone();
            changed[name] = value;
            assert!(read(profile, typ, &changed).is_err(), "{profile} {name}");
        }
        let mut foreign = claims.clone();
        foreign["aud"] = json!(["https://other.example.com"]);
        assert!(read(profile, typ, &foreign).is_err(), "{profile}");
    }
}

#[test]
fn what_marks_an_access_token_must_be_there() {
    for (profile, typ, claims) in [
        (Profile::Keycloak, "JWT", json!({"typ": "ID", "azp": "c"})),
        (Profile::Keycloak, "JWT", json!({"azp": "c", "scope": "a"})),
        (Profile::Cognito, "", json!({"client_id": "client", "token_use": "id"})),
        (Profile::Entra, "JWT", json!({"azp": "c"})),
        (Profile::Okta, "", json!({"client_id": "c", "scp": ["a"]})),
        (Profile::Hydra, "JWT", json!({"client_id": "c"})),
    ] {
        assert_eq!(read(profile, typ, &claims), Err(VerifyError::WrongType), "{profile}");
    }
    let other = json!({"aud": [RESOURCE, "other"], "typ": "Bearer", "azp": "c"});
    assert_eq!(read(Profile::Keycloak, "JWT", &other), Err(VerifyError::WrongAudience));
    let number = json!({"client_id": "c", "scope": 7});
    assert_eq!(read(Profile::Duende, "at+jwt", &number), Err(VerifyError::BadClaims));
}

#[test]
fn keys_of_further_curves_are_read_in_their_canonical_form_only() {
    let key = Curve::generate("ES512", "P-521", &ECDSA_P521_SHA512_FIXED_SIGNING);
    assert!(!key.keys(Profile::Keycloak).is_empty());
    assert!(key.keys(Profile::Rfc9068).is_empty());
    let point = key.2.public_key().as_ref()[1..].to_vec();
    let material = |at: usize| {
        let [x, y] = [&point[..at], &point[at..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        KeyMaterial::EllipticCurve { crv: "P-521".into(), x, y }
    };
    let half = point.len() / 2;
    let is_key =
        |material: &KeyMaterial, alg: &str| VerifyingKey::with_algorithm(material, alg).is_ok();
    assert!(is_key(&material(half), "ES512"));
    for at in [0, 1, half - 1, half + 1, point.len()] {
        assert!(!is_key(&material(at), "ES512"), "{at}");
    }
    for alg in ["ES256", "ES384", "RS256", "EdDSA", "none", ""] {
        assert!(!is_key(&material(half), alg), "{alg}");
    }
    for length in [0, 31, 33, 44] {
        let x = URL_SAFE_NO_PAD.encode(vec![7; length]);
        let key = KeyMaterial::OctetKeyPair { crv: "Ed25519".into(), x };
        assert!(!is_key(&key, "EdDSA"), "{length}");
    }
}
