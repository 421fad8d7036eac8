//! The claims of an access token.

use serde::{Deserialize, Serialize};

use super::claim_formats::{lenient, numeric_date, optional_numeric_date};

/// `aud`: one resource, or several (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A single string.
    One(String),
    /// An array of strings.
    Many(Vec<String>),
}

impl Audience {
    /// Whether `name` is one of the audiences, compared byte for byte.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }

    /// Whether the audience is one of `own` and, besides, at most `issuer` itself or its `/userinfo`,
    /// which some issuers add. A token for other services too could be stolen from them.
    pub fn is_for(&self, own: &[String], issuer: &str) -> bool {
        match self {
            Self::One(one) => own.contains(one),
            Self::Many(many) => {
                many.iter().any(|name| own.contains(name))
                    && many.iter().all(|name| own.contains(name) || is_issuer(name, issuer))
            }
        }
    }
}

fn is_issuer(name: &str, issuer: &str) -> bool {
    let rest = name.strip_prefix(issuer.trim_end_matches('/'));
    rest.is_some_and(|rest| ["", "/", "/userinfo"].contains(&rest))
}

/// Claims of an access token (RFC 9068 §2.2). Times are seconds since 1970.
///
/// There is no `Default`, because an issuer must decide about every claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Issuer identifier of the authorization server.
    pub iss: String,
    /// The user, or the client itself if no user is involved.
    pub sub: String,
    /// The resource that the token is for.
    pub aud: Audience,
    /// The client that the token was issued to (RFC 8693 §4.3).
    pub client_id: String,
    /// Granted scopes, separated by single spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Time of expiry.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: i64,
    /// Time of issue.
    #[serde(deserialize_with = "numeric_date")]
    pub iat: i64,
    /// Start of validity. Never issued here, but checked if present.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_numeric_date"
    )]
    pub nbf: Option<i64>,
    /// Unique identifier of the token.
    pub jti: String,
    /// When the user last authenticated.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_numeric_date"
    )]
    pub auth_time: Option<i64>,
    /// How strongly the user authenticated, as the upstream says (RFC 9068 §2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub acr: Option<String>,
    /// The key that the token is bound to. Without it, the token is a bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Who acts on behalf of `sub` (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Full name, with the scope `profile` (OpenID Connect Core §5.1).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Login name, with the scope `profile`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub preferred_username: Option<String>,
    /// URL of a profile picture, with the scope `profile`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub picture: Option<String>,
    /// E-mail address, with the scope `email`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub email: Option<String>,
    /// Whether the upstream has verified the e-mail address, with the scope `email`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub email_verified: Option<bool>,
    /// Groups of the user, from the claim that [`Verifier::with_groups_claim`](crate::Verifier) names.
    #[serde(skip)]
    pub groups: Vec<String>,
}

/// The time within which a token is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The later of `iat` and `nbf`.
    pub starts_at: i64,
    /// `exp`.
    pub expires_at: i64,
}

impl AccessTokenClaims {
    /// The time within which the token is valid.
    pub fn lifetime(&self) -> Lifetime {
        let starts_at = self.nbf.map_or(self.iat, |nbf| nbf.max(self.iat));
        Lifetime { starts_at, expires_at: self.exp }
    }

    /// The granted scopes, one by one.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

/// `cnf`: the key whose proof must come with the token (RFC 9449 §6.1). Other bindings are refused,
/// because nothing here enforces them (RFC 7800 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Thumbprint of the key (RFC 7638).
    pub jkt: String,
}

/// `act`: the party that acts for the subject, and those before it (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The acting client.
    pub sub: String,
    /// The previous actor, for information only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}
