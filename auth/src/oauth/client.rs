//! A client, whatever way it became known.

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{
    error::{ErrorCode, OAuthError},
    redirect_uri::RedirectUri,
    resource::{Resource, TokenFormat},
    scope::ScopeSet,
};

/// A grant that a client may register for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 8628 §3.4.
    DeviceCode,
    /// RFC 8693 §2.1.
    TokenExchange,
    /// RFC 7523 §2.1.
    JwtBearer,
}

impl GrantType {
    /// Every grant served, as metadata lists them.
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// Whether a client may give itself this grant: a person or a trusted issuer stands behind
    /// each use of it.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::AuthorizationCode | Self::RefreshToken | Self::DeviceCode | Self::JwtBearer
        )
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
    /// RFC 7523 §2.2: an assertion that it signed.
    PrivateKeyJwt,
}

impl AuthenticationMethod {
    /// Every method served, as metadata lists them.
    pub const ALL: [Self; 4] =
        [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether the client is given a secret.
    pub fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// Where a client runs, which decides what redirect URIs it may have (OpenID Connect Registration
/// §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a person's device.
    Native,
    /// On a server.
    #[default]
    Web,
}

impl ApplicationType {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Web => "web",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Native, Self::Web].into_iter().find(|one| one.as_str() == name)
    }
}

/// Where a client's public keys are (RFC 7591 §2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientKeys {
    /// It has none.
    #[default]
    None,
    /// `jwks`: the text of a JWK Set.
    Jwks(String),
    /// `jwks_uri`: an address to fetch them from.
    JwksUri(Url),
}

/// Where a client is known from: how much its own words are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// An operator entered it.
    PreRegistered,
    /// It registered itself (RFC 7591); everything about it is its own claim.
    Registered,
    /// The document at its `client_id` describes it; that much the host of that URL vouches for
    /// (draft-ietf-oauth-client-id-metadata-document).
    MetadataDocument,
}

/// A client. Members are named as in RFC 7591 §2 and the specifications that extend it.
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
    /// Hashes of its live secrets; empty for a client without one.
    pub secret_hashes: Vec<String>,
    /// Its public keys.
    pub keys: ClientKeys,
    /// Most that it may ask for; `None` is whatever the resource has.
    pub scope: Option<ScopeSet>,
    /// The resource that it is, where it is a resource server that may introspect.
    pub resource: Option<String>,
    /// Where it runs.
    pub application_type: ApplicationType,
    /// Where people may be sent after they signed out, compared exactly.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Who is told of a sign-out.
    pub backchannel_logout_uri: Option<Url>,
    /// Whether that message must name the session.
    pub backchannel_logout_session_required: bool,
    /// Whether its authorization requests must be pushed (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// Whether its tokens must be bound to a key (RFC 9449 §5.2).
    pub dpop_bound_access_tokens: bool,
    /// What its access tokens are, where it is not what the resource says.
    pub access_token_format: Option<TokenFormat>,
    /// What its ID tokens are signed with, where it is not the default.
    pub id_token_signed_response_alg: Option<String>,
    /// What its userinfo answers are signed with; `None` is plain JSON.
    pub userinfo_signed_response_alg: Option<String>,
    /// Its home page.
    pub client_uri: Option<Url>,
    /// Its picture; no page shows it from there.
    pub logo_uri: Option<Url>,
    /// Its privacy policy.
    pub policy_uri: Option<Url>,
    /// Its terms of service.
    pub tos_uri: Option<Url>,
    /// Where it is known from.
    pub provenance: Provenance,
    /// Identifier of its open registration, if it has one.
    pub registration_id: Option<Uuid>,
}

impl Client {
    /// A public client that may do nothing yet.
    pub fn new(id: impl Into<String>, provenance: Provenance) -> Self {
        Self {
            id: id.into(),
            name: String::new(),
            redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            authentication: AuthenticationMethod::None,
            secret_hashes: Vec::new(),
            keys: ClientKeys::None,
            scope: None,
            resource: None,
            application_type: ApplicationType::Web,
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            require_pushed_authorization_requests: false,
            dpop_bound_access_tokens: false,
            access_token_format: None,
            id_token_signed_response_alg: None,
            userinfo_signed_response_alg: None,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            provenance,
            registration_id: None,
        }
    }

    /// Whether it takes neither a secret nor an operator to be this client.
    pub fn is_anybody(&self) -> bool {
        self.provenance != Provenance::PreRegistered
            || self.authentication == AuthenticationMethod::None
    }

    /// Whether nobody else vouches for what it says of itself.
    pub fn vouches_for_itself(&self) -> bool {
        self.provenance == Provenance::Registered
    }

    /// The key that refresh tokens are bound to: a client that proves itself at every use needs no
    /// second proof (RFC 9449 §5).
    pub fn key_of_refresh_tokens<'a>(&self, key_thumbprint: Option<&'a str>) -> Option<&'a str> {
        key_thumbprint.filter(|_| self.authentication == AuthenticationMethod::None)
    }

    /// The most scopes that the client may have, where an operator set a limit. What a client says
    /// of itself is none, because it asks for more when it needs more.
    pub fn most_scopes(&self) -> Option<&ScopeSet> {
        self.scope.as_ref().filter(|_| self.provenance == Provenance::PreRegistered)
    }

    /// Of these scopes of a resource, those that the client may have.
    pub fn restrict(&self, scope: &ScopeSet, resource: &Resource) -> Result<ScopeSet, OAuthError> {
        let allowed = resource.within(scope, self.most_scopes());
        match allowed.is_empty() {
            true => Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "scope_not_allowed",
                "The client is registered for none of these scopes. Ask for others.",
            )),
            false => Ok(allowed),
        }
    }

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

/// Longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// The name of a client, as people will see it. Without characters that could make a page say
/// something else than what it shows.
pub fn check_name(name: Option<&str>) -> Result<String, OAuthError> {
    let refused = |why| OAuthError::new(ErrorCode::InvalidClientMetadata, "client_name", why);
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("Unnamed client");
    if name.len() > LONGEST_NAME {
        return Err(refused("The client_name is longer than 200 bytes."));
    }
    let misleading =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match name.contains(misleading) {
        true => Err(refused("The client_name holds control characters.")),
        false => Ok(name.into()),
    }
}
