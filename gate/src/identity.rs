//! How the upstream is told who calls: by a signed JWT, or by plain headers. A server without headers
//! gets the same in `_meta`.
//!
//! The JWT names the gate's resource as its issuer and the upstream as its audience (behind forward-auth,
//! the resource), and is good for a minute. An upstream verifies it with the keys at [`JWKS_PATH`]. Plain headers can be believed only
//! where nothing but the gate can reach the upstream.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::CACHE_CONTROL};
use guard::Caller;
use keys::{KeyError, TokenType};
use net::clock::Clock;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    config::{Config, IdentityForm},
    identity_key::{IdentityKeyError, IdentityKeys},
};

/// Where the keys are that sign identities.
pub(crate) const JWKS_PATH: &str = "/.well-known/portcullis-identity/jwks.json";
/// The header of the JWT.
const IDENTITY: HeaderName = HeaderName::from_static("x-portcullis-identity");
const USER: HeaderName = HeaderName::from_static("x-forwarded-user");
const USERNAME: HeaderName = HeaderName::from_static("x-forwarded-preferred-username");
const EMAIL: HeaderName = HeaderName::from_static("x-forwarded-email");
/// Beginning of the members of `_meta` that only the gate may set.
pub(crate) const META_PREFIX: &str = "portcullis/";
/// Member of `_meta` with the JWT.
const META_IDENTITY: &str = "portcullis/identity";
/// Member of `_meta` with what the plain headers say.
const META_USER: &str = "portcullis/user";
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
    keys: IdentityKeys,
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
    pub(crate) fn new(config: &Config, clock: Clock) -> Result<Self, IdentityKeyError> {
        let keys = match &config.identity_key_file {
            Some(path) => IdentityKeys::load_or_create(path)?,
            None => IdentityKeys::generate()?,
        };
        Ok(Self(Arc::new(Inner {
            form: config.identity,
            issuer: config.resource.clone(),
            audience: config.upstream_name(),
            keys,
            clock,
        })))
    }

    /// The public halves of the keys, as a JWK Set (RFC 7517 §5).
    pub(crate) fn key_set(&self) -> ([(HeaderName, &'static str); 1], axum::Json<Value>) {
        let keys = json!({"keys": self.0.keys.public()});
        ([(CACHE_CONTROL, "public, max-age=300")], axum::Json(keys))
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

    /// Adds an empty header for each that is missing: Caddy 2.6 would pass the name of a
    /// placeholder on in its place.
    pub(crate) fn complete(headers: &mut HeaderMap) {
        for name in [IDENTITY, USER, USERNAME, EMAIL] {
            headers.entry(name).or_insert(HeaderValue::from_static(""));
        }
    }

    /// The members of `_meta` that say who calls, for an upstream that has no headers.
    pub(crate) fn meta(&self, caller: &Caller) -> Result<Map<String, Value>, KeyError> {
        let mut meta = Map::new();
        if matches!(self.0.form, IdentityForm::Jwt | IdentityForm::Both) {
            meta.insert(META_IDENTITY.into(), self.signed(caller)?.into());
        }
        if matches!(self.0.form, IdentityForm::Headers | IdentityForm::Both) {
            let email = caller.email.as_ref().filter(|_| caller.email_verified);
            let user = json!({
                "sub": caller.subject,
                "client_id": caller.client_id,
                "preferred_username": caller.preferred_username,
                "email": email,
            });
            meta.insert(META_USER.into(), user);
        }
        Ok(meta)
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
        self.0.keys.current.sign(TokenType::CallerIdentity, &claims)
    }
}

/// Adds a header, unless the value holds what a header cannot.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
