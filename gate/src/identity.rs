//! How the upstream is told who calls: by a signed JWT, or by plain headers.
//!
//! The JWT names the gate's resource as its issuer and the upstream as its audience, and is good for a
//! minute. An upstream verifies it with the keys at [`JWKS_PATH`]. Plain headers can be believed only
//! where nothing but the gate can reach the upstream.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use guard::Caller;
use keys::{Algorithm, KeyError, SigningKey, TokenType};
use net::clock::Clock;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::{Config, IdentityForm};

/// Where the keys are that sign identities.
pub(crate) const JWKS_PATH: &str = "/.well-known/portcullis-identity/jwks.json";
/// The header of the JWT.
const IDENTITY: HeaderName = HeaderName::from_static("x-portcullis-identity");
const USER: HeaderName = HeaderName::from_static("x-forwarded-user");
const USERNAME: HeaderName = HeaderName::from_static("x-forwarded-preferred-username");
const EMAIL: HeaderName = HeaderName::from_static("x-forwarded-email");
/// Seconds for which an identity is good.
const IDENTITY_TTL: i64 = 60;

/// Tells the upstream who calls. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    form: IdentityForm,
    issuer: String,
    audience: String,
    key: SigningKey,
    clock: Clock,
}

/// The claims of the JWT. Those of the person are as the access token revealed them.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    /// Who issued the access token. `sub` is a name of theirs.
    idp: &'a str,
    client_id: &'a str,
    scope: String,
    iat: i64,
    exp: i64,
    jti: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Value>,
}

impl Identity {
    pub(crate) fn new(config: &Config, clock: Clock) -> Result<Self, KeyError> {
        Ok(Self(Arc::new(Inner {
            form: config.identity,
            issuer: config.resource.clone(),
            audience: config.upstream.to_string(),
            key: SigningKey::generate(Algorithm::ES256)?,
            clock,
        })))
    }

    /// The public half of the key, as a JWK Set (RFC 7517 §5).
    pub(crate) fn key_set(&self) -> axum::Json<Value> {
        axum::Json(json!({"keys": [self.0.key.public_jwk()]}))
    }

    /// Adds the headers that say who calls.
    pub(crate) fn tell(&self, caller: &Caller, headers: &mut HeaderMap) -> Result<(), KeyError> {
        let form = self.0.form;
        if matches!(form, IdentityForm::Jwt | IdentityForm::Both) {
            insert(headers, IDENTITY, &self.signed(caller)?);
        }
        if matches!(form, IdentityForm::Headers | IdentityForm::Both) {
            insert(headers, USER, &caller.subject);
            caller.preferred_username.iter().for_each(|name| insert(headers, USERNAME, name));
            let email = caller.email.iter().filter(|_| caller.email_verified);
            email.for_each(|email| insert(headers, EMAIL, email));
        }
        Ok(())
    }

    fn signed(&self, caller: &Caller) -> Result<String, KeyError> {
        let now = self.0.clock.now();
        let claims = Claims {
            iss: &self.0.issuer,
            aud: &self.0.audience,
            sub: &caller.subject,
            idp: &caller.issuer,
            client_id: &caller.client_id,
            scope: caller.scopes.join(" "),
            iat: now,
            exp: now + IDENTITY_TTL,
            jti: Uuid::new_v4(),
            name: caller.name.as_deref(),
            preferred_username: caller.preferred_username.as_deref(),
            email: caller.email.as_deref(),
            email_verified: caller.email.as_ref().map(|_| caller.email_verified),
            act: caller.actor.as_ref().map(|actor| json!({"sub": actor})),
        };
        self.0.key.sign(TokenType::CallerIdentity, &claims)
    }
}

/// Adds a header, unless the value holds what a header cannot.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
