//! `POST /register`
//!
//! Open registration (RFC 7591 §3). The `client_id` in the answer carries the registration, and no
//! row is written.

pub(crate) mod configuration;

use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use keys::unique_json;
use serde::Serialize;

use crate::{
    clients::registration::{self, Registration},
    error_response::JsonError,
    extract::Visitor,
    oauth::{
        ClientMetadata, ErrorCode, GrantType, OAuthError, Provenance, client::RequestedMetadata,
    },
    state::AppState,
};

/// In bytes.
const MAX_BODY: usize = 64 * 1024;
/// Longest `client_id`, in bytes: it travels in URLs and headers.
const MAX_CLIENT_ID: usize = 4096;

/// What is in force (RFC 7591 §3.2.1, RFC 7592 §3). Absent members are left out, never `null`.
#[derive(Debug, Serialize)]
pub(crate) struct ClientInformationResponse {
    client_id: String,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    registration_access_token: String,
    registration_client_uri: String,
    response_types: Vec<&'static str>,
    #[serde(flatten)]
    metadata: ClientMetadata,
}

impl ClientInformationResponse {
    fn new(state: &AppState, client_id: String, registration: Registration) -> Self {
        let mut metadata = registration.metadata;
        // What is asked for and cannot be had is left out (RFC 7591 §3.2.1).
        metadata.id_token_signed_response_alg.take_if(|alg| !state.signs_by(Some(alg)));
        metadata.userinfo_signed_response_alg.take_if(|alg| !state.signs_by(Some(alg)));
        let has_secret = metadata.token_endpoint_auth_method.has_secret();
        let secret = registration::client_secret(&state.seals, &client_id);
        let token = registration::access_token(&state.seals, &client_id);
        let uses_code = metadata.grant_types.contains(&GrantType::AuthorizationCode);
        Self {
            client_id_issued_at: registration.issued_at,
            client_secret: has_secret.then(|| secret.expose().to_owned()),
            client_secret_expires_at: has_secret.then_some(0),
            registration_access_token: token.expose().to_owned(),
            registration_client_uri: format!("{}/register/{client_id}", state.config.issuer),
            response_types: uses_code.then_some("code").into_iter().collect(),
            metadata,
            client_id,
        }
    }
}

pub(crate) async fn post(
    State(state): State<AppState>,
    visitor: Visitor,
    request: Request,
) -> Result<(StatusCode, Json<ClientInformationResponse>), JsonError> {
    let now = state.clock.now();
    state.limits.register(&visitor.limited_address(), now)?;
    let metadata = read(request).await?.validate(Provenance::Registered)?;
    state.clients.check_registration(&metadata, ErrorCode::AccessDenied)?;
    let registration = Registration::new(metadata, now);
    let client_id = registration.seal(&state.seals).map_err(OAuthError::from)?;
    if client_id.len() > MAX_CLIENT_ID {
        return Err(refused("registration_too_large", "Register fewer or shorter values.").into());
    }
    let response = ClientInformationResponse::new(&state, client_id, registration);
    Ok((StatusCode::CREATED, Json(response)))
}

async fn read(request: Request) -> Result<RequestedMetadata, OAuthError> {
    check_content_type(request.headers())?;
    let body: Bytes = to_bytes(request.into_body(), MAX_BODY)
        .await
        .map_err(|_| refused("body_too_large", "The registration is larger than 64 KiB."))?;
    unique_json::from_slice(&body).map_err(|error| {
        refused("metadata_malformed", "The registration is not a JSON object.").because(error)
    })
}

/// Refuses other media types. A form or a script of any site can send those without the browser
/// asking this server first.
fn check_content_type(headers: &HeaderMap) -> Result<(), OAuthError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(refused("registration_content_type", "Send the registration as application/json."))
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    ErrorCode::InvalidClientMetadata.error(reason, description)
}
