//! Claims that narrow what an assertion may be used for (RFC 7800 §3, RFC 8693 §4, RFC 9396 §9).
//!
//! Each is enforced, or the assertion is refused: a token without the restriction would be worth
//! more than the assertion that it was issued for.

use std::collections::BTreeMap;

use keys::{Audience, Confirmation, UNENFORCED_CLAIMS};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{error::OAuthError, scope::ScopeSet};

/// Claims that are enforced.
const ENFORCED: [&str; 4] = ["acr", "cnf", "resource", "scope"];
/// Further claims that narrow what a workload may do, or say that someone else is behind it.
const OF_A_DELEGATION: [&str; 3] = ["acr", "act", "client_id"];
/// Claims that describe a user or their sign-in, and narrow nothing (OpenID Connect Core §2 and
/// §5.1, OpenID Connect Back-Channel Logout §2.1, RFC 9068 §2.2.3).
const DESCRIPTIVE: [&str; 26] = [
    "address",
    "amr",
    "auth_time",
    "birthdate",
    "email",
    "email_verified",
    "entitlements",
    "family_name",
    "gender",
    "given_name",
    "groups",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "roles",
    "sid",
    "updated_at",
    "ver",
    "website",
    "zoneinfo",
];

/// What the token that comes of an assertion must respect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restrictions {
    pub(crate) resource: Option<Audience>,
    /// The most that the token may allow.
    pub(crate) scope: Option<String>,
    /// How strongly the user proved who they are; the token repeats it.
    pub(crate) acr: Option<String>,
    /// Thumbprint of the key that the token must be bound to.
    key_thumbprint: Option<String>,
}

impl Restrictions {
    /// Reads the claims of an ID-JAG other than those that each must have. `rule` holds the claims
    /// that the operator demands, `ignored` those that they know to narrow nothing. Any other claim
    /// that is neither enforced nor descriptive might narrow something, so it is refused.
    pub(crate) fn of_identity(
        claims: &Map<String, Value>,
        rule: &BTreeMap<String, Value>,
        ignored: &[String],
    ) -> Result<Self, OAuthError> {
        let is_known = |name: &str| {
            ENFORCED.contains(&name)
                || DESCRIPTIVE.contains(&name)
                || rule.contains_key(name)
                || ignored.iter().any(|ignored| ignored == name)
        };
        match present(claims).find(|name| !is_known(name)) {
            Some(name) => Err(unenforced(name)),
            None => Self::read(claims),
        }
    }

    /// Reads the claims of a workload's assertion. Platforms describe a workload at length, so only
    /// claims that are known to narrow are refused, unless the operator's `rule` demands them.
    pub(crate) fn of_workload(
        claims: &Map<String, Value>,
        rule: &BTreeMap<String, Value>,
    ) -> Result<Self, OAuthError> {
        match present(claims).find(|name| narrows(name) && !rule.contains_key(*name)) {
            Some(name) => Err(unenforced(name)),
            None => Self::read(claims),
        }
    }

    /// The most that the token may allow, where there is a limit.
    pub(crate) fn scope(&self) -> Result<Option<ScopeSet>, OAuthError> {
        self.scope.as_deref().map(ScopeSet::parse).transpose()
    }

    /// Refuses a client that has not proved to hold the key that the assertion is bound to.
    pub(crate) fn check_key(&self, key_thumbprint: Option<&str>) -> Result<(), OAuthError> {
        if self.key_thumbprint.is_none() || self.key_thumbprint.as_deref() == key_thumbprint {
            return Ok(());
        }
        Err(OAuthError::invalid_grant(
            "assertion_key_differs",
            "The assertion is bound to a key (cnf). Send a DPoP proof made with that key.",
        ))
    }

    fn read(claims: &Map<String, Value>) -> Result<Self, OAuthError> {
        let bound: Option<Confirmation> = member(claims, "cnf")?;
        Ok(Self {
            resource: member(claims, "resource")?,
            scope: member(claims, "scope")?,
            acr: member(claims, "acr")?,
            key_thumbprint: bound.map(|bound| bound.jkt),
        })
    }
}

/// Whether an operator may have a claim ignored: not one that is known to narrow something.
pub(crate) fn is_ignorable(name: &str) -> bool {
    !ENFORCED.contains(&name) && !narrows(name)
}

fn narrows(name: &str) -> bool {
    UNENFORCED_CLAIMS.contains(&name) || OF_A_DELEGATION.contains(&name)
}

/// Whether a claim of a client assertion is one that narrows nothing. A client needs no others to
/// prove who it is (RFC 7523 §3).
pub(crate) fn is_descriptive(name: &str) -> bool {
    DESCRIPTIVE.contains(&name)
}

/// The names of the claims that say something; `null` says nothing.
pub(crate) fn present(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    claims.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str())
}

fn member<T: DeserializeOwned>(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, OAuthError> {
    let value = claims.get(name).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| unenforced(name).because(error))
}

fn unenforced(name: &str) -> OAuthError {
    OAuthError::invalid_grant(
        "assertion_restricted",
        format!(
            "The assertion has the claim {name:?}, which this server cannot enforce as it stands. \
             Get an assertion without it."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule() -> BTreeMap<String, Value> {
        BTreeMap::from([("tenant".into(), json!("acme"))])
    }

    fn identity(claims: Value) -> Result<Restrictions, &'static str> {
        let (claims, none) = (claims.as_object().unwrap(), BTreeMap::new());
        let read = Restrictions::of_identity(claims, &none, &["ignored".into()]);
        read.map_err(|error| error.reason)
    }

    #[test]
    fn a_claim_that_is_not_known_to_be_harmless_refuses_an_identity_assertion() {
        let harmless = json!({"amr": ["pwd"], "given_name": "N", "ignored": 1, "x": null});
        assert_eq!(identity(harmless), Ok(Restrictions::default()));
        for (name, value) in [
            ("authorization_details", json!([{"type": "x"}])),
            ("may_act", json!({"sub": "x"})),
            ("act", json!({"sub": "x"})),
            ("tenant", json!("acme")),
            ("aud_tenant", json!("acme")),
            ("purpose", json!("read only")),
            ("cnf", json!({"x5t#S256": "t"})),
            ("cnf", json!({"jkt": "k", "jwk": {}})),
            ("cnf", json!("k")),
            ("acr", json!(1)),
            ("scope", json!(["mcp:tools"])),
        ] {
            let claims = json!({name: value});
            assert_eq!(identity(claims), Err("assertion_restricted"), "{name} {value}");
        }
    }

    #[test]
    fn a_claim_that_the_operator_demands_is_enforced_by_that() {
        let claims = json!({"tenant": "acme"});
        let read = Restrictions::of_identity(claims.as_object().unwrap(), &rule(), &[]);
        assert_eq!(read.unwrap(), Restrictions::default());
    }

    #[test]
    fn a_workload_is_described_at_length_and_narrowed_by_nothing_unknown() {
        let read = |claims: Value| {
            let read = Restrictions::of_workload(claims.as_object().unwrap(), &rule());
            read.map_err(|error| error.reason)
        };
        assert!(read(json!({"kubernetes.io": {}, "ref": "main", "tenant": "acme"})).is_ok());
        for name in ["authorization_details", "may_act", "act", "acr", "client_id", "aud_tenant"] {
            assert_eq!(read(json!({name: "x"})), Err("assertion_restricted"), "{name}");
        }
        let scope = read(json!({"scope": "mcp:tools"})).unwrap().scope;
        assert_eq!(scope.as_deref(), Some("mcp:tools"));
    }

    #[test]
    fn a_bound_assertion_is_for_the_holder_of_its_key() {
        let bound = identity(json!({"cnf": {"jkt": "k"}})).unwrap();
        assert!(bound.check_key(Some("k")).is_ok());
        assert!(bound.check_key(Some("other")).is_err() && bound.check_key(None).is_err());
        assert!(Restrictions::default().check_key(None).is_ok());
    }
}
