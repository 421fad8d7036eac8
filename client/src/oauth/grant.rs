//! A grant: the tokens that a sign-in leads to, their issuer, client, scopes and lifetime.

use net::clock::Clock;
use serde::{Deserialize, Serialize};

use super::{
    OAuthError, discovery::Discovery, dpop::DpopKey, registration::ClientRegistration,
    scope::Scope, token::TokenResponse, user_info::Person,
};
use crate::secret::Secret;

/// What the authorization server granted to this installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The authorization server, exactly as its metadata spells it.
    pub(crate) issuer: String,
    /// The MCP server, exactly as its metadata spells it (RFC 8707).
    pub(crate) resource: String,
    /// The registration it was granted to: a refresh token works for no other (RFC 6749 §6).
    pub(crate) client: ClientRegistration,
    pub(crate) access_token: Secret,
    /// The refresh token, if one was issued and has not been refused since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) scope: Scope,
    /// The requested scopes, which a step-up requests again.
    pub(crate) requested_scope: Scope,
    /// When the access token was issued, in seconds since 1970.
    pub(crate) issued_at: i64,
    /// When the access token expires, in seconds since 1970, if the server said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
    /// The private key that the tokens are bound to, if they are (RFC 9449).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dpop_key: Option<Secret>,
    /// The user who signed in, if the authorization server says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<Person>,
}

impl Grant {
    /// The key that the tokens are bound to.
    pub(crate) fn restored_key(&self, clock: &Clock) -> Result<Option<DpopKey>, OAuthError> {
        self.dpop_key.as_ref().map(|stored| DpopKey::restore(stored, clock)).transpose()
    }

    /// Whether it was issued by the authorization server, and for the resource, of `discovery`.
    pub(crate) fn is_from(&self, discovery: &Discovery) -> bool {
        self.issuer == discovery.authorization_server.issuer
            && self.resource == discovery.resource.resource
    }

    /// Whether the access token has expired.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Whether it is time to refresh: 60 seconds before the end, or at half-life if that is later.
    pub(crate) fn is_due(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| {
            let margin = 60.min((expires_at - self.issued_at) / 2);
            expires_at - margin <= now
        })
    }

    /// Whether the grant can still lead to an answer without asking the user.
    pub(crate) fn is_usable(&self, now: i64) -> bool {
        self.refresh_token.is_some() || !self.is_expired(now)
    }

    /// The grant after a refresh. Without a new refresh token the old one stays valid, and without
    /// a scope the old scope does (OAuth 2.1 §4.3.2).
    #[must_use]
    pub(crate) fn renewed(&self, response: &TokenResponse, now: i64) -> Self {
        Self {
            access_token: response.access_token.clone(),
            refresh_token: response.refresh_token.clone().or_else(|| self.refresh_token.clone()),
            scope: response.scope.clone().unwrap_or_else(|| self.scope.clone()),
            issued_at: now,
            expires_at: response.expires_in.map(|seconds| now + seconds),
            ..self.clone()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The public client of that name.
    pub(crate) fn registration(client_id: &str) -> ClientRegistration {
        ClientRegistration::public(
            client_id.to_owned(),
            "http://127.0.0.1:4242/callback".to_owned(),
        )
    }

    /// A grant with a refresh token, issued and expiring then.
    pub(crate) fn grant(issued_at: i64, expires_at: Option<i64>) -> Grant {
        Grant {
            issuer: "https://as.example".to_owned(),
            resource: "https://mcp.example/mcp".to_owned(),
            client: registration("c1"),
            access_token: Secret::new("at"),
            refresh_token: Some(Secret::new("rt")),
            scope: Scope::parse("mcp:tools"),
            requested_scope: Scope::parse("mcp:tools profile"),
            issued_at,
            expires_at,
            dpop_key: None,
            person: None,
        }
    }

    #[test]
    fn a_token_is_due_a_minute_early_or_at_half_life() {
        let long = grant(0, Some(900));
        assert!(!long.is_due(839) && long.is_due(840));
        let short = grant(0, Some(10));
        assert!(
            !short.is_due(4) && short.is_due(5) && !short.is_expired(9) && short.is_expired(10)
        );
        assert!(!grant(0, None).is_due(i64::MAX));
    }

    #[test]
    fn a_grant_without_refresh_token_is_usable_until_it_expires() {
        let mut grant = grant(0, Some(900));
        assert!(grant.is_usable(5000));
        grant.refresh_token = None;
        assert!(grant.is_usable(899) && !grant.is_usable(900));
    }
}
