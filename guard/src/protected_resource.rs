//! `GET /.well-known/oauth-protected-resource`
//!
//! The resource metadata, which tells clients where to get a token (RFC 9728 §2).

use std::iter;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, header},
};
use serde::Serialize;
use url::{ParseError, Url};

use crate::{
    Guard,
    loopback::{LOOPBACK, is_loopback},
    possession::ALGORITHMS,
};

/// Path of the metadata of a resource without a path (RFC 9728 §3).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[derive(Debug, Serialize)]
pub(crate) struct Metadata {
    resource: String,
    authorization_servers: Vec<String>,
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 3],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dpop_bound_access_tokens_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
}

/// A resource as configured in its guard.
#[derive(Clone, Debug)]
pub(crate) struct ProtectedResource {
    pub(crate) url: Url,
    pub(crate) issuers: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) scopes: Vec<String>,
    own: Spelling,
    /// On loopback, the resource under each name of this machine.
    on_loopback: Vec<(&'static str, Spelling)>,
}

/// The URLs of a resource, in one spelling of its host.
#[derive(Clone, Debug)]
pub(crate) struct Spelling {
    pub(crate) identifier: String,
    pub(crate) origin: String,
    /// URL of the metadata (RFC 9728 §3.1).
    pub(crate) metadata_url: String,
}

impl Spelling {
    fn new(identifier: String, path: &str) -> Self {
        let origin = identifier.strip_suffix(path).unwrap_or(&identifier).to_owned();
        let path = if path == "/" { "" } else { path };
        Self { metadata_url: format!("{origin}{WELL_KNOWN}{path}"), origin, identifier }
    }
}

impl ProtectedResource {
    /// The resource `identifier`, whose tokens come from `issuers`.
    ///
    /// # Errors
    /// The identifier is not a URL.
    pub(crate) fn new(
        identifier: String,
        issuers: Vec<String>,
        name: Option<String>,
        scopes: Vec<String>,
    ) -> Result<Self, ParseError> {
        let url = Url::parse(&identifier)?;
        let own_host = url.host_str().filter(|_| is_loopback(&url));
        // Only the host is replaced, because parsing and printing could change the rest.
        let on_loopback = own_host.into_iter().flat_map(|own_host| {
            LOOPBACK.map(|host| {
                (host, Spelling::new(identifier.replacen(own_host, host, 1), url.path()))
            })
        });
        let on_loopback = on_loopback.collect();
        let own = Spelling::new(identifier, url.path());
        Ok(Self { url, issuers, name, scopes, own, on_loopback })
    }

    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// The audiences of accepted tokens: the identifier, and on loopback its other spellings.
    pub(crate) fn audiences(&self) -> Vec<String> {
        let spellings = self.on_loopback.iter().map(|(_, spelling)| spelling);
        iter::once(&self.own).chain(spellings).map(|it| it.identifier.clone()).collect()
    }

    /// The URLs of the resource. On loopback they have the spelling that the client uses; elsewhere
    /// the `Host` header changes nothing.
    pub(crate) fn as_called(&self, headers: &HeaderMap) -> &Spelling {
        if self.on_loopback.is_empty() {
            return &self.own;
        }
        let host =
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host }
        });
        let spelling = self.on_loopback.iter().find(|(known, _)| *known == name);
        spelling.map_or(&self.own, |(_, spelling)| spelling)
    }
}

pub(crate) async fn get(
    State(guard): State<Guard>,
    headers: HeaderMap,
) -> ([(HeaderName, &'static str); 2], Json<Metadata>) {
    let resource = &guard.0.resource;
    let metadata = Metadata {
        resource: resource.as_called(&headers).identifier.clone(),
        authorization_servers: resource.issuers.clone(),
        scopes_supported: resource.scopes.clone(),
        bearer_methods_supported: ["header"],
        dpop_signing_alg_values_supported: ALGORITHMS,
        dpop_bound_access_tokens_required: guard.0.possession.required,
        resource_name: resource.name.clone(),
    };
    let caching = [(header::CACHE_CONTROL, "public, max-age=300"), (header::VARY, "host")];
    (caching, Json(metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(identifier: &str) -> ProtectedResource {
        let issuers = vec!["http://localhost:3000".into()];
        ProtectedResource::new(identifier.into(), issuers, None, Vec::new()).unwrap()
    }

    fn called(identifier: &str, host: &'static str) -> String {
        let headers = [(header::HOST, host.parse().unwrap())].into_iter().collect();
        resource(identifier).as_called(&headers).identifier.clone()
    }

    #[test]
    fn on_loopback_the_host_is_the_client_s_and_nothing_else_changes() {
        let identifier = "http://localhost:3001/mcp";
        assert_eq!(called(identifier, "localhost:3001"), identifier);
        assert_eq!(called(identifier, "127.0.0.1:9"), "http://127.0.0.1:3001/mcp");
        assert_eq!(called(identifier, "[::1]:3001"), "http://[::1]:3001/mcp");
        assert_eq!(called(identifier, "[::1]"), "http://[::1]:3001/mcp");
        assert_eq!(called(identifier, "evil.test"), identifier);
        assert_eq!(called("http://localhost:3001", "localhost"), "http://localhost:3001");
        assert_eq!(called("http://localhost:80/mcp", "[::1]"), "http://[::1]:80/mcp");
        assert_eq!(called("http://[::1]:3001/mcp", "localhost"), identifier);
    }

    #[test]
    fn elsewhere_the_configured_identifier_alone_counts() {
        let identifier = "https://mcp.example.com/mcp";
        assert_eq!(called(identifier, "localhost"), identifier);
        assert_eq!(resource(identifier).audiences(), [identifier]);
    }

    #[test]
    fn the_challenge_names_the_metadata_with_the_path_inserted() {
        let metadata_url =
            |identifier| resource(identifier).as_called(&HeaderMap::new()).metadata_url.clone();
        let well_known = "https://mcp.example.com/.well-known/oauth-protected-resource";
        assert_eq!(metadata_url("https://mcp.example.com"), well_known);
        assert_eq!(metadata_url("https://mcp.example.com/mcp"), format!("{well_known}/mcp"));
    }
}
