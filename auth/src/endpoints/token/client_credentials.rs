//! `grant_type=client_credentials` (RFC 6749 §4.4): a client asks for itself, and no person is
//! involved.

use super::{
    TokenResponse,
    issue::{self, Issue, TokenExtras},
};
use crate::{
    extract::AccessRequest,
    oauth::{Client, ErrorCode, OAuthError, resource},
    state::AppState,
};

/// Gives the client a token of its own. There is no refresh token: it can ask again.
pub(super) async fn serve(
    state: &AppState,
    client: &Client,
    key_thumbprint: Option<&str>,
    request: AccessRequest,
) -> Result<TokenResponse, OAuthError> {
    if client.is_public() {
        return Err(ErrorCode::UnauthorizedClient.error(
            "client_credentials_public",
            "A client that cannot prove who it is cannot ask for tokens of its own.",
        ));
    }
    let resource = resource::select(&state.resources, &request.resources)?;
    let scope = resource.grantable_to_client(request.scope.as_deref(), client.max_scopes())?;
    let issue = Issue::new(client, None, resource, scope)?;
    issue::tokens(state, issue, key_thumbprint, TokenExtras::default()).await
}
