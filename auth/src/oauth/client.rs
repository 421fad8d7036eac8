//! A client, whatever way it became known.

use serde::{Deserialize, Serialize};

use super::{
    error::{ErrorCode, OAuthError},
    redirect_uri::RedirectUri,
};

/// A grant that a client may register for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
}

impl GrantType {
    /// Every grant served, as metadata lists them.
    pub const ALL: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// The grant of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

/// How a client proves itself at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// It cannot: a public client.
    None,
    /// RFC 6749 §2.3.1, in the header.
    ClientSecretBasic,
    /// RFC 6749 §2.3.1, in the body.
    ClientSecretPost,
}

impl AuthenticationMethod {
    /// Every method served, as metadata lists them.
    pub const ALL: [Self; 3] = [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// The method of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// Where a client is known from: how much its own words are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// An operator entered it.
    PreRegistered,
    /// It registered itself (RFC 7591); everything about it is its own claim.
    Registered,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Where answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for.
    pub grant_types: Vec<GrantType>,
    /// How it proves itself.
    pub authentication: AuthenticationMethod,
    /// Hashes of its live secrets; empty for a public client.
    pub secret_hashes: Vec<String>,
    /// The resource that it is, where it is a resource server that may introspect.
    pub resource: Option<String>,
    /// Where it is known from.
    pub provenance: Provenance,
}

impl Client {
    /// Refuses a grant that the client did not register for.
    pub fn check_grant(&self, grant: GrantType) -> Result<(), OAuthError> {
        match self.grant_types.contains(&grant) {
            true => Ok(()),
            false => Err(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "grant_not_registered",
                format!("This client is not registered for the grant {}.", grant.as_str()),
            )),
        }
    }
}
