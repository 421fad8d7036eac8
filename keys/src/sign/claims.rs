//! Claims of the tokens that only an authorization server makes.

use serde::Serialize;

/// The claims about a user that scopes reveal (OpenID Connect Core §5.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserClaims {
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// URL of a profile picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the upstream has verified the e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

/// Claims of an ID token (OpenID Connect Core §2). Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdTokenClaims {
    /// Issuer identifier.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// The client again, because some clients look for it here.
    pub azp: String,
    /// Time of expiry.
    pub exp: i64,
    /// Time of issue.
    pub iat: i64,
    /// When the user last authenticated.
    pub auth_time: i64,
    /// Echo of the request's `nonce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Left half of the access token's hash (OpenID Connect Core §3.1.3.6).
    pub at_hash: String,
    /// The session (OpenID Connect Back-Channel Logout §2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The claims that the scopes reveal.
    #[serde(flatten)]
    pub user: UserClaims,
}

/// Claims of a logout token (OpenID Connect Back-Channel Logout §2.4). Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogoutTokenClaims {
    /// Issuer identifier.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The session that has ended.
    pub sid: String,
    /// The client that is told.
    pub aud: String,
    /// Unique identifier of the message, so that a client can ignore a repetition.
    pub jti: String,
    /// Time of issue.
    pub iat: i64,
    /// Time of expiry.
    pub exp: i64,
    /// Says that this is a logout token.
    pub events: LogoutEvents,
}

/// `events` of a logout token: the one member that makes it one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogoutEvents {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    back_channel_logout: NoMembers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct NoMembers {}
