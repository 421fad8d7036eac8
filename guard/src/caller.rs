//! Who calls.

use std::sync::Arc;

use axum::http::request::Parts;
use keys::AccessTokenClaims;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::common::{AsRequestContext, FromContextPart},
    service::RequestContext,
};

use crate::{
    declaration::{Declared, declared_scopes, is_hidden},
    deny_list::Revocable,
    scope_hierarchy::ScopeHierarchy,
};

/// The verified caller. Take it as a parameter of a tool:
/// `async fn echo(&self, caller: Caller, …)`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Facts>);

/// What the token says.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The person, as the issuer knows them (`sub`).
    pub subject: String,
    /// Who issued the token (`iss`).
    pub issuer: String,
    /// Full name, with the scope `profile`.
    pub name: Option<String>,
    /// Login name, with the scope `profile`.
    pub preferred_username: Option<String>,
    /// Address of a portrait, with the scope `profile`.
    pub picture: Option<String>,
    /// E-mail address, with the scope `email`.
    pub email: Option<String>,
    /// Whether the issuer knows that the address is the person's.
    pub email_verified: bool,
    /// The program that calls for the person.
    pub client_id: String,
    /// Who acts for the subject, where the token was delegated (`act`, RFC 8693 §4.1).
    pub actor: Option<String>,
    /// What the token may be used for, with all that these scopes hold.
    pub scopes: Vec<String>,
    /// When the token expires, in seconds since 1970.
    pub expires_at: i64,
    /// `jti`, by which the token is revoked; empty where an introspection names none.
    pub token_id: String,
    /// `kid` of the key that signed the token; none for an opaque one.
    pub key_id: Option<String>,
}

/// Whose a session, a task or a state is. The same person through another client, or at another
/// issuer, is somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    person: Person,
    client_id: String,
}

/// A person, as their issuer knows them, through whatever client they come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Person {
    issuer: String,
    subject: String,
}

impl Person {
    pub(crate) fn new(issuer: &str, subject: &str) -> Self {
        Self { issuer: issuer.into(), subject: subject.into() }
    }
}

impl Owner {
    /// The person behind the client.
    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// Bytes that no other owner has, to bind a sealed value to.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Each part is preceded by its length, so that no part can pose as the end of another.
        let parts = [&self.person.issuer, &self.person.subject, &self.client_id];
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
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl Caller {
    pub(crate) fn from_claims(
        claims: AccessTokenClaims,
        key_id: Option<String>,
        hierarchy: &ScopeHierarchy,
    ) -> Self {
        let granted = claims.scopes().map(str::to_owned).collect();
        Self(Arc::new(Facts {
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
            expires_at: claims.exp,
            token_id: claims.jti,
            key_id,
        }))
    }

    /// The caller of a request, where a handler has a context instead of parameters.
    pub fn of(context: &RequestContext<RoleServer>) -> Result<Self, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        parts.and_then(|parts| parts.extensions.get::<Self>()).cloned().ok_or_else(|| {
            ErrorData::internal_error("the guard does not stand in front of this server", None)
        })
    }

    /// By what names the token can be revoked.
    pub(crate) fn revocable(&self) -> Revocable<'_> {
        Revocable { token_id: &self.token_id, key_id: self.key_id.as_deref() }
    }

    /// What to call the person: their name, else their login name, else their subject.
    pub fn shown_name(&self) -> &str {
        let names = [&self.name, &self.preferred_username];
        let shown = names.into_iter().flatten().find(|name| !name.is_empty());
        shown.unwrap_or(&self.subject)
    }

    /// Whether the token may be used for `scope`.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    /// Those of a list that the caller may see: all but the ones that are
    /// [hidden](super::hidden_without) from them. The result depends on the caller, so send it
    /// with the cache scope `private`.
    pub fn visible<T: Declared>(&self, mut definitions: Vec<T>) -> Vec<T> {
        definitions.retain(|definition| {
            let needed = declared_scopes(definition).unwrap_or_default();
            !is_hidden(definition) || needed.iter().all(|scope| self.has(scope))
        });
        definitions
    }

    /// Whose the things are that this caller makes.
    pub fn owner(&self) -> Owner {
        let person = Person::new(&self.issuer, &self.subject);
        Owner { person, client_id: self.client_id.clone() }
    }
}

impl<C: AsRequestContext> FromContextPart<C> for Caller {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        Self::of(context.as_request_context())
    }
}

#[cfg(test)]
pub(crate) fn caller(subject: &str, client_id: &str, scopes: &[&str]) -> Caller {
    Caller(Arc::new(Facts {
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
        expires_at: i64::MAX,
        token_id: String::new(),
        key_id: None,
    }))
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
            ]
        };
        assert_eq!(caller("nick", "c", &[]).visible(list()).len(), 2);
        assert_eq!(caller("nick", "c", &["write"]).visible(list()).len(), 3);
    }

    #[test]
    fn the_parts_of_an_owner_do_not_run_into_each_other() {
        let bytes = |subject, client| caller(subject, client, &[]).owner().to_bytes();
        assert_ne!(bytes("ab", "c"), bytes("a", "bc"));
        assert_eq!(bytes("a", "b"), bytes("a", "b"));
    }
}
