//! The resources that tokens are issued for (RFC 8707).

use serde::Deserialize;
use url::{Host, Url};

use super::{
    error::{ErrorCode, OAuthError},
    scope::{ScopeSet, USER_SCOPES},
};

/// How access tokens for a resource are made. It is policy, never a side effect of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// A signed JWT that anyone can verify (RFC 9068).
    #[default]
    Jwt,
    /// A random string that only introspection explains (RFC 7662).
    Opaque,
}

impl TokenFormat {
    /// The format of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "jwt" => Some(Self::Jwt),
            "opaque" => Some(Self::Opaque),
            _ => None,
        }
    }
}

/// A scope of one resource, with its words for people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceScope {
    /// The scope.
    pub name: String,
    /// What it allows, as the consent page says it.
    pub description: String,
    /// Whether the consent page marks it as one to think about.
    #[serde(default)]
    pub sensitive: bool,
    /// Whether a person may leave it out when they consent.
    #[serde(default)]
    pub optional: bool,
    /// Whether it is granted only to who asks for it by name.
    #[serde(default)]
    pub on_request: bool,
}

/// A protected resource, as configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The canonical identifier, which becomes `aud`.
    pub resource: String,
    /// What people call it.
    pub name: String,
    /// Its own scopes.
    pub scopes: Vec<ResourceScope>,
    /// What its tokens are.
    #[serde(default)]
    pub token_format: TokenFormat,
}

impl Resource {
    /// The demo server of this repository.
    pub fn demo(resource: String) -> Self {
        let tools = ResourceScope {
            name: "mcp:tools".into(),
            description: "Use the tools of this server".into(),
            sensitive: false,
            optional: false,
            on_request: false,
        };
        let notes = ResourceScope {
            name: "notes:write".into(),
            description: "Write notes for you".into(),
            sensitive: true,
            on_request: true,
            ..tools.clone()
        };
        Self {
            resource,
            name: "MCP demo".into(),
            scopes: vec![tools, notes],
            token_format: TokenFormat::Jwt,
        }
    }

    /// The words for people of a scope that this resource knows.
    pub fn describe(&self, scope: &str) -> Option<&str> {
        let own = self.scopes.iter().map(|one| (one.name.as_str(), one.description.as_str()));
        own.chain(USER_SCOPES).find(|(name, _)| *name == scope).map(|(_, description)| description)
    }

    /// What a request for `requested` can be granted. Unknown scopes are passed over, because
    /// some clients always ask for the ones they like; a request of unknown ones only is an error.
    /// A request without scope means everything that need not be asked for by name, and who the
    /// person is.
    pub fn grantable(&self, requested: Option<&str>) -> Result<ScopeSet, OAuthError> {
        let Some(requested) = requested else {
            let own = self.scopes.iter().filter(|one| !one.on_request);
            let own = own.map(|one| one.name.as_str());
            return Ok(own.chain(["profile", "email"]).collect());
        };
        let requested = ScopeSet::parse(requested)?;
        let known: ScopeSet = requested.iter().filter(|s| self.describe(s).is_some()).collect();
        match known.is_empty() {
            true => Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "scope_unknown",
                "None of the requested scopes exists for this resource.",
            )),
            false => Ok(known),
        }
    }
}

/// The configured resource that a request names. Without `resource` it is the only one there is.
pub fn select<'a>(
    resources: &'a [Resource],
    requested: &[String],
) -> Result<&'a Resource, OAuthError> {
    let refused =
        |reason, description| OAuthError::new(ErrorCode::InvalidTarget, reason, description);
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
pub fn check_granted(
    resources: &[Resource],
    requested: &[String],
    granted: &str,
) -> Result<(), OAuthError> {
    if requested.is_empty() || select(resources, requested)?.resource == granted {
        return Ok(());
    }
    Err(OAuthError::new(
        ErrorCode::InvalidTarget,
        "resource_not_granted",
        "The resource is not the one that was granted.",
    ))
}

/// Whether two identifiers name one resource: compared as URLs, without a trailing slash, and
/// with one meaning for the three spellings of this machine, which clients use side by side.
fn same(known: &str, requested: &str) -> bool {
    let (Ok(known), Ok(requested)) = (Url::parse(known), Url::parse(requested)) else {
        return false;
    };
    requested.fragment().is_none()
        && requested.username().is_empty()
        && requested.password().is_none()
        && known.scheme() == requested.scheme()
        && known.port_or_known_default() == requested.port_or_known_default()
        && known.path().trim_end_matches('/') == requested.path().trim_end_matches('/')
        && known.query() == requested.query()
        && (known.host() == requested.host() || is_loopback(&known) && is_loopback(&requested))
}

/// Whether a URL points to this machine: localhost, 127.0.0.1 or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Vec<Resource> {
        vec![Resource::demo("http://localhost:3001/mcp".into())]
    }

    fn selects(requested: &str) -> bool {
        select(&demo(), &[requested.to_owned()]).is_ok()
    }

    #[test]
    fn spellings_of_one_resource_select_it() {
        for text in [
            "http://localhost:3001/mcp",
            "http://localhost:3001/mcp/",
            "HTTP://LOCALHOST:3001/mcp",
            "http://127.0.0.1:3001/mcp",
            "http://[::1]:3001/mcp",
        ] {
            assert!(selects(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_invalid_target() {
        for text in [
            "http://localhost:3001/mcp#f",
            "http://localhost:3001/MCP",
            "http://localhost:3001/mcp/../admin",
            "http://localhost:3001",
            "http://localhost:3001/mcp?x=1",
            "https://localhost:3001/mcp",
            "http://u@localhost:3001/mcp",
            "http://127.0.0.2:3001/mcp",
            "http://evil.test/mcp",
            "mcp",
            "",
        ] {
            assert!(!selects(text), "{text}");
        }
        let two = ["http://localhost:3001/mcp".to_owned(), "http://localhost:3001/mcp".to_owned()];
        assert_eq!(select(&demo(), &two).unwrap_err().reason, "resource_several");
    }

    #[test]
    fn unknown_scopes_are_passed_over_but_not_alone() {
        let demo = &demo()[0];
        assert_eq!(demo.grantable(Some("admin mcp:tools")).unwrap().to_string(), "mcp:tools");
        assert_eq!(demo.grantable(Some("admin")).unwrap_err().reason, "scope_unknown");
        assert_eq!(demo.grantable(None).unwrap().to_string(), "mcp:tools profile email");
    }
}
