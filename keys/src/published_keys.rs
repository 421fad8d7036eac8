//! Public keys of others: a JWK Set as clients and other issuers publish it, and what verifies
//! under it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Algorithm, KeyError, PublicJwk, VerifyError,
    jwk::{KeyMaterial, is_private},
    jws::Jws,
    verifier::media_type,
};

/// Most keys of a set that are looked at.
const MOST_KEYS: usize = 20;
/// Smallest and largest RSA modulus, in bytes: below it is breakable, above it is costly.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// Keys of somebody else. `kid` and `alg` may be missing, as RFC 7517 allows: then the kind of
/// key decides the algorithm. What a token says of its own key is never believed.
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
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
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
        let keys = document.keys.into_iter().take(MOST_KEYS).filter_map(PublishedKey::read);
        Ok(Self(keys.collect()))
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
        for key in self.0.iter().filter(|key| key.fits(kid, alg)) {
            outcome = jws.verify(&key.key, key.algorithm);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

impl PublishedKey {
    fn read(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        if jwk.usage.is_some_and(|usage| usage != "sig") || !is_strong(&jwk.material) {
            return None;
        }
        let alg = jwk.alg.unwrap_or_else(|| usual_algorithm(&jwk.material).as_str().into());
        let known =
            PublicJwk { material: jwk.material, kid: String::new(), alg, usage: "sig".into() };
        Some(Self {
            kid: jwk.kid,
            algorithm: known.algorithm().ok()?,
            key: known.decoding_key().ok()?,
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
