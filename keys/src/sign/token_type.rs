//! The types of signed tokens.

use crate::verify::ACCESS_TOKEN_TYPE;

/// The `typ` of a signed token. It keeps one type from being used as another (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt` (RFC 9068 §2.1).
    AccessToken,
    /// `JWT` (OpenID Connect Core §2).
    IdToken,
    /// `logout+jwt` (OpenID Connect Back-Channel Logout §2.4).
    LogoutToken,
    /// `JWT`: authenticates a client (RFC 7523 §2.2).
    ClientAssertion,
    /// `oauth-id-jag+jwt`: an identity provider states that a user may use a client
    /// (draft-ietf-oauth-identity-assertion-authz-grant §3).
    IdentityAssertion,
    /// `JWT`: a signed userinfo response (OpenID Connect Core §5.3.2).
    UserInfo,
    /// `token-introspection+jwt` (RFC 9701 §5).
    TokenIntrospection,
    /// `caller-identity+jwt`: a gate tells the server behind it who calls.
    CallerIdentity,
}

impl TokenType {
    /// The value of `typ`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => ACCESS_TOKEN_TYPE,
            Self::IdToken | Self::ClientAssertion | Self::UserInfo => "JWT",
            Self::IdentityAssertion => "oauth-id-jag+jwt",
            Self::TokenIntrospection => "token-introspection+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::CallerIdentity => "caller-identity+jwt",
        }
    }
}
