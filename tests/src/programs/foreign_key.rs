//! Keys of identity providers that sign with other algorithms than Portcullis.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A key pair with its algorithm.
pub struct ForeignKey {
    algorithm: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    EllipticCurve(EcdsaKeyPair, &'static str),
    Edwards(Ed25519KeyPair),
}

impl ForeignKey {
    /// A new key for an algorithm of RFC 7518 or RFC 9864.
    pub fn generate(algorithm: &'static str) -> Self {
        let rsa = |encoding: &'static dyn RsaEncoding| {
            Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"), encoding)
        };
        let curve = |algorithm: &'static EcdsaSigningAlgorithm, name| {
            Pair::EllipticCurve(EcdsaKeyPair::generate(algorithm).expect("a key"), name)
        };
        let pair = match algorithm {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS384" => rsa(&RSA_PKCS1_SHA384),
            "RS512" => rsa(&RSA_PKCS1_SHA512),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "PS384" => rsa(&RSA_PSS_SHA384),
            "PS512" => rsa(&RSA_PSS_SHA512),
            "ES256" => curve(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            "ES384" => curve(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            "ES512" => curve(&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            _ => Pair::Edwards(Ed25519KeyPair::generate().expect("a key")),
        };
        Self { algorithm, pair }
    }

    /// The public half, named `key`.
    pub fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Rsa(pair, _) => {
                let key = pair.public_key();
                json!({"kty": "RSA", "n": encode(key.modulus().big_endian_without_leading_zero()),
                    "e": encode(key.exponent().big_endian_without_leading_zero())})
            }
            Pair::EllipticCurve(pair, name) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                json!({"kty": "EC", "crv": name, "x": encode(x), "y": encode(y)})
            }
            Pair::Edwards(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
        };
        jwk["kid"] = json!("key");
        jwk["alg"] = json!(self.algorithm);
        jwk["use"] = json!("sig");
        jwk
    }

    /// A compact JWS with exactly this header, but for `alg`.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = json!(self.algorithm);
        let [header, claims] =
            [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let message = signed.as_bytes();
                pair.sign(*encoding, &random, message, &mut signature).expect("a signature");
                signature
            }
            Pair::EllipticCurve(pair, _) => {
                pair.sign(&random, signed.as_bytes()).expect("a signature").as_ref().to_vec()
            }
            Pair::Edwards(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
