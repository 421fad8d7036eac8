//! The verified caller of a request.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use keys::AccessTokenClaims;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::common::{AsRequestContext, FromContextPart},
    service::RequestContext,
};

use crate::{
    declaration::{Declared, declared_needs, group_of, is_hidden},
    deny_list::Revocable,
    scope_hierarchy::ScopeHierarchy,
};

/// The request was not authenticated, so it must not be served.
const NOT_GUARDED: &str = "no guard protects this service";

/// The verified caller: a user at an issuer, through one client. Take it as a parameter of a tool,
/// `async fn echo(&self, caller: Caller, …)`, or of an axum handler. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Known>);

#[derive(Debug)]
struct Known {
    claims: CallerClaims,
    owner: Owner,
}

/// What the verified token says.
#[derive(Clone, Debug)]
pub struct CallerClaims {
    /// The user's identifier at the issuer (`sub`).
    pub subject: String,
    /// Issuer identifier (`iss`).
    pub issuer: String,
    /// Full name, with the scope `profile`.
    pub name: Option<String>,
    /// Login name, with the scope `profile`.
    pub preferred_username: Option<String>,
    /// URL of a profile picture, with the scope `profile`.
    pub picture: Option<String>,
    /// E-mail address, with the scope `email`.
    pub email: Option<String>,
    /// Whether the issuer has verified the e-mail address.
    pub email_verified: bool,
    /// The client that calls on behalf of the user.
    pub client_id: String,
    /// Who acts for the subject, where the token was delegated (`act`, RFC 8693 §4.1).
    pub actor: Option<String>,
    /// The scopes of the token, and all that they imply.
    pub scopes: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) issued_at: i64,
    /// Expiry of the token, in seconds since 1970.
    pub expires_at: i64,
    /// Identifier of the token (`jti`). Empty if an introspection response names none.
    pub token_id: String,
    /// Identifier of the key that signed the token (`kid`). `None` for an opaque token.
    pub key_id: Option<String>,
}

/// The owner of a session, a task or a request state. The same user through another client, or at
/// another issuer, is a different owner. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner(Arc<OwnerParts>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct OwnerParts {
    user: User,
    client_id: String,
}

/// A user at an issuer, through any client. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct User(Arc<UserParts>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct UserParts {
    issuer: String,
    subject: String,
}

impl User {
    pub(crate) fn new(issuer: &str, subject: &str) -> Self {
        Self(Arc::new(UserParts { issuer: issuer.into(), subject: subject.into() }))
    }
}

impl Owner {
    fn new(claims: &CallerClaims) -> Self {
        let user = User::new(&claims.issuer, &claims.subject);
        Self(Arc::new(OwnerParts { user, client_id: claims.client_id.clone() }))
    }

    pub(crate) fn user(&self) -> &User {
        &self.0.user
    }

    /// Bytes that identify the owner uniquely, to bind a sealed value to.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Each part is preceded by its length, so that no two owners have the same bytes.
        let OwnerParts { user, client_id } = &*self.0;
        let parts = [&user.0.issuer, &user.0.subject, client_id];
        parts
            .into_iter()
            .flat_map(|part| {
                let length = u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
                length.into_iter().chain(part.bytes())
            })
            .collect()
    }
}

impl std::ops::Deref for Caller {
    type Target = CallerClaims;

    fn deref(&self) -> &CallerClaims {
        &self.0.claims
    }
}

impl Caller {
    fn new(claims: CallerClaims) -> Self {
        let owner = Owner::new(&claims);
        Self(Arc::new(Known { claims, owner }))
    }

    pub(crate) fn from_claims(
        claims: AccessTokenClaims,
        key_id: Option<String>,
        hierarchy: &ScopeHierarchy,
    ) -> Self {
        let granted = claims.scopes().map(str::to_owned).collect();
        Self::new(CallerClaims {
            scopes: hierarchy.expand(granted),
            subject: claims.sub,
            issuer: claims.iss,
            name: claims.name,
            preferred_username: claims.preferred_username,
            picture: claims.picture,
            email: claims.email,
            email_verified: claims.email_verified.unwrap_or_default(),
            client_id: claims.client_id,
            actor: claims.act.map(|actor| actor.sub),
            groups: claims.groups,
            issued_at: claims.iat,
            expires_at: claims.exp,
            token_id: claims.jti,
            key_id,
        })
    }

    /// The caller of a request, for handlers that get a context instead of parameters.
    ///
    /// # Errors
    /// An internal error if no guard protects the server.
    pub fn from_context(context: &RequestContext<RoleServer>) -> Result<Self, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        parts
            .and_then(|parts| parts.extensions.get::<Self>())
            .cloned()
            .ok_or_else(|| ErrorData::internal_error(NOT_GUARDED, None))
    }

    pub(crate) fn revocable(&self) -> Revocable<'_> {
        Revocable {
            token_id: &self.token_id,
            key_id: self.key_id.as_deref(),
            subject: &self.subject,
            client_id: &self.client_id,
            issued_at: self.issued_at,
        }
    }

    /// How to address the user: their full name, else their login name, else their subject.
    pub fn display_name(&self) -> &str {
        let names = [&self.name, &self.preferred_username];
        let name = names.into_iter().flatten().find(|name| !name.is_empty());
        name.unwrap_or(&self.subject)
    }

    /// Whether the token has `scope`, or a scope that implies it.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    /// The groups that the issuer says the user is in, in its order. Empty if the token has no such claim,
    /// see [`GuardBuilder::with_groups_claim`](crate::GuardBuilder::with_groups_claim).
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Whether the caller has the scope, or is in the group, that a requirement names.
    pub(crate) fn meets(&self, requirement: &str) -> bool {
        match group_of(requirement) {
            Some(group) => self.groups.iter().any(|known| known == group),
            None => self.has(requirement),
        }
    }

    /// Removes the definitions that are [hidden](crate::hidden_without) from the caller. Send the
    /// resulting list with the cache scope `private`, because it depends on the caller.
    pub fn visible<T: Declared>(&self, mut definitions: Vec<T>) -> Vec<T> {
        definitions.retain(|definition| {
            let needed = declared_needs(definition).unwrap_or_default();
            !is_hidden(definition) || needed.iter().all(|it| self.meets(it))
        });
        definitions
    }

    /// The owner of what this caller creates.
    pub fn owner(&self) -> Owner {
        self.0.owner.clone()
    }
}

impl<C: AsRequestContext> FromContextPart<C> for Caller {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        Self::from_context(context.as_request_context())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or((StatusCode::INTERNAL_SERVER_ERROR, NOT_GUARDED))
    }
}

#[cfg(test)]
pub(crate) fn caller(subject: &str, client_id: &str, scopes: &[&str]) -> Caller {
    Caller::new(CallerClaims {
        subject: subject.into(),
        issuer: "https://a.test".into(),
        name: None,
        preferred_username: None,
        picture: None,
        email: None,
        email_verified: false,
        client_id: client_id.into(),
        actor: None,
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        groups: Vec::new(),
        issued_at: 0,
        expires_at: i64::MAX,
        token_id: String::new(),
        key_id: None,
    })
}

#[cfg(test)]
impl Caller {
    pub(crate) fn in_groups(&self, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|group| (*group).into()).collect();
        Self::new(CallerClaims { groups, ..self.0.claims.clone() })
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::Resource;

    use super::*;
    use crate::{hidden_without, needs};

    #[test]
    fn a_list_leaves_out_what_is_hidden_from_the_caller_and_nothing_else() {
        let list = || {
            vec![
                Resource::new("a:1", "undeclared"),
                Resource::new("a:2", "needs").with_meta(needs(["write"])),
                Resource::new("a:3", "hidden").with_meta(hidden_without(["write"])),
                Resource::new("a:4", "hidden").with_meta(hidden_without(["group:staff"])),
            ]
        };
        assert_eq!(caller("nick", "c", &[]).visible(list()).len(), 2);
        assert_eq!(caller("nick", "c", &["write"]).visible(list()).len(), 3);
        let member = caller("nick", "c", &["write"]).in_groups(&["staff"]);
        assert_eq!(member.visible(list()).len(), 4);
    }

    #[test]
    fn the_parts_of_an_owner_do_not_run_into_each_other() {
        let bytes = |subject, client| caller(subject, client, &[]).owner().to_bytes();
        assert_ne!(bytes("ab", "c"), bytes("a", "bc"));
        assert_eq!(bytes("a", "b"), bytes("a", "b"));
    }
}
