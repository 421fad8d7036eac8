//! How identity providers write access tokens, where they differ from RFC 9068.
//!
//! A profile relaxes only what its provider cannot give. Signature, issuer, audience and expiry are checked
//! with each.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};

use super::VerifyError;

/// Longest lifetime of a token, in seconds. A stolen token could be used for as long.
const MAX_LIFETIME: i64 = 24 * 3600;
/// Longest lifetime at providers whose operators can choose it: 30 days, the longest of Auth0.
const MAX_CHOSEN_LIFETIME: i64 = 30 * MAX_LIFETIME;
/// Claims that only ID tokens have (OpenID Connect Core §2, §3.3.2.11). Where access tokens have no type of
/// their own, these tell them apart.
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Signature algorithms that only profiles accept, besides those of this crate.
const FURTHER_ALGORITHMS: [&str; 9] =
    ["ES384", "ES512", "RS384", "RS512", "PS256", "PS384", "PS512", "Ed25519", "EdDSA"];

/// The provider whose access tokens are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Tokens as RFC 9068 wants them.
    #[default]
    Rfc9068,
    /// Authentik.
    Authentik,
    /// Auth0, with its own dialect of tokens or that of RFC 9068.
    Auth0,
    /// Amazon Cognito user pools.
    Cognito,
    /// Duende IdentityServer.
    Duende,
    /// Microsoft Entra ID, tokens of version 1 and 2.
    Entra,
    /// Ory Hydra, with the strategy `jwt`.
    Hydra,
    /// Keycloak.
    Keycloak,
    /// Logto.
    Logto,
    /// Okta, with a custom authorization server.
    Okta,
    /// Spring Authorization Server.
    Spring,
    /// Zitadel.
    Zitadel,
}

/// Where a provider writes what.
struct Table {
    profile: Profile,
    name: &'static str,
    /// The accepted `typ` as media types; empty for a header without.
    types: &'static [&'static str],
    /// The claims that may name the client; the first that is there counts.
    client: &'static [&'static str],
    /// The same for scopes.
    scope: &'static [&'static str],
    /// The claims that tell an access token from an ID token. At least one must be there, and its values if
    /// they matter.
    mark: Option<(&'static [&'static str], &'static [&'static str])>,
    /// Audiences of others that do not matter; `*` for all.
    others: &'static [&'static str],
    max_lifetime: i64,
}

/// The claims of RFC 9068 in their places.
const STRICT: Table = Table {
    profile: Profile::Rfc9068,
    name: "rfc9068",
    types: &["at+jwt"],
    client: &["client_id"],
    scope: &["scope"],
    mark: None,
    others: &[],
    max_lifetime: MAX_LIFETIME,
};

/// What each provider does differently.
static TABLES: [Table; 11] = [
    Table {
        profile: Profile::Authentik,
        name: "authentik",
        types: &["jwt"],
        client: &["client_id", "azp"],
        ..STRICT
    },
    Table {
        profile: Profile::Auth0,
        name: "auth0",
        types: &["jwt", "at+jwt"],
        client: &["client_id", "azp"],
        max_lifetime: MAX_CHOSEN_LIFETIME,
        ..STRICT
    },
    Table {
        profile: Profile::Cognito,
        name: "cognito",
        types: &["", "jwt"],
        mark: Some((&["token_use"], &["access"])),
        ..STRICT
    },
    Table { profile: Profile::Duende, name: "duende", ..STRICT },
    Table {
        profile: Profile::Entra,
        name: "entra",
        types: &["jwt"],
        client: &["azp", "appid"],
        scope: &["scp"],
        mark: Some((&["scp", "roles"], &[])),
        ..STRICT
    },
    Table {
        profile: Profile::Hydra,
        name: "hydra",
        types: &["jwt", "at+jwt"],
        scope: &["scp", "scope"],
        mark: Some((&["scp", "scope"], &[])),
        ..STRICT
    },
    Table {
        profile: Profile::Keycloak,
        name: "keycloak",
        types: &["jwt", "at+jwt"],
        client: &["client_id", "azp"],
        mark: Some((&["typ"], &["Bearer", "DPoP"])),
        others: &["account"],
        ..STRICT
    },
    Table { profile: Profile::Logto, name: "logto", ..STRICT },
    Table {
        profile: Profile::Okta,
        name: "okta",
        types: &["", "jwt", "at+jwt", "okta-internal-at+jwt"],
        client: &["cid"],
        scope: &["scp"],
        mark: Some((&["cid"], &[])),
        ..STRICT
    },
    Table {
        profile: Profile::Spring,
        name: "spring",
        types: &["", "jwt", "at+jwt"],
        client: &["client_id", "azp", "aud"],
        mark: Some((&["scope"], &[])),
        ..STRICT
    },
    Table {
        profile: Profile::Zitadel,
        name: "zitadel",
        types: &["jwt", "at+jwt"],
        client: &["client_id", "azp"],
        others: &["*"],
        ..STRICT
    },
];

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 12] = [
        Self::Rfc9068,
        Self::Authentik,
        Self::Auth0,
        Self::Cognito,
        Self::Duende,
        Self::Entra,
        Self::Hydra,
        Self::Keycloak,
        Self::Logto,
        Self::Okta,
        Self::Spring,
        Self::Zitadel,
    ];

    fn table(self) -> &'static Table {
        TABLES.iter().find(|table| table.profile == self).unwrap_or(&STRICT)
    }

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        self.table().name
    }

    /// What the profile accepts that RFC 9068 does not, for the log at start.
    pub fn relaxations(self) -> String {
        let table = self.table();
        let mut all = Vec::new();
        if table.types != STRICT.types {
            let types = table.types.iter().map(|typ| if typ.is_empty() { "none" } else { *typ });
            all.push(format!("typ {}", types.collect::<Vec<_>>().join(" or ")));
        }
        if table.client != STRICT.client {
            all.push(format!("the client in {}", table.client.join(" or ")));
        }
        all.push(format!("scopes in {}, also as a list", table.scope.join(" or ")));
        if !table.others.is_empty() {
            all.push(format!("the further audiences {}", table.others.join(", ")));
        }
        if table.max_lifetime != STRICT.max_lifetime {
            all.push(format!("lifetimes of {} days", table.max_lifetime / MAX_LIFETIME));
        }
        all.push("no jti, no iat, and all asymmetric algorithms".into());
        if self == Self::Rfc9068 { "nothing".into() } else { all.join("; ") }
    }

    pub(super) fn accepts_type(self, typ: Option<&str>) -> bool {
        self.table().types.contains(&typ.unwrap_or_default())
    }

    /// Whether signatures may be made with an algorithm that this crate does not sign with.
    pub(super) fn accepts_algorithm(self, name: &str) -> bool {
        self != Self::Rfc9068 && FURTHER_ALGORITHMS.contains(&name)
    }

    pub(super) fn max_lifetime(self) -> i64 {
        self.table().max_lifetime
    }

    /// Whether an audience besides the own ones does not matter.
    pub(super) fn ignores_audience(self, name: &str) -> bool {
        let others = self.table().others;
        others.contains(&"*") || others.contains(&name)
    }

    /// Whether claims are read as they are.
    pub(super) fn is_strict(self) -> bool {
        self == Self::Rfc9068
    }

    /// Puts the claims where RFC 9068 has them.
    pub(super) fn normalize(self, claims: &mut Map<String, Value>) -> Result<(), VerifyError> {
        let table = self.table();
        if OF_ID_TOKENS.iter().any(|name| claims.contains_key(*name)) {
            return Err(VerifyError::WrongType);
        }
        if let Some((names, values)) = table.mark {
            let mut marks = names.iter().filter_map(|name| claims.get(*name));
            let is_marked = marks.any(|mark| match mark.as_str() {
                Some(text) if !values.is_empty() => values.contains(&text),
                _ => values.is_empty() && !mark.is_null(),
            });
            if !is_marked {
                return Err(VerifyError::WrongType);
            }
        }
        let client = table.client.iter().find_map(|name| text(claims.get(*name)?));
        let client = client.ok_or(VerifyError::BadClaims)?.to_owned();
        let scope = table.scope.iter().find_map(|name| claims.get(*name));
        let scope =
            scope.map_or_else(|| Some(String::new()), words).ok_or(VerifyError::BadClaims)?;
        if self == Self::Cognito && !claims.contains_key("aud") {
            // Without resource binding, the client is all that limits where a token may be used.
            claims.insert("aud".into(), client.clone().into());
        }
        claims.insert("client_id".into(), client.into());
        claims.insert("scope".into(), scope.into());
        let id = claims.get("jti").and_then(Value::as_str).unwrap_or_default().to_owned();
        claims.insert("jti".into(), id.into());
        if !claims.contains_key("iat")
            && let Some(expiry) = claims.get("exp").and_then(Value::as_i64)
        {
            // Then nothing limits the lifetime but the provider.
            let start = expiry.saturating_sub(table.max_lifetime);
            claims.insert("iat".into(), start.into());
        }
        Ok(())
    }
}

/// A name, also as the only one of a list.
fn text(value: &Value) -> Option<&str> {
    let one = match value {
        Value::Array(values) => values.first().filter(|_| values.len() == 1)?,
        value => value,
    };
    one.as_str().filter(|text| !text.is_empty())
}

/// Scopes with single spaces between them, from a string or a list of strings.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let words: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            words.map(|words| words.join(" "))
        }
        Value::Null => Some(String::new()),
        _ => None,
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("{name:?} is not a known provider; write one of {all}")
        })
    }
}

#[cfg(test)]
mod tests;
