//! Aside: a server of revision 2025-03-26, which was its own authorization server and had no
//! protected resource metadata.
//!
//! There is no automatic fallback to this, because a server could hide its metadata to be trusted
//! with less proof. The user has to choose it.

use url::Url;

use super::{
    OAuthError,
    authorization_server_metadata::{AuthorizationServerMetadata, at_root},
    discovery::Discovery,
    protected_resource::ProtectedResourceMetadata,
};
use crate::http::Fetch;

/// The server's own metadata at the root of its origin; without any, the endpoints that the old
/// revision named for that case ("Fallbacks for Servers without Metadata Discovery").
pub(crate) async fn discover(fetch: &Fetch, server: &Url) -> Result<Discovery, OAuthError> {
    let issuer = server.origin().ascii_serialization();
    let authorization_server = match at_root(fetch, &issuer).await? {
        Some(metadata) => metadata,
        None => AuthorizationServerMetadata::by_convention(&issuer)?,
    };
    let resource = ProtectedResourceMetadata::implied(server.as_str(), issuer);
    Ok(Discovery { resource, authorization_server })
}
