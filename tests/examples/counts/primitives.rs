//! Cases of the crate `keys`: what is done with a token or a sealed value, without a server.

use std::hint::black_box;

use keys::{Algorithm, MasterSecrets, PublishedKeys, SigningKey, TokenType, Verifier};
use serde_json::{Value, json};

use crate::Case;

pub(crate) const CASES: &[Case] =
    &[("sign", 100), ("verify", 100), ("check_lifetime", 2000), ("seal", 500), ("open", 500)];

const ISSUER: &str = "https://auth.example.com";
const RESOURCE: &str = "https://mcp.example.com/mcp";
const NOW: i64 = 1_800_000_000;

/// Does one of them `number` times.
pub(crate) fn run(case: &str, number: usize) {
    let key = SigningKey::generate(Algorithm::ES256).expect("a key");
    let claims = claims();
    let token = key.sign(TokenType::AccessToken, &claims).expect("a token");
    let published = json!({"keys": [key.public_jwk()]}).to_string();
    let published = PublishedKeys::from_json(published.as_bytes()).expect("a key set");
    let verifier = Verifier::new(ISSUER, vec![RESOURCE.into()]);
    let lifetime = verifier.verify(&token, &published, NOW).expect("a valid token").lifetime();
    let secrets = MasterSecrets::generate().expect("a secret");
    let sealer = MasterSecrets::parse(&secrets).expect("a secret").sealer("counts");
    let sealed = sealer.seal(&claims).expect("a sealed value");
    for _ in 0..number {
        match case {
            "sign" => drop(black_box(key.sign(TokenType::AccessToken, &claims))),
            "verify" => drop(black_box(verifier.verify(&token, &published, NOW))),
            "check_lifetime" => drop(black_box(verifier.check_lifetime(lifetime, NOW))),
            "seal" => drop(black_box(sealer.seal(&claims))),
            _ => drop(black_box(sealer.open::<Value>(&sealed))),
        }
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "0198f2a0-0000-7000-8000-000000000000", "aud": RESOURCE,
        "client_id": "client", "scope": "mcp:tools profile email", "exp": NOW + 600, "iat": NOW,
        "jti": "0198f2a0-0000-7000-8000-000000000001", "name": "Nick Lucas"})
}
