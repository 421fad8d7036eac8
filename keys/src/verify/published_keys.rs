//! Published keys of issuers and clients (JWK Sets), and verification with them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    KeyError, KeySet, Profile, PublicJwk, UnverifiedToken, VerifyError, VerifyingKey,
    claim_formats::lenient,
    jwk::{KeyMaterial, is_private},
};

/// Most keys of a set that are read.
const MAX_KEYS: usize = 100;
/// Most keys that are tried on one token if neither side names a key.
const MAX_TRIED_KEYS: usize = 20;
/// Accepted sizes of an RSA modulus, in bytes. Shorter ones can be broken, longer ones cost too much.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// Published keys, each pinned to one algorithm. `kid`, `alg` and `use` may be missing, null or
/// empty (RFC 7517 §4); then the key type decides the algorithm, never the token.
#[derive(Clone, Debug, Default)]
pub struct PublishedKeys(Vec<PublishedKey>);

#[derive(Clone, Debug)]
struct PublishedKey {
    kid: Option<String>,
    key: VerifyingKey,
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
    /// Reads a JWK Set. Keys of unknown kinds are skipped (RFC 7517 §5).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the text is not a JWK Set, or contains a private or symmetric
    /// key: its owner has published a secret.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        Self::from_json_of(Profile::Rfc9068, text)
    }

    /// Reads the JWK Set of a provider, with keys for each algorithm that its profile accepts.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_json_of(profile: Profile, text: &[u8]) -> Result<Self, KeyError> {
        let document: Document = serde_json::from_slice(text)
            .map_err(|_| KeyError::Malformed("a JWK Set is an object with an array keys".into()))?;
        if document.keys.iter().filter_map(Value::as_object).any(is_private) {
            return Err(KeyError::Malformed("the JWK Set holds a private or symmetric key".into()));
        }
        let keys = document.keys.into_iter().take(MAX_KEYS);
        let keys = keys.filter_map(|key| PublishedKey::read(profile, key));
        Ok(Self(keys.collect()))
    }

    /// Whether the set has a usable key with this `kid`, or any if it is empty: a token that names no key may be
    /// signed with each.
    pub fn contains(&self, kid: &str) -> bool {
        self.0.iter().any(|key| kid.is_empty() || key.kid.as_deref() == Some(kid))
    }

    /// Whether the set has no usable key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key of the set could have signed `token`, judging by its header.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] if `token` is not a signed token.
    pub fn may_verify(&self, token: &str) -> Result<bool, VerifyError> {
        let header = UnverifiedToken::parse(token)?.header;
        Ok(self.0.iter().any(|key| key.fits(header.kid.as_deref(), &header.alg)))
    }

    /// Verifies type, critical headers, algorithm and signature of `token` and returns its claims,
    /// which the caller must check. `is_type` gets `typ` in lower case and without `application/`.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        is_type: impl Fn(Option<&str>) -> bool,
    ) -> Result<T, VerifyError> {
        let token = UnverifiedToken::parse(token)?;
        token.check_media_type(is_type)?;
        self.verify_signature(&token)?;
        token.unique_claims()
    }

    /// Verifies algorithm and signature of a token with the keys that could have signed it.
    pub(crate) fn verify_signature(&self, token: &UnverifiedToken<'_>) -> Result<(), VerifyError> {
        let kid = token.header.kid.as_deref();
        let fitting = self.0.iter().filter(|key| key.fits(kid, &token.header.alg));
        let mut outcome = Err(VerifyError::UnknownKey);
        for key in fitting.take(MAX_TRIED_KEYS) {
            outcome = token.verify_signature(&key.key);
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
    /// `None` for a key that is not for signatures, or whose kind is not supported.
    fn read(profile: Profile, jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let operations = jwk.key_ops.unwrap_or_default();
        if !operations.is_empty() && !operations.iter().any(|operation| operation == "verify") {
            return None;
        }
        let alg = non_empty(jwk.alg);
        let alg = alg.unwrap_or_else(|| default_algorithm(&jwk.material).to_owned());
        let usage = non_empty(jwk.usage).unwrap_or_else(|| "sig".into());
        let kid = non_empty(jwk.kid);
        if profile.accepts_algorithm(&alg) {
            let is_usable = usage == "sig" && is_strong(&jwk.material);
            let key = VerifyingKey::with_algorithm(&jwk.material, &alg).ok();
            return key.filter(|_| is_usable).map(|key| Self { kid, key });
        }
        let key = PublicJwk { material: jwk.material, kid: String::new(), alg, usage };
        Self::of(key).map(|key| Self { kid, ..key })
    }

    fn of(jwk: PublicJwk) -> Option<Self> {
        if jwk.usage != "sig" || !is_strong(&jwk.material) {
            return None;
        }
        Some(Self { key: VerifyingKey::new(&jwk).ok()?, kid: Some(jwk.kid) })
    }

    fn fits(&self, kid: Option<&str>, alg: &str) -> bool {
        self.key.is_for(alg) && (kid.is_none() || self.kid.as_deref() == kid)
    }
}

fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn default_algorithm(material: &KeyMaterial) -> &'static str {
    match material {
        KeyMaterial::EllipticCurve { crv, .. } if crv == "P-384" => "ES384",
        KeyMaterial::EllipticCurve { crv, .. } if crv == "P-521" => "ES512",
        KeyMaterial::EllipticCurve { .. } => "ES256",
        KeyMaterial::OctetKeyPair { .. } => "EdDSA",
        KeyMaterial::Rsa { .. } => "RS256",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, SigningKey, TokenType};
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
        for algorithm in Algorithm::ALL {
            let key = SigningKey::shared(algorithm);
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
        let key = SigningKey::shared(Algorithm::RS256);
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
