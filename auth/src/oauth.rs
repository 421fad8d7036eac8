//! The rules of OAuth as pure functions: no axum, no database, no clock.

pub(crate) mod assertion;
pub(crate) mod authorization_request;
pub(crate) mod claim_name;
pub mod client;
pub mod client_assertion;
pub mod client_id_url;
pub(crate) mod error;
pub mod foreign_text;
pub(crate) mod loopback;
pub(crate) mod parameters;
pub(crate) mod pkce;
pub(crate) mod redirect_target;
pub(crate) mod redirect_uri;
pub mod refresh_token;
pub(crate) mod resource;
pub(crate) mod resource_identifier;
pub(crate) mod restrictions;
pub(crate) mod scope;
pub mod secret;
pub(crate) mod trusted_issuer;
pub(crate) mod user_code;

pub(crate) use self::{
    authorization_request::AuthorizationRequest,
    client::{AuthenticationMethod, Client, ClientMetadata, GrantType, Provenance},
    error::{ErrorCode, OAuthError},
    foreign_text::UpstreamSubject,
    parameters::Parameters,
    redirect_target::RedirectTarget,
    redirect_uri::RedirectUri,
    refresh_token::RefreshToken,
    resource::Resource,
    scope::ScopeSet,
    secret::{Secret, SecretKind},
    trusted_issuer::TrustedIssuer,
    user_code::UserCode,
};
