//! Clients that an operator entered.

use url::Url;

use crate::{
    oauth::{
        client::{
            ApplicationType, AuthenticationMethod, Client, ClientKeys, GrantType, Provenance,
        },
        redirect_uri::RedirectUri,
        resource::TokenFormat,
    },
    storage::clients,
};

/// A row as a client. A row holds what `auth clients add` accepted, so a part that does not read
/// is left out rather than made up.
pub(super) fn client(row: clients::Model, now: i64) -> Client {
    let url = |text: Option<String>| text.and_then(|text| Url::parse(&text).ok());
    let uris = |list: &str| words(list).filter_map(|uri| RedirectUri::parse(uri).ok()).collect();
    let keys = match (row.jwks.clone(), url(row.jwks_uri.clone())) {
        (Some(jwks), _) => ClientKeys::Jwks(jwks),
        (None, Some(uri)) => ClientKeys::JwksUri(uri),
        (None, None) => ClientKeys::None,
    };
    Client {
        redirect_uris: uris(&row.redirect_uris),
        grant_types: words(&row.grant_types).filter_map(GrantType::parse).collect(),
        authentication: AuthenticationMethod::parse(&row.token_endpoint_auth_method)
            .unwrap_or(AuthenticationMethod::ClientSecretBasic),
        secret_hashes: row.live_secret_hashes(now),
        keys,
        scope: row.scope.as_deref().map(|scope| words(scope).collect()),
        resource: row.resource,
        application_type: ApplicationType::parse(&row.application_type).unwrap_or_default(),
        post_logout_redirect_uris: uris(&row.post_logout_redirect_uris),
        backchannel_logout_uri: url(row.backchannel_logout_uri),
        backchannel_logout_session_required: row.backchannel_logout_session_required,
        require_pushed_authorization_requests: row.require_pushed_authorization_requests,
        dpop_bound_access_tokens: row.dpop_bound_access_tokens,
        access_token_format: row.access_token_format.as_deref().and_then(TokenFormat::parse),
        id_token_signed_response_alg: row.id_token_signed_response_alg,
        userinfo_signed_response_alg: row.userinfo_signed_response_alg,
        client_uri: url(row.client_uri),
        logo_uri: url(row.logo_uri),
        policy_uri: url(row.policy_uri),
        tos_uri: url(row.tos_uri),
        name: row.name,
        provenance: Provenance::PreRegistered,
        registration_id: None,
        id: row.id,
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|word| !word.is_empty())
}
