//! Who calls a tool.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use keys::AccessTokenClaims;
use rmcp::{
    ErrorData,
    handler::server::common::{AsRequestContext, FromContextPart},
};

/// The verified caller. Take it as a parameter of a tool:
/// `async fn echo(&self, caller: Caller, …)`.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person, as the issuer knows them (`sub`).
    pub subject: String,
    /// Who issued the token (`iss`).
    pub issuer: String,
    /// Full name, with the scope `profile`.
    pub name: Option<String>,
    /// Login name, with the scope `profile`.
    pub preferred_username: Option<String>,
    /// E-mail address, with the scope `email`.
    pub email: Option<String>,
    /// The program that calls for the person.
    pub client_id: String,
    /// What the token may be used for.
    pub scopes: Vec<String>,
    /// When the token expires, in seconds since 1970.
    pub expires_at: i64,
    missing: MissingScope,
}

/// Where a tool leaves word of the scopes that it needed, for the guard to turn into a 403.
#[derive(Clone, Debug, Default)]
pub(super) struct MissingScope(Arc<Mutex<Option<Vec<&'static str>>>>);

impl MissingScope {
    fn set(&self, scopes: &[&'static str]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(scopes.to_vec());
    }

    pub(super) fn take(&self) -> Option<Vec<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Caller {
    pub(super) fn from_claims(claims: AccessTokenClaims) -> Self {
        Self {
            scopes: claims.scopes().map(str::to_owned).collect(),
            subject: claims.sub,
            issuer: claims.iss,
            name: claims.name,
            preferred_username: claims.preferred_username,
            email: claims.email,
            client_id: claims.client_id,
            expires_at: claims.exp,
            missing: MissingScope::default(),
        }
    }

    pub(super) fn with_slot(self, missing: MissingScope) -> Self {
        Self { missing, ..self }
    }

    /// What to call the person: their name, else their login name, else their subject.
    pub fn shown_name(&self) -> &str {
        let names = [&self.name, &self.preferred_username];
        let shown = names.into_iter().flatten().find(|name| !name.is_empty());
        shown.unwrap_or(&self.subject)
    }

    /// Refuses a call whose token lacks any of `scopes`. The client gets a 403 that names all of
    /// them, so that one new consent is enough. Call it first in a tool.
    pub fn require(&self, scopes: &[&'static str]) -> Result<(), ErrorData> {
        if scopes.iter().all(|needed| self.scopes.iter().any(|scope| scope == needed)) {
            return Ok(());
        }
        self.missing.set(scopes);
        Err(ErrorData::invalid_request("the token lacks a scope that this needs", None))
    }
}

impl<C: AsRequestContext> FromContextPart<C> for Caller {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        let parts = context.as_request_context().extensions.get::<Parts>();
        parts.and_then(|parts| parts.extensions.get::<Self>()).cloned().ok_or_else(|| {
            ErrorData::internal_error("the guard does not stand in front of this server", None)
        })
    }
}
