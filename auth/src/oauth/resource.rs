//! The resources that tokens are issued for (RFC 8707).

mod scope;

use keys::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use self::scope::ResourceScope;
use super::{
    claim_name,
    error::{ErrorCode, OAuthError},
    resource_identifier::{canonical, same},
    scope::{ScopeSet, USER_SCOPES},
};
use crate::string_enum::string_enum;

/// Longest lifetime of an access token, in seconds: what is revoked must be listed for as long.
pub(crate) const MAX_ACCESS_TOKEN_LIFETIME: i64 = 86_400;

string_enum! {
    /// How access tokens for a resource are made. It is policy, never a side effect of a request.
    #[derive(Default, JsonSchema)]
    pub enum TokenFormat {
        /// A signed JWT that anyone can verify (RFC 9068).
        #[default]
        Jwt = "jwt",
        /// A random string that only introspection explains (RFC 7662).
        Opaque = "opaque",
    }
}

/// A protected resource, as configured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The canonical identifier, which becomes `aud`.
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) scopes: Vec<ResourceScope>,
    #[serde(default)]
    pub(crate) token_format: TokenFormat,
    /// Seconds that its access tokens live, where it is not what the settings say.
    pub(crate) access_token_lifetime: Option<i64>,
    /// Other resources for whose tokens a token of this one may be exchanged (RFC 8693): those
    /// that this one calls for its callers.
    #[serde(default)]
    pub(crate) exchanges_for: Vec<String>,
    /// What its tokens are signed with; AUTH_SIGNING_ALGORITHM if it does not say.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(crate) signing_algorithm: Option<Algorithm>,
    /// The claim that tells this resource the groups of a person, where it is not the `groups_claim` of
    /// `[access]`; `off` for none.
    pub(crate) groups_claim: Option<String>,
}

impl Resource {
    /// The words for people of a scope that this resource knows.
    pub(crate) fn describe(&self, scope: &str) -> Option<&str> {
        let own = self.scopes.iter().map(|one| (one.name.as_str(), one.description.as_str()));
        own.chain(USER_SCOPES).find(|(name, _)| *name == scope).map(|(_, description)| description)
    }

    /// What a request for `requested` can be granted. Unknown scopes are passed over, because
    /// some clients always ask for the ones they like; a request of unknown ones only is an error.
    /// A request without scope means everything that need not be asked for by name, and who the
    /// person is. What a scope implies is granted too.
    pub(crate) fn grantable(&self, requested: Option<&str>) -> Result<ScopeSet, OAuthError> {
        let Some(requested) = requested else {
            let own = self.scopes.iter().filter(|one| !one.on_request);
            let own = own.map(|one| one.name.as_str());
            return Ok(self.with_implied(&own.chain(["profile", "email"]).collect()));
        };
        let requested = ScopeSet::parse(requested)?;
        let known: ScopeSet = requested.iter().filter(|s| self.describe(s).is_some()).collect();
        if known.is_empty() { Err(unknown_scope()) } else { Ok(self.with_implied(&known)) }
    }

    /// The same for a client that asks for itself: there is no person whom a scope could reveal,
    /// and what an operator allowed the client is the most it can have.
    pub(crate) fn grantable_to_client(
        &self,
        requested: Option<&str>,
        allowed: Option<&ScopeSet>,
    ) -> Result<ScopeSet, OAuthError> {
        let requested = requested.map(ScopeSet::parse).transpose()?;
        let is_named = requested.is_some() || allowed.is_some();
        let own = self.scopes.iter().filter(|one| is_named || !one.on_request);
        let wanted = own
            .map(|one| one.name.as_str())
            .filter(|scope| requested.as_ref().is_none_or(|wanted| wanted.contains(scope)))
            .collect();
        let granted = self.within(&wanted, allowed);
        if granted.is_empty() { Err(unknown_scope()) } else { Ok(granted) }
    }

    /// The scopes of `wanted` that `most` allows, if there is a limit. A scope includes what it
    /// implies, on both sides.
    pub(crate) fn within(&self, wanted: &ScopeSet, most: Option<&ScopeSet>) -> ScopeSet {
        let wanted = self.with_implied(wanted);
        match most.map(|most| self.with_implied(most)) {
            Some(most) => wanted.iter().filter(|scope| most.contains(scope)).collect(),
            None => wanted,
        }
    }

    /// Of granted scopes, those that can still be had: the resource has them, and they are within
    /// `most`. Nothing is added that was not granted.
    pub(crate) fn remaining(&self, granted: &ScopeSet, most: Option<&ScopeSet>) -> ScopeSet {
        let most = most.map(|most| self.with_implied(most));
        let known = granted.iter().filter(|scope| self.describe(scope).is_some());
        known.filter(|scope| most.as_ref().is_none_or(|most| most.contains(scope))).collect()
    }

    /// The scopes and whatever they imply.
    pub(crate) fn with_implied(&self, scopes: &ScopeSet) -> ScopeSet {
        let mut found: Vec<&str> = scopes.iter().collect();
        let mut next = 0;
        while let Some(scope) = found.get(next).copied() {
            let own = self.scopes.iter().filter(|one| one.name == scope);
            for implied in own.flat_map(|one| &one.implies) {
                if !found.contains(&implied.as_str()) {
                    found.push(implied);
                }
            }
            next += 1;
        }
        found.into_iter().collect()
    }

    /// Refuses a configuration that clients or pages could not use, in a sentence that says what
    /// to write instead.
    fn check(&self, languages: &[&str]) -> Result<(), String> {
        let name = &self.resource;
        match canonical(name) {
            Some(canonical) if canonical == *name => {}
            Some(canonical) => return Err(format!("write the resource {name:?} as {canonical:?}")),
            None => {
                return Err(format!(
                    "the resource {name:?} must be an http or https URL without user and fragment"
                ));
            }
        }
        if self.access_token_lifetime.is_some_and(|s| !(1..=MAX_ACCESS_TOKEN_LIFETIME).contains(&s))
        {
            return Err(format!(
                "the access_token_lifetime of {name:?} must be from 1 to {MAX_ACCESS_TOKEN_LIFETIME} seconds"
            ));
        }
        if let Some(claim) = &self.groups_claim {
            claim_name::check(claim)?;
        }
        for (at, scope) in self.scopes.iter().enumerate() {
            let is_one = ScopeSet::parse(&scope.name).is_ok_and(|set| set.iter().count() == 1);
            let is_taken = USER_SCOPES.iter().any(|(user, _)| *user == scope.name)
                || self.scopes.iter().skip(at + 1).any(|other| other.name == scope.name);
            if !is_one || scope.name.contains(' ') || is_taken {
                return Err(format!(
                    "the scope {:?} of {name:?} must be one word, named once, and not one of those \
                     that every resource has",
                    scope.name
                ));
            }
            scope.check_translations(name, languages)?;
            let is_own = |implied: &String| self.scopes.iter().any(|one| one.name == *implied);
            if let Some(unknown) = scope.implies.iter().find(|implied| !is_own(implied)) {
                return Err(format!(
                    "the scope {:?} of {name:?} implies {unknown:?}, which is none of its scopes",
                    scope.name
                ));
            }
        }
        Ok(())
    }
}

fn unknown_scope() -> OAuthError {
    ErrorCode::InvalidScope
        .error("scope_unknown", "None of the requested scopes exists for this resource and client.")
}

/// The configured resource that a grant was made for. Nothing can come of the grant once that is
/// gone, and `invalid_grant` is the one code that makes every client sign in again.
pub(crate) fn of_grant<'a>(
    resources: &'a [Resource],
    identifier: &str,
) -> Result<&'a Resource, OAuthError> {
    resources.iter().find(|one| one.resource == identifier).ok_or_else(|| {
        OAuthError::invalid_grant(
            "resource_gone",
            "The resource that was granted is no longer served here. Sign in again.",
        )
    })
}

/// Refuses resources that could not be served, or not told apart. `languages` are the tags of those
/// that the pages speak. The error is the place in the list, and what to write there instead.
pub(crate) fn check(resources: &[Resource], languages: &[&str]) -> Result<(), (usize, String)> {
    for (at, resource) in resources.iter().enumerate() {
        resource.check(languages).map_err(|why| (at, why))?;
        let is_known = |other: &String| resources.iter().any(|one| one.resource == *other);
        if let Some(unknown) = resource.exchanges_for.iter().find(|other| !is_known(other)) {
            let name = &resource.resource;
            let why = format!("{name:?} exchanges_for {unknown:?}, which is no resource here");
            return Err((at, why));
        }
        if resources.iter().skip(at + 1).any(|other| same(&other.resource, &resource.resource)) {
            return Err((at, format!("the resource {:?} is named twice", resource.resource)));
        }
    }
    Ok(())
}

/// The configured resource that a request names. Without `resource` it is the only one there is.
pub(crate) fn select<'a>(
    resources: &'a [Resource],
    requested: &[String],
) -> Result<&'a Resource, OAuthError> {
    let refused = |reason, description| ErrorCode::InvalidTarget.error(reason, description);
    match (requested, resources) {
        ([], [only]) => Ok(only),
        ([], _) => Err(refused("resource_missing", "The parameter resource is missing.")),
        ([one], _) => resources.iter().find(|known| same(&known.resource, one)).ok_or_else(|| {
            refused("resource_unknown", "No resource of this identifier is served here.")
        }),
        _ => Err(refused("resource_several", "Ask for one resource at a time.")),
    }
}

/// Refuses a token request that names another resource than the grant is for (RFC 8707 §2.2).
/// Naming none is fine: the grant knows.
pub(crate) fn check_granted(
    resources: &[Resource],
    requested: &[String],
    granted: &str,
) -> Result<(), OAuthError> {
    if requested.is_empty() || select(resources, requested)?.resource == granted {
        return Ok(());
    }
    Err(ErrorCode::InvalidTarget
        .error("resource_not_granted", "The resource is not the one that was granted."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(identifier: &str) -> Resource {
        let json = serde_json::json!({
            "resource": identifier,
            "name": "MCP demo",
            "scopes": [
                {"name": "mcp:tools", "description": "Use tools"},
                {"name": "notes:write", "description": "Write notes", "on_request": true},
            ],
        });
        serde_json::from_value(json).unwrap()
    }

    fn demo() -> Vec<Resource> {
        vec![resource("http://localhost:3001/mcp")]
    }

    fn check(resources: &[Resource]) -> Result<(), String> {
        super::check(resources, &["en", "de"]).map_err(|(_, why)| why)
    }

    #[test]
    fn a_request_selects_one_resource_by_any_of_its_spellings() {
        let select = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            select(&demo(), &names).map(|one| one.name.clone()).map_err(|error| error.reason)
        };
        assert_eq!(select(&["http://127.0.0.1:3001/mcp/"]).as_deref(), Ok("MCP demo"));
        assert_eq!(select(&[]).as_deref(), Ok("MCP demo"));
        assert_eq!(select(&["http://localhost:3001/other"]), Err("resource_unknown"));
        let two = ["http://localhost:3001/mcp", "http://localhost:3001/mcp"];
        assert_eq!(select(&two), Err("resource_several"));
    }

    #[test]
    fn unknown_scopes_are_passed_over_but_not_alone() {
        let demo = &demo()[0];
        assert_eq!(demo.grantable(Some("admin mcp:tools")).unwrap().to_string(), "mcp:tools");
        assert_eq!(demo.grantable(Some("admin")).unwrap_err().reason, "scope_unknown");
        assert_eq!(demo.grantable(None).unwrap().to_string(), "mcp:tools profile email");
    }

    fn with_scopes(scopes: &[(&str, &[&str])]) -> Resource {
        let scopes = scopes.iter().map(|(name, implies)| ResourceScope {
            implies: implies.iter().map(|name| (*name).to_owned()).collect(),
            name: (*name).into(),
            ..ResourceScope::default()
        });
        let demo = resource("https://mcp.example.com");
        Resource { scopes: scopes.collect(), ..demo }
    }

    #[test]
    fn a_scope_brings_what_it_implies_and_not_what_implies_it() {
        let files = with_scopes(&[
            ("admin", &["write"]),
            ("write", &["read"]),
            ("read", &["read"]),
            ("other", &[]),
        ]);
        assert_eq!(files.grantable(Some("admin")).unwrap().to_string(), "admin write read");
        assert_eq!(files.grantable(Some("write x")).unwrap().to_string(), "write read");
        assert_eq!(files.grantable(Some("read")).unwrap().to_string(), "read");
    }

    #[test]
    fn a_limit_holds_and_covers_what_its_scopes_imply() {
        let files = with_scopes(&[("write", &["read"]), ("read", &[]), ("other", &[])]);
        let within = |wanted: &str, most: &str| {
            let (wanted, most) = (ScopeSet::parse(wanted).unwrap(), ScopeSet::parse(most).unwrap());
            files.within(&wanted, Some(&most)).to_string()
        };
        assert_eq!(within("write", "write"), "write read");
        assert_eq!(within("read", "write"), "read");
        assert_eq!(within("write other", "read"), "read");
        assert_eq!(within("other", "write"), "");
    }

    #[test]
    fn only_the_canonical_spelling_may_be_configured() {
        let verdict = |text: &str| check(&[resource(text)]);
        for text in ["https://mcp.example.com", "http://localhost:3001/mcp", "https://a.b/c?d=e/"] {
            assert_eq!(verdict(text), Ok(()), "{text}");
        }
        for (text, canonical) in [
            ("https://mcp.example.com/", "https://mcp.example.com"),
            ("https://MCP.example.com:443/mcp/", "https://mcp.example.com/mcp"),
        ] {
            let refused = verdict(text).unwrap_err();
            assert!(refused.ends_with(&format!("as {canonical:?}")), "{refused}");
        }
        for text in ["mcp", "urn:mcp", "https://u@mcp.example.com", "https://mcp.example.com#a", ""]
        {
            assert!(verdict(text).unwrap_err().contains("must be"), "{text}");
        }
    }

    #[test]
    fn resources_and_scopes_that_cannot_be_told_apart_are_refused() {
        let twice = [with_scopes(&[]), with_scopes(&[])];
        assert!(check(&twice).unwrap_err().contains("named twice"));
        for scopes in [
            [("read", &[] as &[&str]), ("read", &[])],
            [("read", &[]), ("profile", &[])],
            [("read", &[]), ("two words", &[])],
            [("read", &[]), ("", &[])],
            [("read", &["write"]), ("other", &[])],
        ] {
            assert!(check(&[with_scopes(&scopes)]).is_err(), "{scopes:?}");
        }
        assert_eq!(check(&[with_scopes(&[("write", &["read"]), ("read", &[])])]), Ok(()));
    }
}
