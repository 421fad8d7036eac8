//! An issuer that `auth` trusts by configuration: an identity provider, or the platform that
//! workloads run on.

use auth::{oauth::foreign_text::UpstreamSubject, storage::identities};
use keys::{Algorithm, SigningKey, TokenType};
use serde_json::{Value, json};

use crate::stack::{Engine, Stack, config_file};

pub const ISSUER: &str = "https://idp.example.com";
/// How it knows the default person.
pub const SUBJECT: &str = "00u1";
/// How it knows the default workload.
pub const WORKLOAD: &str = "system:serviceaccount:prod:agent";
/// The client that the default workload is.
pub const WORKLOAD_CLIENT: &str = "prod-agent";

/// The issuer, with its private key.
pub struct TrustedIssuer {
    /// The key that it publishes.
    pub key: SigningKey,
}

impl Default for TrustedIssuer {
    fn default() -> Self {
        Self { key: SigningKey::generate(Algorithm::ES256).expect("a key") }
    }
}

impl TrustedIssuer {
    /// What an operator writes of it: its people, and one workload.
    pub fn entry(&self) -> Value {
        json!({"issuer": ISSUER, "jwks": {"keys": [self.key.public_jwk()]}, "people": {},
            "workloads": [{"subject": WORKLOAD, "claims": {"cluster": "eu"},
                "client_id": WORKLOAD_CLIENT}]})
    }

    /// A stack that trusts it, with `change` on top of its entry.
    pub async fn trusted(&self, change: &Value) -> Stack {
        self.trusted_on(Engine::Sqlite, change).await
    }

    /// The same, on either engine.
    pub async fn trusted_on(&self, engine: Engine, change: &Value) -> Stack {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("portcullis.toml");
        let mut entry = self.entry();
        for (name, value) in change.as_object().expect("an object") {
            entry[name] = value.clone();
        }
        entry.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let [option, file] = config_file::write(&file, &json!({"trusted_issuers": [entry]}));
        let on_loopback = ["--insecure-metadata-documents-on-loopback", "true"];
        Stack::on_with(engine, &[[&*option, &*file], on_loopback].concat()).await
    }

    /// The default person has an account, under this issuer and subject.
    pub async fn enter_person(&self, stack: &Stack) -> String {
        let profile = auth::storage::users::Profile {
            name: Some("Nick Lucas".into()),
            preferred_username: None,
            picture: None,
            verified_email: Some("nick@example.com".into()),
        };
        let now = stack.state.clock.now();
        let subject = UpstreamSubject::parse(SUBJECT).expect("an identifier");
        let user = identities::sign_in(&stack.state.db, ISSUER, &subject, profile, now).await;
        user.expect("an account").id.to_string()
    }

    /// A valid ID-JAG for `client_id`, with `change` on top of its claims; `null` removes one.
    pub fn identity(&self, stack: &Stack, client_id: &str, change: &Value) -> String {
        let now = stack.state.clock.now();
        let claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": stack.issuer,
            "client_id": client_id, "resource": stack.audience, "scope": "mcp:tools profile",
            "jti": uuid(), "iat": now, "exp": now + 300});
        self.sign(TokenType::IdentityAssertion, claims, change)
    }

    /// A valid assertion of the default workload, with `change` on top of its claims.
    pub fn workload(&self, stack: &Stack, change: &Value) -> String {
        let now = stack.state.clock.now();
        let claims = json!({"iss": ISSUER, "sub": WORKLOAD, "aud": stack.issuer, "cluster": "eu",
            "jti": uuid(), "iat": now, "exp": now + 3000});
        self.sign(TokenType::IdToken, claims, change)
    }

    /// Any claims under any type.
    pub fn sign(&self, kind: TokenType, mut claims: Value, change: &Value) -> String {
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        self.key.sign(kind, &claims).expect("a token")
    }
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}
