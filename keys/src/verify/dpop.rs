//! Verification of DPoP proofs: the sender of a request holds the key that its token is bound to
//! (RFC 9449).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use super::{
    KeyError, PublicJwk, UnverifiedToken, VerifyError, VerifyingKey,
    claim_formats::numeric_date,
    jwk::{KeyMaterial, is_private},
};

/// Maximum age of a proof, in seconds.
pub const MAX_DPOP_AGE: i64 = 60;
/// Seconds that the clock of a sender may be ahead.
const MAX_CLOCK_LEAD: i64 = 10;
/// Maximum length of `jti`, in bytes. Servers remember it until the proof expires.
const MAX_JTI_LENGTH: usize = 256;
/// The `typ` of a proof.
pub(crate) const DPOP_TYPE: &str = "dpop+jwt";

/// The request that a proof must have been made for.
#[derive(Clone, Copy, Debug)]
pub struct DpopCheck<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's URL, as its sender knows it. Query and fragment are ignored.
    pub url: &'a str,
    /// The access token that came with the proof, which must contain its hash.
    pub access_token: Option<&'a str>,
    /// The current time, in seconds since 1970.
    pub now: i64,
}

/// A verified proof. The caller still has to check that its `jti` is new, and its nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopProof {
    /// The key's thumbprint (RFC 7638), as `cnf.jkt` names it.
    pub thumbprint: String,
    /// Unique identifier of the proof. Two keys may use the same one.
    pub jti: String,
    /// When the proof was made, in seconds since 1970.
    pub issued_at: i64,
    /// The server's nonce, if the proof carries one.
    pub nonce: Option<String>,
}

/// Why a proof was refused. The text can be used in `error_description`.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DpopError {
    /// Not a JWT with the header and claims of a proof (RFC 9449 §4.2).
    #[error("the DPoP proof is not a well-formed JWT with the claims jti, htm, htu and iat")]
    Malformed,
    /// `typ` is another.
    #[error("the typ of the DPoP proof must be dpop+jwt")]
    WrongType,
    /// `crit` names an extension; none is understood.
    #[error("the DPoP proof demands a header extension that is not understood")]
    CriticalHeader,
    /// `alg` is symmetric, none, or unknown.
    #[error("the DPoP proof must be signed with ES256, EdDSA or RS256")]
    WrongAlgorithm,
    /// `jwk` is missing, does not fit `alg`, or holds a private key.
    #[error("the DPoP proof must hold the public key, and nothing but it, in its header jwk")]
    WrongKey,
    /// The signature does not match.
    #[error("the signature of the DPoP proof does not match its key")]
    BadSignature,
    /// `htm` is another method.
    #[error("the htm of the DPoP proof is not the method of the request")]
    WrongMethod,
    /// `htu` is another URL.
    #[error("the htu of the DPoP proof is not the URL of the request")]
    WrongUrl,
    /// `iat` is too old or in the future.
    #[error("the iat of the DPoP proof is not the present time; check the clock, make a new proof")]
    WrongTime,
    /// `ath` is missing or names another token.
    #[error("the ath of the DPoP proof is not the hash of the access token")]
    WrongToken,
}

/// The claims of a proof (RFC 9449 §4.2).
#[derive(Serialize, Deserialize)]
pub(crate) struct ProofClaims {
    pub(crate) jti: String,
    pub(crate) htm: String,
    pub(crate) htu: String,
    #[serde(deserialize_with = "numeric_date")]
    pub(crate) iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ath: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

impl DpopProof {
    /// Verifies a proof (RFC 9449 §4.3), except for `jti` and nonce.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify(proof: &str, check: &DpopCheck<'_>) -> Result<Self, DpopError> {
        let mut proof = UnverifiedToken::parse(proof)?;
        proof.check_header(|typ| typ == Some(DPOP_TYPE))?;
        let jwk = embedded_key(proof.header.jwk.take(), &proof.header.alg)?;
        let key = VerifyingKey::new(&jwk).map_err(|error| match error {
            KeyError::UnsupportedAlgorithm(_) => DpopError::WrongAlgorithm,
            _ => DpopError::WrongKey,
        })?;
        // The signature is what costs most.
        let claims = proof.unique_claims()?;
        check_claims(&claims, check)?;
        proof.verify_signature(&key)?;
        Ok(Self {
            thumbprint: jwk.kid,
            jti: claims.jti,
            issued_at: claims.iat,
            nonce: claims.nonce,
        })
    }
}

fn embedded_key(jwk: Option<Map<String, Value>>, alg: &str) -> Result<PublicJwk, DpopError> {
    let jwk = jwk.ok_or(DpopError::WrongKey)?;
    if is_private(&jwk) {
        return Err(DpopError::WrongKey);
    }
    let material: KeyMaterial =
        serde_json::from_value(Value::Object(jwk)).map_err(|_| DpopError::WrongKey)?;
    let kid = material.thumbprint();
    Ok(PublicJwk { kid, alg: alg.to_owned(), usage: "sig".into(), material })
}

impl From<VerifyError> for DpopError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Malformed | VerifyError::BadClaims => Self::Malformed,
            VerifyError::WrongType => Self::WrongType,
            VerifyError::CriticalHeader => Self::CriticalHeader,
            VerifyError::WrongAlgorithm => Self::WrongAlgorithm,
            _ => Self::BadSignature,
        }
    }
}

fn check_claims(claims: &ProofClaims, check: &DpopCheck<'_>) -> Result<(), DpopError> {
    if claims.jti.is_empty() || claims.jti.len() > MAX_JTI_LENGTH {
        return Err(DpopError::Malformed);
    }
    if claims.htm != check.method {
        return Err(DpopError::WrongMethod);
    }
    let url = htu(check.url);
    if url.is_none() || htu(&claims.htu) != url {
        return Err(DpopError::WrongUrl);
    }
    let age = check.now.saturating_sub(claims.iat);
    if !(-MAX_CLOCK_LEAD..=MAX_DPOP_AGE).contains(&age) {
        return Err(DpopError::WrongTime);
    }
    match check.access_token {
        Some(token) if claims.ath != Some(ath(token)) => Err(DpopError::WrongToken),
        _ => Ok(()),
    }
}

/// The `htu` of a URL: without query and fragment, normalized by the parser (RFC 9449 §4.3).
pub(crate) fn htu(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// The `ath` of an access token (RFC 9449 §4.2).
pub(crate) fn ath(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, access_token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Header;
    use serde_json::json;

    use super::*;
    use crate::{Algorithm, DpopRequest, SigningKey, TokenType};

    const NOW: i64 = 1_000_000;
    const URL: &str = "https://auth.example.com/token";

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::ES256).unwrap()
    }

    fn request() -> DpopRequest<'static> {
        DpopRequest { method: "POST", url: URL, access_token: None, nonce: None, now: NOW }
    }

    fn check() -> DpopCheck<'static> {
        DpopCheck { method: "POST", url: URL, access_token: None, now: NOW }
    }

    /// A proof whose header and claims were changed before it was signed.
    fn forged(change: impl FnOnce(&mut Header, &mut Value)) -> Result<DpopProof, DpopError> {
        let key = key();
        let mut header = Header::new(key.algorithm().into());
        header.typ = Some(DPOP_TYPE.into());
        let public = serde_json::to_value(&key.public_jwk().material).unwrap();
        header.jwk = Some(serde_json::from_value(public).unwrap());
        let mut claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW});
        change(&mut header, &mut claims);
        DpopProof::verify(&key.encode(&header, &claims).unwrap(), &check())
    }

    #[test]
    fn a_proof_of_every_algorithm_holds_and_names_its_key() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::shared(algorithm);
            let request = DpopRequest { nonce: Some("n"), ..request() };
            let proof = key.dpop_proof(&request).unwrap();
            let proof = DpopProof::verify(&proof, &check()).unwrap();
            assert_eq!(proof.thumbprint, key.thumbprint());
            assert_eq!(proof.nonce.as_deref(), Some("n"));
            assert_eq!(proof.issued_at, NOW);
        }
    }

    #[test]
    fn two_proofs_of_one_request_differ_in_their_jti() {
        let key = key();
        let jti = || {
            let proof = key.dpop_proof(&request()).unwrap();
            DpopProof::verify(&proof, &check()).unwrap().jti
        };
        assert_ne!(jti(), jti());
    }

    #[test]
    fn each_part_of_the_header_is_checked() {
        assert!(forged(|_, _| ()).is_ok());
        assert_eq!(forged(|header, _| header.typ = None), Err(DpopError::WrongType));
        let typ = |header: &mut Header, _: &mut Value| header.typ = Some("JWT".into());
        assert_eq!(forged(typ), Err(DpopError::WrongType));
        assert_eq!(forged(|header, _| header.jwk = None), Err(DpopError::WrongKey));
        let of_another = |header: &mut Header, _: &mut Value| {
            let other = serde_json::to_value(&key().public_jwk().material).unwrap();
            header.jwk = Some(serde_json::from_value(other).unwrap());
        };
        assert_eq!(forged(of_another), Err(DpopError::BadSignature));
    }

    #[test]
    fn each_claim_is_checked() {
        let with = |name: &'static str, value: Value| forged(move |_, claims| claims[name] = value);
        assert_eq!(with("htm", json!("GET")), Err(DpopError::WrongMethod));
        assert_eq!(with("htm", json!("post")), Err(DpopError::WrongMethod));
        assert_eq!(with("htu", json!("https://auth.example.com/par")), Err(DpopError::WrongUrl));
        assert_eq!(with("htu", json!("http://auth.example.com/token")), Err(DpopError::WrongUrl));
        assert_eq!(with("iat", json!(NOW - 61)), Err(DpopError::WrongTime));
        assert_eq!(with("iat", json!(NOW + 11)), Err(DpopError::WrongTime));
        assert!(with("iat", json!(NOW - 60)).is_ok());
        assert!(with("iat", json!(NOW + 10)).is_ok());
        assert_eq!(with("iat", json!("now")), Err(DpopError::Malformed));
        assert_eq!(with("jti", json!("")), Err(DpopError::Malformed));
        assert_eq!(with("jti", json!("x".repeat(257))), Err(DpopError::Malformed));
        assert_eq!(with("jti", Value::Null), Err(DpopError::Malformed));
    }

    #[test]
    fn spellings_of_one_url_are_the_same() {
        for htu in [
            "https://auth.example.com:443/token",
            "HTTPS://AUTH.example.com/token",
            "https://auth.example.com/token?x=1#f",
            "https://auth.example.com/./token",
        ] {
            assert!(forged(|_, claims| claims["htu"] = json!(htu)).is_ok(), "{htu}");
        }
    }

    #[test]
    fn a_proof_for_one_access_token_is_none_for_another_nor_one_without() {
        let key = key();
        let made = |access_token| {
            let proof = key.dpop_proof(&DpopRequest { access_token, ..request() }).unwrap();
            DpopProof::verify(&proof, &DpopCheck { access_token: Some("mine"), ..check() })
        };
        assert!(made(Some("mine")).is_ok());
        assert_eq!(made(Some("yours")), Err(DpopError::WrongToken));
        assert_eq!(made(None), Err(DpopError::WrongToken));
    }

    #[test]
    fn a_header_that_holds_a_private_key_or_asks_for_a_symmetric_algorithm_is_refused() {
        let raw = |header: Value| {
            let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW});
            DpopProof::verify(&format!("{}.{}.AA", encode(&header), encode(&claims)), &check())
        };
        let private: Value = serde_json::from_str(&key().private_jwk()).unwrap();
        let header = json!({"typ": DPOP_TYPE, "alg": "ES256", "jwk": private});
        assert_eq!(raw(header), Err(DpopError::WrongKey));
        let public = serde_json::to_value(&key().public_jwk().material).unwrap();
        for alg in ["none", "HS256", "ES512", "RS1"] {
            let header = json!({"typ": DPOP_TYPE, "alg": alg, "jwk": public});
            assert_eq!(raw(header), Err(DpopError::WrongAlgorithm), "{alg}");
        }
        for crit in [json!(["x"]), json!([]), Value::Null] {
            let header = json!({"typ": DPOP_TYPE, "alg": "ES256", "jwk": public, "crit": crit});
            assert_eq!(raw(header), Err(DpopError::CriticalHeader));
        }
        let header = json!({"typ": DPOP_TYPE, "alg": "ES256", "jwk": {"kty": "oct", "k": "AA"}});
        assert_eq!(raw(header), Err(DpopError::WrongKey));
    }

    #[test]
    fn another_kind_of_token_is_no_proof() {
        let claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW});
        let token = key().sign(TokenType::AccessToken, &claims).unwrap();
        assert_eq!(DpopProof::verify(&token, &check()), Err(DpopError::WrongType));
        for text in ["", "a.b", "a.b.c.d", "....", "é.é.é"] {
            assert_eq!(DpopProof::verify(text, &check()), Err(DpopError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_key_has_one_spelling_and_so_one_thumbprint() {
        let decode = |member: &Value| URL_SAFE_NO_PAD.decode(member.as_str().unwrap()).unwrap();
        let signed = |algorithm: Algorithm, respell: &dyn Fn(&mut Value)| {
            let key = SigningKey::shared(algorithm);
            let mut jwk = serde_json::to_value(&key.public_jwk().material).unwrap();
            respell(&mut jwk);
            let header = json!({"typ": DPOP_TYPE, "alg": algorithm.as_str(), "jwk": jwk});
            let claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW});
            let [header, claims] =
                [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            let message = format!("{header}.{claims}");
            let signature =
                jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, algorithm.into());
            let proof = format!("{message}.{}", signature.unwrap());
            DpopProof::verify(&proof, &check()).map(|_| ())
        };
        for algorithm in Algorithm::ALL {
            assert_eq!(signed(algorithm, &|_| ()), Ok(()));
        }
        let wrong = Err(DpopError::WrongKey);
        for cut in [0, 1, 31, 33, 63, 64] {
            let moved = |jwk: &mut Value| {
                let point = [decode(&jwk["x"]), decode(&jwk["y"])].concat();
                jwk["x"] = json!(URL_SAFE_NO_PAD.encode(&point[..cut]));
                jwk["y"] = json!(URL_SAFE_NO_PAD.encode(&point[cut..]));
            };
            assert_eq!(signed(Algorithm::ES256, &moved), wrong, "x of {cut} bytes");
        }
        let in_der = |jwk: &mut Value| {
            let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
            let key = [&prefix[..], &decode(&jwk["x"])].concat();
            jwk["x"] = json!(URL_SAFE_NO_PAD.encode(key));
        };
        assert_eq!(signed(Algorithm::EdDSA, &in_der), wrong);
        for member in ["n", "e"] {
            let longer = |jwk: &mut Value| {
                let number = [&[0][..], &decode(&jwk[member])].concat();
                jwk[member] = json!(URL_SAFE_NO_PAD.encode(number));
            };
            assert_eq!(signed(Algorithm::RS256, &longer), wrong, "{member}");
        }
        for (algorithm, member) in
            [(Algorithm::ES256, "x"), (Algorithm::ES256, "y"), (Algorithm::EdDSA, "x")]
        {
            let padded = |jwk: &mut Value| {
                jwk[member] = json!(format!("{}=", jwk[member].as_str().unwrap()));
            };
            assert_eq!(signed(algorithm, &padded), wrong, "{member}");
        }
    }
}
