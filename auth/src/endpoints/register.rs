//! `POST /register`
//!
//! Open registration (RFC 7591 §3). The answer is all there is of it: the `client_id` carries the
//! registration, and no row is written.

pub mod configuration;

use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use keys::unique_json;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::{
    clients::registration::{self, Registration},
    error_response::TokenError,
    extract::visitor::Visitor,
    oauth::{
        client::{Client, ClientKeys, GrantType, Provenance},
        client_metadata::ClientMetadata,
        error::{ErrorCode, OAuthError},
        redirect_uri::RedirectUri,
    },
    state::AppState,
};

const LARGEST_REQUEST: usize = 64 * 1024;
/// A `client_id` travels in URLs and headers, so it is bounded, in bytes.
const LONGEST_CLIENT_ID: usize = 4096;

/// What is in force (RFC 7591 §3.2.1, RFC 7592 §3). Absent members are left out, never `null`.
#[derive(Debug, Serialize)]
pub struct ClientInformationResponse {
    client_id: String,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    registration_access_token: String,
    registration_client_uri: String,
    client_name: String,
    redirect_uris: Vec<String>,
    grant_types: Vec<&'static str>,
    response_types: Vec<&'static str>,
    token_endpoint_auth_method: &'static str,
    application_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<Url>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_bound_access_tokens: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_pushed_authorization_requests: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<Url>,
}

impl IntoResponse for ClientInformationResponse {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

impl ClientInformationResponse {
    fn new(state: &AppState, client: Client, issued_at: i64) -> Self {
        let has_secret = client.authentication.has_secret();
        let secret = registration::client_secret(&state.seals, &client.id);
        let (jwks, jwks_uri) = match &client.keys {
            ClientKeys::None => (None, None),
            ClientKeys::Jwks(text) => (serde_json::from_str(text).ok(), None),
            ClientKeys::JwksUri(uri) => (None, Some(uri.clone())),
        };
        let uses_code = client.grant_types.contains(&GrantType::AuthorizationCode);
        let token = registration::access_token(&state.seals, &client.id);
        Self {
            client_id_issued_at: issued_at,
            client_secret_expires_at: has_secret.then_some(0),
            client_secret: has_secret.then(|| secret.expose().to_owned()),
            registration_access_token: token.expose().to_owned(),
            registration_client_uri: format!("{}/register/{}", state.config.issuer, client.id),
            client_name: client.name,
            redirect_uris: texts(&client.redirect_uris),
            grant_types: client.grant_types.iter().map(|grant| grant.as_str()).collect(),
            response_types: uses_code.then_some("code").into_iter().collect(),
            token_endpoint_auth_method: client.authentication.as_str(),
            application_type: client.application_type.as_str(),
            jwks,
            jwks_uri,
            post_logout_redirect_uris: texts(&client.post_logout_redirect_uris),
            dpop_bound_access_tokens: client.dpop_bound_access_tokens.then_some(true),
            require_pushed_authorization_requests: client
                .require_pushed_authorization_requests
                .then_some(true),
            // What is asked for and cannot be had is left out (RFC 7591 §3.2.1).
            id_token_signed_response_alg: client
                .id_token_signed_response_alg
                .filter(|algorithm| state.signs_by(Some(algorithm))),
            userinfo_signed_response_alg: client
                .userinfo_signed_response_alg
                .filter(|algorithm| state.signs_by(Some(algorithm))),
            client_uri: client.client_uri,
            logo_uri: client.logo_uri,
            policy_uri: client.policy_uri,
            tos_uri: client.tos_uri,
            client_id: client.id,
        }
    }
}

/// Registers a client.
pub async fn post(
    State(state): State<AppState>,
    visitor: Visitor,
    request: Request,
) -> Result<(StatusCode, ClientInformationResponse), TokenError> {
    state.limits.register(&visitor.limited_address(), state.clock.now())?;
    let metadata = read(request).await?;
    let client = metadata.judge("", Provenance::Registered)?;
    let issued_at = state.clock.now();
    let id = Registration::new(client.clone(), issued_at)
        .seal(&state.seals)
        .map_err(OAuthError::from)?;
    if id.len() > LONGEST_CLIENT_ID {
        return Err(refused("registration_too_large", "Register fewer or shorter values.").into());
    }
    let client = Client { id, ..client };
    Ok((StatusCode::CREATED, ClientInformationResponse::new(&state, client, issued_at)))
}

async fn read(request: Request) -> Result<ClientMetadata, OAuthError> {
    check_content_type(request.headers())?;
    let body: Bytes = to_bytes(request.into_body(), LARGEST_REQUEST)
        .await
        .map_err(|_| refused("body_too_large", "The registration is larger than 64 KiB."))?;
    unique_json::from_slice(&body).map_err(|error| {
        refused("metadata_malformed", "The registration is not a JSON object.").because(error)
    })
}

/// What is sent as anything else than JSON could come from a form or a script of any site, which a
/// browser lets through without asking us.
fn check_content_type(headers: &HeaderMap) -> Result<(), OAuthError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    match essence.trim().eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => {
            Err(refused("registration_content_type", "Send the registration as application/json."))
        }
    }
}

fn texts(uris: &[RedirectUri]) -> Vec<String> {
    uris.iter().map(|uri| uri.as_str().to_owned()).collect()
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, reason, description)
}
