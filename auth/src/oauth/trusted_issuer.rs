//! Issuers whose assertions are believed here, and what each of them may assert (RFC 7523 §3).

use std::collections::BTreeMap;

use keys::PublishedKeys;
use net::loopback::is_loopback;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::restrictions;

/// An issuer, as an operator configured it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// Its issuer identifier, compared byte for byte with `iss`.
    pub(crate) issuer: String,
    /// Its public keys, a JWK Set.
    pub(crate) jwks: Option<Value>,
    /// Where its public keys are, if they do not stand here.
    #[schemars(with = "Option<String>")]
    pub(crate) jwks_uri: Option<Url>,
    /// Set where it says which people may use which client (Enterprise-Managed Authorization).
    pub(crate) people: Option<People>,
    /// The workloads that are believed to be what it says they are (SEP-1933).
    #[serde(default)]
    pub(crate) workloads: Vec<Workload>,
}

/// How an issuer's people are known here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    /// The upstream whose people they are; a name of its own, the issuer identifier, if left out.
    pub(crate) provider: Option<String>,
    /// Whether a person who was never seen here gets an account.
    #[serde(default)]
    pub(crate) create_accounts: bool,
    /// Claims that an assertion must have with exactly these values, such as `tenant`.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, Value>,
    /// Further claims that may be ignored, because they narrow nothing.
    #[serde(default)]
    pub(crate) ignored_claims: Vec<String>,
}

/// A workload that may have tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workload {
    /// Its `sub`, compared byte for byte.
    pub(crate) subject: String,
    /// Further claims that must have exactly these values.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, Value>,
    /// The client that it is here.
    pub(crate) client_id: String,
}

impl People {
    /// Whether an assertion has every claim that the operator demands.
    pub(crate) fn accept(&self, claims: &Map<String, Value>) -> bool {
        has_all(claims, &self.claims)
    }
}

fn has_all(claims: &Map<String, Value>, rule: &BTreeMap<String, Value>) -> bool {
    rule.iter().all(|(name, value)| claims.get(name) == Some(value))
}

impl TrustedIssuer {
    /// The keys that stand in the configuration.
    pub(crate) fn own_keys(&self) -> Option<PublishedKeys> {
        let jwks = self.jwks.as_ref()?.to_string();
        PublishedKeys::from_json(jwks.as_bytes()).ok()
    }

    /// The name under which its people are known.
    pub(crate) fn provider(&self) -> &str {
        let provider = self.people.as_ref().and_then(|people| people.provider.as_deref());
        provider.unwrap_or(&self.issuer)
    }

    /// The first workload whose rule these claims satisfy.
    pub(crate) fn workload(&self, subject: &str, claims: &Map<String, Value>) -> Option<&Workload> {
        let mut workloads = self.workloads.iter();
        workloads.find(|workload| workload.subject == subject && has_all(claims, &workload.claims))
    }

    fn check(&self) -> Result<(), String> {
        self.check_keys()?;
        let name = &self.issuer;
        let ignored = self.people.iter().flat_map(|people| &people.ignored_claims);
        if let Some(claim) = ignored.into_iter().find(|claim| !restrictions::is_ignorable(claim)) {
            return Err(format!(
                "the claim {claim:?} of {name:?} narrows an assertion and cannot be in ignored_claims"
            ));
        }
        if self.people.is_none() && self.workloads.is_empty() {
            return Err(format!("give {name:?} people or workloads; it is trusted for nothing"));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), String> {
        let name = &self.issuer;
        let is_safe = |url: &Url| url.scheme() == "https" || is_loopback(url);
        if !Url::parse(name).is_ok_and(|url| is_safe(&url) && url.fragment().is_none()) {
            return Err(format!("the issuer {name:?} must be an https URL"));
        }
        match (&self.jwks, &self.jwks_uri) {
            (Some(_), None) if self.own_keys().is_none_or(|keys| keys.is_empty()) => {
                Err(format!("the jwks of {name:?} holds no usable public key"))
            }
            (None, Some(uri)) if !is_safe(uri) => {
                Err(format!("the jwks_uri of {name:?} must use https"))
            }
            (Some(_), Some(_)) | (None, None) => {
                Err(format!("give {name:?} either jwks or jwks_uri"))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn find<'a>(issuers: &'a [TrustedIssuer], issuer: &str) -> Option<&'a TrustedIssuer> {
    issuers.iter().find(|one| one.issuer == issuer)
}

/// Refuses a configuration that says too little or too much. The error is the place in the list, and
/// what to change there.
pub(crate) fn check(issuers: &[TrustedIssuer]) -> Result<(), (usize, String)> {
    for (at, issuer) in issuers.iter().enumerate() {
        issuer.check().map_err(|why| (at, why))?;
        if issuers.iter().skip(at + 1).any(|other| other.issuer == issuer.issuer) {
            return Err((at, format!("the issuer {:?} is named twice", issuer.issuer)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::{Algorithm, SigningKey};
    use serde_json::json;

    fn verdict(change: &Value) -> Result<(), String> {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let mut issuer = json!({"issuer": "https://idp.example.com", "people": {},
            "jwks": {"keys": [key.public_jwk()]}});
        for (name, value) in change.as_object().unwrap() {
            issuer[name] = value.clone();
        }
        issuer.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let issuer = serde_json::from_value(issuer).map_err(|error| error.to_string())?;
        check(&[issuer]).map_err(|(_, why)| why)
    }

    #[test]
    fn an_issuer_has_one_source_of_keys_and_something_to_say() {
        assert_eq!(verdict(&json!({})), Ok(()));
        assert_eq!(
            verdict(&json!({"jwks": null, "jwks_uri": "https://idp.example.com/k"})),
            Ok(())
        );
        for change in [
            json!({"jwks": null}),
            json!({"jwks_uri": "https://idp.example.com/k"}),
            json!({"jwks": null, "jwks_uri": "http://idp.example.com/k"}),
            json!({"jwks": {"keys": []}}),
            json!({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}),
            json!({"people": null}),
            json!({"people": {"ignored_claims": ["cnf"]}}),
            json!({"people": {"ignored_claims": ["x", "may_act"]}}),
            json!({"issuer": "http://idp.example.com"}),
            json!({"issuer": "idp"}),
            json!({"workloads": [{"subject": "a", "client": "b"}]}),
        ] {
            assert!(verdict(&change).is_err(), "{change}");
        }
    }

    #[test]
    fn an_assertion_of_a_person_has_every_claim_that_is_demanded() {
        let people: People = serde_json::from_value(json!({"claims": {"tenant": "acme"}})).unwrap();
        let accepts = |claims: Value| people.accept(claims.as_object().unwrap());
        assert!(accepts(json!({"tenant": "acme", "x": 1})));
        for claims in [json!({"tenant": "other"}), json!({}), json!({"tenant": null})] {
            assert!(!accepts(claims));
        }
    }

    #[test]
    fn a_workload_is_its_subject_and_every_claim_of_its_rule() {
        let issuer: TrustedIssuer = serde_json::from_value(json!({
            "issuer": "https://ci.example.com",
            "workloads": [{"subject": "repo", "claims": {"ref": "main", "run": 1}, "client_id": "c"}],
        }))
        .unwrap();
        let found = |subject, claims: Value| issuer.workload(subject, claims.as_object().unwrap());
        assert_eq!(found("repo", json!({"ref": "main", "run": 1, "x": 2})).unwrap().client_id, "c");
        for claims in [json!({"ref": "main"}), json!({"ref": "main2", "run": 1}), json!({})] {
            assert!(found("repo", claims).is_none());
        }
        assert!(found("Repo", json!({"ref": "main", "run": 1})).is_none());
    }
}
