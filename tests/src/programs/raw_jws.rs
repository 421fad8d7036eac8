//! Signs any header and any claims, also those that no library would sign.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::SigningKey;
use serde_json::Value;

/// A compact JWS over exactly these texts, with an ES256 key.
pub fn sign(key: &SigningKey, header: &str, claims: &str) -> String {
    let jwk: Value = serde_json::from_str(&key.private_jwk()).expect("a JWK");
    let member = |name: &str| {
        let text = jwk[name].as_str().expect("a member of an EC key");
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    };
    let public = [&[4][..], &member("x"), &member("y")].concat();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &member("d"),
        &public,
    );
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = pair.expect("a key pair").sign(&SystemRandom::new(), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.expect("a signature")))
}
