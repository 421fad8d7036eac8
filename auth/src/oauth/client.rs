//! A client, however it became known.

mod metadata;
mod requested;

use keys::Audience;
use uuid::Uuid;

pub use self::metadata::{ClientMetadata, OperatorSettings};
pub(crate) use self::{metadata::check_name, requested::RequestedMetadata};
use super::{
    error::{ErrorCode, OAuthError},
    resource::Resource,
    scope::ScopeSet,
};
use crate::string_enum::string_enum;

string_enum! {
    /// A grant that a client may register for.
    pub enum GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
        /// RFC 8628 §3.4.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 8693 §2.1.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// RFC 7523 §2.1.
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
    }
}

impl GrantType {
    /// Whether clients may register themselves for this grant, because a user or a trusted issuer
    /// stands behind each use of it.
    pub(crate) fn is_open(self) -> bool {
        matches!(
            self,
            Self::AuthorizationCode | Self::RefreshToken | Self::DeviceCode | Self::JwtBearer
        )
    }
}

string_enum! {
    /// How a client authenticates at the token endpoint (RFC 7591 §2).
    #[derive(Default)]
    pub enum AuthenticationMethod {
        /// It cannot: a public client.
        #[default]
        None = "none",
        /// RFC 6749 §2.3.1, in the header.
        ClientSecretBasic = "client_secret_basic",
        /// RFC 6749 §2.3.1, in the body.
        ClientSecretPost = "client_secret_post",
        /// RFC 7523 §2.2: an assertion that the client signed.
        PrivateKeyJwt = "private_key_jwt",
    }
}

impl AuthenticationMethod {
    pub(crate) fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

string_enum! {
    /// Where a client runs, which decides what redirect URIs it may have (OpenID Connect
    /// Registration §2).
    #[derive(Default)]
    pub enum ApplicationType {
        /// On the user's device.
        Native = "native",
        /// On a server.
        #[default]
        Web = "web",
    }
}

/// Where a client is known from, and so how far its metadata can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// An operator entered it.
    PreRegistered,
    /// It registered itself (RFC 7591); everything about it is its own claim.
    Registered,
    /// The document at its `client_id` describes it, and the host of that URL vouches for the
    /// document (draft-ietf-oauth-client-id-metadata-document).
    MetadataDocument,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) provenance: Provenance,
    pub(crate) metadata: ClientMetadata,
    /// Hashes of the secrets that are accepted now; empty for a client without a secret.
    pub(crate) secret_hashes: Vec<String>,
    /// Identifier of its open registration, if it has one.
    pub(crate) registration_id: Option<Uuid>,
}

impl Client {
    /// Whether it cannot authenticate.
    pub(crate) fn is_public(&self) -> bool {
        self.metadata.token_endpoint_auth_method == AuthenticationMethod::None
    }

    /// Whether anyone can be this client, without a secret and without an operator.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.provenance != Provenance::PreRegistered || self.is_public()
    }

    /// Whether only the client itself vouches for its metadata.
    pub(crate) fn vouches_for_itself(&self) -> bool {
        self.provenance == Provenance::Registered
    }

    /// Whether tokens with this audience are for the resource that the client is.
    pub(crate) fn is_audience_of(&self, audience: &Audience) -> bool {
        let resource = self.metadata.operator.resource.as_ref();
        resource.is_some_and(|resource| audience.contains(resource))
    }

    /// The key that refresh tokens are bound to. A client that authenticates at every use needs no
    /// second proof (RFC 9449 §5).
    pub(crate) fn key_of_refresh_tokens<'a>(
        &self,
        key_thumbprint: Option<&'a str>,
    ) -> Option<&'a str> {
        key_thumbprint.filter(|_| self.is_public())
    }

    /// The most scopes that the client may have, where an operator set a limit. Clients set none
    /// for themselves, because they ask for more when they need more.
    pub(crate) fn max_scopes(&self) -> Option<&ScopeSet> {
        self.metadata.operator.scope.as_ref()
    }

    /// Of these scopes of a resource, those that the client may have.
    pub(crate) fn restrict(
        &self,
        scope: &ScopeSet,
        resource: &Resource,
    ) -> Result<ScopeSet, OAuthError> {
        let allowed = resource.within(scope, self.max_scopes());
        if allowed.is_empty() {
            return Err(ErrorCode::InvalidScope.error(
                "scope_not_allowed",
                "The client is registered for none of these scopes. Ask for others.",
            ));
        }
        Ok(allowed)
    }

    /// Refuses a grant that the client is not registered for.
    pub(crate) fn check_grant(&self, grant: GrantType) -> Result<(), OAuthError> {
        if self.metadata.grant_types.contains(&grant) {
            return Ok(());
        }
        Err(ErrorCode::UnauthorizedClient.error(
            "grant_not_registered",
            format!("This client is not registered for the grant {}.", grant.as_str()),
        ))
    }
}
