//! Step 2: the MCP server's own metadata, which names its authorization server (RFC 9728).

use serde::Deserialize;
use url::Url;

use super::{
    OAuthError,
    member::{List, Member, WrongMember, flag},
    scope::Scope,
    well_known::{Found, first_document},
};
use crate::{http::Fetch, terminal::explain::Rule};

const RULE: Rule = Rule {
    title: "Ask the MCP server where to sign in",
    because: "Its metadata must be about this very server; only then is the authorization server \
              it names believed.",
    section: "RFC 9728 §3.3, MCP authorization-server-discovery",
};

/// Where metadata is when nothing else is announced (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of an MCP server (RFC 9728 §2). Strings are kept exactly as sent, because they are
/// identifiers and a URL library would add or drop slashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct ProtectedResourceMetadata {
    /// The server's identifier, the `resource` of every later request (RFC 8707).
    pub(crate) resource: String,
    #[serde(default)]
    authorization_servers: Member<List>,
    #[serde(default)]
    scopes_supported: Member<List>,
    #[serde(default, deserialize_with = "flag")]
    dpop_bound_access_tokens_required: bool,
    #[serde(default)]
    dpop_signing_alg_values_supported: Member<List>,
}

impl ProtectedResourceMetadata {
    /// The assumed metadata of a server without any: it is the resource and trusts `issuer`.
    pub(super) fn implied(resource: &str, issuer: String) -> Self {
        let authorization_servers = Member::Usable(List(vec![issuer]));
        Self { resource: resource.to_owned(), authorization_servers, ..Self::default() }
    }

    /// Whether it takes only tokens that are bound to a key (RFC 9728 §2).
    pub(crate) fn insists_on_dpop(&self) -> bool {
        self.dpop_bound_access_tokens_required
    }

    pub(crate) fn offers_dpop(&self) -> bool {
        let algorithms = self.dpop_signing_alg_values_supported.value();
        self.dpop_bound_access_tokens_required
            || algorithms.is_some_and(|list| list.0.iter().any(|name| name == "ES256"))
    }

    pub(crate) fn scope(&self) -> Option<Scope> {
        self.scopes_supported.value().map(Scope::from)
    }

    /// Issuers of the authorization servers it accepts tokens from, by preference.
    pub(crate) fn authorization_servers(&self) -> &[String] {
        self.authorization_servers.value().map_or(&[], |list| &list.0)
    }

    /// The authorization server to use: the first, as the resource lists them by preference.
    pub(crate) fn issuer(&self) -> Result<&str, OAuthError> {
        if let Member::Unusable(value) = &self.authorization_servers {
            return Err(OAuthError::WrongMember(WrongMember {
                owner: self.resource.clone(),
                name: "authorization_servers",
                value: value.clone(),
                expected: "a list of addresses",
            }));
        }
        self.authorization_servers()
            .first()
            .map(String::as_str)
            .ok_or_else(|| OAuthError::NoAuthorizationServer { resource: self.resource.clone() })
    }
}

/// Fetches the metadata of `server` and checks that it describes `server`. It is read from the
/// place that the challenge announces or, if it announces none, from the well-known places.
pub(crate) async fn discover(
    fetch: &Fetch,
    server: &Url,
    announced: Option<&str>,
) -> Result<ProtectedResourceMetadata, OAuthError> {
    let candidates = match announced {
        Some(address) => vec![announced_url(server, address)?],
        None => well_known_urls(server),
    };
    fetch.explanation.step(&RULE);
    let is_about_server = |metadata: &ProtectedResourceMetadata, place: &Url| {
        check_resource(&metadata.resource, server, place)
    };
    let metadata = match first_document(fetch, &candidates, is_about_server).await? {
        Found::Document(metadata) => metadata,
        Found::Nothing { tried } => {
            return Err(OAuthError::NoResourceMetadata { server: server.to_string(), tried });
        }
    };
    fetch.explanation.fact("resource", &metadata.resource);
    fetch.explanation.fact("authorization_servers", metadata.authorization_servers().join(" "));
    Ok(metadata)
}

/// The two well-known places: with the server's path inserted, then at the root (RFC 9728 §3.1).
fn well_known_urls(server: &Url) -> Vec<Url> {
    let path = server.path().trim_end_matches('/');
    let mut urls = Vec::new();
    for suffix in [path, ""] {
        let mut url = server.clone();
        url.set_path(&format!("{WELL_KNOWN}{suffix}"));
        url.set_query(server.query().filter(|_| !suffix.is_empty()));
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// Whether only the owner of the whole host of `server` can publish at `place`.
fn is_well_known(place: &Url, server: &Url) -> bool {
    place.origin() == server.origin() && place.path().starts_with(WELL_KNOWN)
}

fn announced_url(server: &Url, address: &str) -> Result<Url, OAuthError> {
    server.join(address).map_err(|_| OAuthError::AnnouncedAddress { address: address.to_owned() })
}

/// The metadata must describe this server or a parent of it on the same origin; otherwise a server
/// could obtain a token for another resource (RFC 9728 §3.3 and §7.3). Only the well-known places
/// may describe a parent: the owner of one path of a host could announce any other.
fn check_resource(resource: &str, server: &Url, found_at: &Url) -> Result<(), OAuthError> {
    let fits = Url::parse(resource).is_ok_and(|parsed| {
        let parent = parsed.path().trim_end_matches('/');
        let below = server.path().strip_prefix(parent);
        parsed.origin() == server.origin()
            && parsed.fragment().is_none()
            && below.is_some_and(|rest| match rest.trim_start_matches('/') {
                "" => true,
                _ => rest.starts_with('/') && is_well_known(found_at, server),
            })
            && parsed.query().is_none_or(|query| Some(query) == server.query())
    });
    if fits {
        return Ok(());
    }
    Err(OAuthError::ResourceMismatch {
        url: found_at.to_string(),
        resource: resource.to_owned(),
        server: server.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn places(server: &str) -> Vec<String> {
        well_known_urls(&url(server)).iter().map(Url::to_string).collect()
    }

    #[test]
    fn the_path_is_inserted_before_the_root_is_tried() {
        assert_eq!(
            places("http://localhost:3001/mcp"),
            [
                "http://localhost:3001/.well-known/oauth-protected-resource/mcp",
                "http://localhost:3001/.well-known/oauth-protected-resource"
            ]
        );
        assert_eq!(
            places("https://mcp.example/"),
            ["https://mcp.example/.well-known/oauth-protected-resource"]
        );
        assert_eq!(
            places("https://mcp.example/a/b?tenant=1")[0],
            "https://mcp.example/.well-known/oauth-protected-resource/a/b?tenant=1"
        );
    }

    #[test]
    fn an_announced_address_may_be_relative() {
        let server = url("https://mcp.example/mcp");
        assert_eq!(
            announced_url(&server, "/meta").expect("joined").as_str(),
            "https://mcp.example/meta"
        );
        assert!(announced_url(&server, "https://").is_err());
    }

    #[test]
    fn metadata_may_be_about_the_server_or_its_parent() {
        let server = url("https://mcp.example/a/mcp");
        for resource in [
            "https://mcp.example/a/mcp",
            "https://mcp.example/a",
            "https://mcp.example",
            "https://MCP.example/",
        ] {
            for place in well_known_urls(&server) {
                assert!(check_resource(resource, &server, &place).is_ok(), "{resource} {place}");
            }
        }
    }

    #[test]
    fn one_path_of_a_host_cannot_speak_for_the_others() {
        let server = url("https://mcp.example/evil/mcp");
        for place in [
            "https://mcp.example/evil/metadata",
            "https://mcp.example/evil/.well-known/oauth-protected-resource",
            "https://evil.example/.well-known/oauth-protected-resource",
        ] {
            for parent in ["https://mcp.example", "https://mcp.example/evil"] {
                assert!(check_resource(parent, &server, &url(place)).is_err(), "{parent} {place}");
            }
            assert!(check_resource(server.as_str(), &server, &url(place)).is_ok(), "{place}");
        }
    }

    #[test]
    fn metadata_about_anything_else_is_refused() {
        let server = url("https://mcp.example/a/mcp");
        for resource in [
            "https://evil.example/a/mcp",
            "http://mcp.example/a/mcp",
            "https://mcp.example:8443/a/mcp",
            "https://mcp.example/a/mc",
            "https://mcp.example/a/mcp/more",
            "https://mcp.example/a/mcp#part",
            "https://mcp.example/a/mcp?tenant=2",
            "not a URL",
        ] {
            let place = &well_known_urls(&server)[0];
            assert!(check_resource(resource, &server, place).is_err(), "{resource}");
        }
    }
}
