//! The promise of a signature: only the text that was signed is taken, and it means one thing.

use jsonwebtoken::crypto;
use serde_json::{Value, json};

use super::*;
use crate::{
    SigningKey, TokenType,
    VerifyError::{CriticalHeader, Malformed, WrongAlgorithm},
};

struct Signer {
    key: SigningKey,
    public: VerifyingKey,
}

impl Signer {
    fn new(algorithm: Algorithm) -> Self {
        Self::of(SigningKey::shared(algorithm))
    }

    fn of(key: SigningKey) -> Self {
        let public = VerifyingKey::new(key.public_jwk()).unwrap();
        Self { key, public }
    }

    fn token(&self) -> String {
        self.key.sign(TokenType::AccessToken, &json!({"sub": "nick", "aud": ["a"]})).unwrap()
    }

    /// Signs any header and claims, well-formed or not.
    fn sign(&self, header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        self.sign_parts(&encode(header), &encode(claims))
    }

    fn sign_parts(&self, header: &str, claims: &str) -> String {
        let signed = format!("{header}.{claims}");
        let key = &self.key.encoding;
        let signature = crypto::sign(signed.as_bytes(), key, self.key.algorithm().into()).unwrap();
        format!("{signed}.{signature}")
    }

    fn verify(&self, token: &str) -> Result<Value, VerifyError> {
        let jws = UnverifiedToken::parse(token)?;
        jws.check_header(|_| true)?;
        jws.verify_signature(&self.public)?;
        jws.unique_claims()
    }
}

/// The three parts as bytes.
fn parts(token: &str) -> Vec<Vec<u8>> {
    token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect()
}

fn join(parts: &[Vec<u8>]) -> String {
    parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect::<Vec<_>>().join(".")
}

#[test]
fn no_truncation_extension_or_other_character_verifies() {
    for signer in Algorithm::ALL.map(Signer::new) {
        let token = signer.token();
        assert_eq!(signer.verify(&token).unwrap()["sub"], "nick");
        for place in 0..token.len() {
            assert!(signer.verify(&token[..place]).is_err(), "cut to {place}");
            assert!(signer.verify(&token[place + 1..]).is_err(), "cut after {place}");
            for added in ['A', '=', '.', ' ', '\n', '\0', '+', '/', '%', 'é'] {
                let mut changed = token.clone();
                changed.insert(place, added);
                assert!(signer.verify(&changed).is_err(), "{added:?} at {place}");
            }
        }
        for added in ["A", "AA", "AAAA", "=", "==", ".", " ", "\n", "\0", "%3D"] {
            assert!(signer.verify(&format!("{token}{added}")).is_err(), "{added:?}");
            assert!(signer.verify(&format!("{added}{token}")).is_err(), "{added:?}");
        }
    }
}

#[test]
fn no_flipped_bit_verifies() {
    for signer in Algorithm::ALL.map(Signer::new) {
        let token = signer.token();
        for (part, bytes) in parts(&token).iter().enumerate() {
            for bit in 0..bytes.len() * 8 {
                let mut changed = parts(&token);
                changed[part][bit / 8] ^= 1 << (bit % 8);
                assert!(signer.verify(&join(&changed)).is_err(), "bit {bit} of part {part}");
            }
        }
    }
}

#[test]
fn no_signature_of_another_length_verifies() {
    for signer in Algorithm::ALL.map(Signer::new) {
        let token = signer.token();
        let with = |signature: &[u8]| {
            let mut changed = parts(&token);
            changed[2] = signature.to_vec();
            signer.verify(&join(&changed))
        };
        let signature = parts(&token)[2].clone();
        for length in 0..signature.len() {
            assert!(with(&signature[..length]).is_err(), "{length} bytes");
            assert!(with(&signature[length + 1..]).is_err(), "the last bytes after {length}");
        }
        for added in 1..=64 {
            assert!(with(&[signature.as_slice(), &vec![0; added]].concat()).is_err(), "{added}");
            assert!(with(&[&vec![0; added], signature.as_slice()].concat()).is_err(), "{added}");
        }
        for byte in [0, 1, 0xff] {
            assert!(with(&vec![byte; signature.len()]).is_err(), "all {byte}");
        }
    }
}

#[test]
fn no_other_spelling_of_a_part_verifies_even_if_it_was_signed() {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let respellings: [fn(&str) -> String; 5] = [
        |text| URL_SAFE.encode(text),
        |text| STANDARD.encode(text),
        |text| format!("{} ", URL_SAFE_NO_PAD.encode(text)),
        |text| format!("{}\n", URL_SAFE_NO_PAD.encode(text)),
        // A single byte in the last group leaves four unused bits, of which one is set here.
        |text| {
            let mut spelling = URL_SAFE_NO_PAD.encode(text);
            let last = spelling.pop().unwrap();
            spelling.push(char::from_u32(u32::from(last) + 1).unwrap());
            spelling
        },
    ];
    let signer = Signer::new(Algorithm::ES256);
    // Both hold characters that the two alphabets spell differently, and end in a group of one.
    let header = r#"{"alg":"ES256","x":"???>>>~~~"}"#;
    let claims = r#"{"sub":"nick","name":"???>>>~~~ "}"#;
    assert_eq!((header.len() % 3, claims.len() % 3), (1, 1));
    let [good_header, good_claims] = [header, claims].map(|text| URL_SAFE_NO_PAD.encode(text));
    assert!(signer.verify(&signer.sign_parts(&good_header, &good_claims)).is_ok());
    for (number, respell) in respellings.into_iter().enumerate() {
        for (header, claims) in
            [(respell(header), good_claims.clone()), (good_header.clone(), respell(claims))]
        {
            let verified = signer.verify(&signer.sign_parts(&header, &claims));
            assert_eq!(verified, Err(VerifyError::Malformed), "{number}");
        }
    }
}

/// Headers that two readers could understand in two ways, or that name no algorithm of ours.
const REFUSED_HEADERS: [(&str, VerifyError); 45] = [
    (r#"{"alg":"ES256","crit":null}"#, CriticalHeader),
    (r#"{"alg":"ES256","crit":[]}"#, CriticalHeader),
    (r#"{"alg":"ES256","crit":""}"#, CriticalHeader),
    (r#"{"alg":"ES256","crit":false}"#, CriticalHeader),
    (r#"{"alg":"ES256","crit":{"x":1}}"#, CriticalHeader),
    (r#"{"alg":"ES256","crit":["exp"]}"#, CriticalHeader),
    (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, CriticalHeader),
    (r#"{"alg":"ES256","b64":false}"#, CriticalHeader),
    (r#"{"alg":"ES256","b64":true}"#, CriticalHeader),
    (r#"{"alg":"ES256","b64":null}"#, CriticalHeader),
    (r#"{"alg":"ES256","zip":"DEF"}"#, CriticalHeader),
    (r#"{"alg":"ES256","zip":null}"#, CriticalHeader),
    (r#"{"alg":"es256"}"#, WrongAlgorithm),
    (r#"{"alg":"Es256"}"#, WrongAlgorithm),
    (r#"{"alg":"ES256 "}"#, WrongAlgorithm),
    (r#"{"alg":""}"#, WrongAlgorithm),
    (r#"{"alg":"none"}"#, WrongAlgorithm),
    (r#"{"alg":"NONE"}"#, WrongAlgorithm),
    (r#"{"alg":"HS256"}"#, WrongAlgorithm),
    (r#"{"alg":"ES384"}"#, WrongAlgorithm),
    (r#"{"alg":null}"#, Malformed),
    (r#"{"alg":["ES256"]}"#, Malformed),
    (r#"{"alg":1}"#, Malformed),
    ("{}", Malformed),
    (r#"{"alg":"ES256","kid":1}"#, Malformed),
    (r#"{"alg":"ES256","kid":["1"]}"#, Malformed),
    (r#"{"alg":"ES256","kid":{}}"#, Malformed),
    (r#"{"alg":"ES256","typ":1}"#, Malformed),
    (r#"{"alg":"ES256","typ":["JWT"]}"#, Malformed),
    (r#"{"alg":"ES256","jwk":"x"}"#, Malformed),
    (r#"{"alg":"ES256","jwk":[]}"#, Malformed),
    (r#"{"alg":"ES256","alg":"ES256"}"#, Malformed),
    (r#"{"alg":"none","alg":"ES256"}"#, Malformed),
    (r#"{"alg":"ES256","\u0061lg":"ES256"}"#, Malformed),
    (r#"{"alg":"ES256","kid":"1","kid":"2"}"#, Malformed),
    (r#"{"alg":"ES256","crit":[],"crit":null}"#, Malformed),
    (r#"{"alg":"ES256","x":1,"x":1}"#, Malformed),
    (r#"{"alg":"ES256","x":{"y":1,"y":1}}"#, Malformed),
    (r#"{"alg":"ES256"}{}"#, Malformed),
    ("{\"alg\":\"ES256\"}\0", Malformed),
    ("\u{feff}{\"alg\":\"ES256\"}", Malformed),
    (r#"["ES256"]"#, Malformed),
    (r#""ES256""#, Malformed),
    ("null", Malformed),
    ("", Malformed),
];

#[test]
fn a_header_that_can_be_understood_in_two_ways_is_refused_although_it_is_signed() {
    let signer = Signer::new(Algorithm::ES256);
    for (header, expected) in REFUSED_HEADERS {
        let token = signer.sign(header, r#"{"sub":"nick"}"#);
        assert_eq!(signer.verify(&token), Err(expected), "{header}");
    }
    let deep = format!(r#"{{"alg":"ES256","x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    assert_eq!(signer.verify(&signer.sign(&deep, "{}")), Err(Malformed));
    // What is not known and changes nothing is passed over (RFC 7515 §4).
    for header in [
        r#"{"alg":"ES256","typ":null,"kid":null}"#,
        r#"{"alg":"ES256","x5t":"AA","x":[[1]],"cty":"JWT"}"#,
        "\n{ \"alg\" : \"ES256\" }\t",
    ] {
        assert!(signer.verify(&signer.sign(header, r#"{"sub":"nick"}"#)).is_ok(), "{header}");
    }
}

#[test]
fn claims_that_can_be_understood_in_two_ways_are_refused_although_they_are_signed() {
    let signer = Signer::new(Algorithm::ES256);
    for claims in [
        r#"{"sub":"nick","sub":"eve"}"#,
        r#"{"sub":"nick","s\u0075b":"eve"}"#,
        r#"{"act":{"sub":"a","sub":"b"}}"#,
        r#"{"aud":[{"a":1,"a":2}]}"#,
        r#"{"sub":"nick"}{"sub":"eve"}"#,
        r#"["nick"]"#,
        "null",
        "",
    ] {
        let token = signer.sign(r#"{"alg":"ES256"}"#, claims);
        assert_eq!(signer.verify(&token), Err(VerifyError::BadClaims), "{claims}");
    }
}

#[test]
fn a_token_of_another_key_or_for_another_algorithm_does_not_verify() {
    let signers = Algorithm::ALL.map(Signer::new);
    for signer in &signers {
        for other in &signers {
            let verified = other.verify(&signer.token());
            assert_eq!(verified.is_ok(), signer.key.kid() == other.key.kid());
        }
        let stranger = Signer::of(SigningKey::generate(signer.key.algorithm()).unwrap());
        assert_eq!(stranger.verify(&signer.token()), Err(VerifyError::BadSignature));
    }
}
