//! Steps 2 and 3 together: from a server's refusal to the authorization server it trusts.

use url::Url;

use super::{
    OAuthError,
    authorization_server_metadata::{self, AuthorizationServerMetadata},
    challenge::AuthorizationChallenge,
    protected_resource::{self, ProtectedResourceMetadata},
};
use crate::http::Fetch;

/// The metadata of an MCP server and of its authorization server.
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    /// What the MCP server says about itself.
    pub(crate) resource: ProtectedResourceMetadata,
    /// What its authorization server says about itself.
    pub(crate) authorization_server: AuthorizationServerMetadata,
}

/// Finds out where to sign in. Nothing is cached, because a server may have moved to another
/// authorization server since the last sign-in.
pub(crate) async fn discover(
    fetch: &Fetch,
    server: &Url,
    challenge: &AuthorizationChallenge,
) -> Result<Discovery, OAuthError> {
    let announced = challenge.resource_metadata.as_deref();
    let resource = protected_resource::discover(fetch, server, announced).await?;
    let authorization_server =
        authorization_server_metadata::discover(fetch, resource.issuer()?).await?;
    Ok(Discovery { resource, authorization_server })
}
