//! The one reader of JWK Sets: the keys that clients and issuers publish, and what verifies under
//! them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Algorithm, KeyError, KeySet, PublicJwk, VerifyError,
    claim_formats::lenient,
    jwk::{KeyMaterial, is_private},
    jws::Jws,
};

/// Keys of a set beyond this are not read.
const MAX_KEYS: usize = 100;
/// Keys that one token is tried with, where neither names itself.
const MAX_TRIED_KEYS: usize = 20;
/// Smallest and largest RSA modulus, in bytes: below it is breakable, above it is costly.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// Published keys, each pinned to one algorithm. `kid`, `alg` and `use` may be missing, null or
/// empty, as RFC 7517 allows: then the kind of key decides the algorithm. What a token says of its
/// own key is never believed.
#[derive(Clone, Debug, Default)]
pub struct PublishedKeys(Vec<PublishedKey>);

#[derive(Clone, Debug)]
struct PublishedKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(flatten)]
    material: KeyMaterial,
    #[serde(default, deserialize_with = "lenient")]
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl PublishedKeys {
    /// Reads a JWK Set. Keys of unknown kinds are passed over (RFC 7517 §5). A set that holds a
    /// private or symmetric key is refused whole: its owner has published a secret.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let document: Document = serde_json::from_slice(text)
            .map_err(|_| KeyError::Malformed("a JWK Set is an object with an array keys".into()))?;
        if document.keys.iter().filter_map(Value::as_object).any(is_private) {
            return Err(KeyError::Malformed("the JWK Set holds a private or symmetric key".into()));
        }
        let keys = document.keys.into_iter().take(MAX_KEYS).filter_map(PublishedKey::read);
        Ok(Self(keys.collect()))
    }

    /// Whether a key of this name can verify.
    pub fn contains(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Whether no key can verify anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key could have signed `token`, by what its header says.
    pub fn may_verify(&self, token: &str) -> Result<bool, VerifyError> {
        let header = Jws::parse(token)?.header;
        Ok(self.0.iter().any(|key| key.fits(header.kid.as_deref(), &header.alg)))
    }

    /// The claims of `token`, once its type, critical headers, algorithm and signature have been
    /// checked; the claims themselves are the caller's to judge. `is_type` is asked for `typ` in
    /// lower case and without `application/`.
    pub fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        is_type: impl Fn(Option<&str>) -> bool,
    ) -> Result<T, VerifyError> {
        let jws = Jws::parse(token)?;
        jws.check_header(|typ| is_type(typ.map(media_type).as_deref()))?;
        let mut outcome = Err(VerifyError::UnknownKey);
        let (kid, alg) = (jws.header.kid.as_deref(), &jws.header.alg);
        let fits = |key: &&PublishedKey| key.fits(kid, alg);
        for key in self.0.iter().filter(fits).take(MAX_TRIED_KEYS) {
            outcome = jws.verify(&key.key, key.algorithm);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

impl From<&KeySet> for PublishedKeys {
    fn from(set: &KeySet) -> Self {
        Self(set.keys().iter().cloned().filter_map(PublishedKey::of).collect())
    }
}

impl PublishedKey {
    /// `None` for a key that is not for signatures, or that is of no kind that is known here.
    fn read(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        let verifies = |operations: Vec<String>| {
            operations.is_empty() || operations.iter().any(|one| one == "verify")
        };
        if !jwk.key_ops.is_none_or(verifies) {
            return None;
        }
        let usual = || usual_algorithm(&jwk.material).as_str().to_owned();
        let alg = set(jwk.alg).unwrap_or_else(usual);
        let usage = set(jwk.usage).unwrap_or_else(|| "sig".into());
        let kid = set(jwk.kid);
        let key = PublicJwk { material: jwk.material, kid: String::new(), alg, usage };
        Self::of(key).map(|key| Self { kid, ..key })
    }

    fn of(jwk: PublicJwk) -> Option<Self> {
        if jwk.usage != "sig" || !is_strong(&jwk.material) {
            return None;
        }
        Some(Self {
            algorithm: jwk.algorithm().ok()?,
            key: jwk.decoding_key().ok()?,
            kid: Some(jwk.kid),
        })
    }

    fn fits(&self, kid: Option<&str>, alg: &str) -> bool {
        self.algorithm.as_str() == alg && (kid.is_none() || self.kid.as_deref() == kid)
    }
}

fn usual_algorithm(material: &KeyMaterial) -> Algorithm {
    match material {
        KeyMaterial::EllipticCurve { .. } => Algorithm::ES256,
        KeyMaterial::OctetKeyPair { .. } => Algorithm::EdDSA,
        KeyMaterial::Rsa { .. } => Algorithm::RS256,
    }
}

fn is_strong(material: &KeyMaterial) -> bool {
    match material {
        KeyMaterial::Rsa { n, .. } => {
            URL_SAFE_NO_PAD.decode(n).is_ok_and(|modulus| RSA_MODULUS.contains(&modulus.len()))
        }
        _ => true,
    }
}

/// `typ` is compared as a media type: without case, and with or without `application/`
/// (RFC 7515 §4.1.9).
fn media_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKey, TokenType};
    use serde_json::json;

    fn published(jwk: Value) -> PublishedKeys {
        PublishedKeys::from_json(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap()
    }

    fn public(key: &SigningKey) -> Value {
        serde_json::to_value(key.public_jwk()).unwrap()
    }

    fn verified(keys: &PublishedKeys, token: &str) -> Result<Value, VerifyError> {
        keys.verify(token, |typ| typ == Some("jwt"))
    }

    #[test]
    fn a_key_without_name_and_algorithm_verifies_by_its_kind() {
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let token = key.sign(TokenType::IdToken, &json!({"sub": "a"})).unwrap();
            let mut jwk = public(&key);
            jwk.as_object_mut().unwrap().retain(|name, _| name != "alg" && name != "use");
            assert_eq!(verified(&published(jwk.clone()), &token).unwrap()["sub"], "a");
            for (name, value) in [("alg", Value::Null), ("use", Value::Null), ("alg", json!(""))] {
                let mut jwk = jwk.clone();
                jwk[name] = value;
                assert!(verified(&published(jwk.clone()), &token).is_ok(), "{jwk}");
            }
            jwk["kid"] = json!("another");
            assert_eq!(verified(&published(jwk), &token), Err(VerifyError::UnknownKey));
        }
    }

    #[test]
    fn a_signature_of_another_key_of_the_same_name_is_refused() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let mut other = public(&SigningKey::generate(Algorithm::ES256).unwrap());
        other["kid"] = json!(key.kid());
        let token = key.sign(TokenType::IdToken, &json!({})).unwrap();
        assert_eq!(verified(&published(other), &token), Err(VerifyError::BadSignature));
    }

    #[test]
    fn the_algorithm_is_the_keys_own_and_the_type_is_asked_for() {
        let key = SigningKey::generate(Algorithm::RS256).unwrap();
        let token = key.sign(TokenType::IdToken, &json!({})).unwrap();
        let mut jwk = public(&key);
        jwk["alg"] = json!("PS256");
        assert!(published(jwk).is_empty());
        let typed = published(public(&key)).verify::<Value>(&token, |typ| typ == Some("at+jwt"));
        assert_eq!(typed, Err(VerifyError::WrongType));
    }

    #[test]
    fn a_key_that_is_not_for_signatures_verifies_nothing() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!(7)),
            ("alg", json!("ECDH-ES")),
            ("alg", json!(7)),
            ("key_ops", json!(["encrypt"])),
            ("crv", json!("P-384")),
        ] {
            let mut jwk = public(&key);
            jwk[name] = value;
            assert!(published(jwk.clone()).is_empty(), "{jwk}");
        }
        for operations in [json!(["sign", "verify"]), json!([]), Value::Null] {
            let mut jwk = public(&key);
            jwk["key_ops"] = operations;
            assert!(published(jwk).contains(key.kid()));
        }
    }

    #[test]
    fn a_published_secret_or_a_weak_key_is_no_key() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        for jwk in [key.private_jwk(), r#"{"kty":"oct","k":"c2VjcmV0"}"#.into()] {
            let set = format!("{{\"keys\":[{jwk}]}}");
            assert!(PublishedKeys::from_json(set.as_bytes()).is_err(), "{set}");
        }
        let weak = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB"});
        assert!(published(weak).is_empty());
        assert!(PublishedKeys::from_json(b"[]").is_err());
    }
}
