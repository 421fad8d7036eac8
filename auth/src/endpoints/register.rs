//! `POST /register`
//!
//! Open registration (RFC 7591 §3). The answer is all there is of it: the `client_id` carries the
//! registration, and no row is written.

use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::{
    clients::{Registered, Registration},
    error_response::TokenError,
    oauth::{
        client::{AuthenticationMethod, GrantType, check_name},
        error::{ErrorCode, OAuthError},
        redirect_uri::RedirectUri,
    },
    state::AppState,
};

const LARGEST_REQUEST: usize = 64 * 1024;
const MOST_REDIRECT_URIS: usize = 10;
/// A `client_id` travels in URLs and headers, so what it carries is bounded, in bytes.
const LARGEST_REGISTRATION: usize = 2048;

/// Client metadata as sent (RFC 7591 §2). Unknown members are passed over.
#[derive(Debug, Deserialize)]
pub struct ClientRegistrationRequest {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    application_type: Option<String>,
    scope: Option<String>,
}

/// What is in force (RFC 7591 §3.2.1). Absent members are left out, never `null`.
#[derive(Debug, Serialize)]
pub struct ClientInformationResponse {
    client_id: String,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    client_name: String,
    redirect_uris: Vec<String>,
    grant_types: Vec<&'static str>,
    response_types: [&'static str; 1],
    token_endpoint_auth_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl IntoResponse for ClientInformationResponse {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

/// Registers a client.
pub async fn post(
    State(state): State<AppState>,
    request: Request,
) -> Result<ClientInformationResponse, TokenError> {
    let request = read(request).await?;
    let registration = judge(&request, state.clock.now())?;
    let (client_id, secret) =
        Registered::seal(&state.seals, &registration).map_err(OAuthError::from)?;
    Ok(ClientInformationResponse {
        client_id,
        client_id_issued_at: registration.issued_at,
        client_secret_expires_at: secret.as_ref().map(|_| 0),
        client_secret: secret.map(|secret| secret.expose().to_owned()),
        client_name: registration.name,
        redirect_uris: registration.redirect_uris,
        grant_types: registration.grant_types.iter().map(|grant| grant.as_str()).collect(),
        response_types: ["code"],
        token_endpoint_auth_method: registration.authentication.as_str(),
        application_type: request.application_type,
        scope: request.scope,
    })
}

async fn read(request: Request) -> Result<ClientRegistrationRequest, OAuthError> {
    let body: Bytes = to_bytes(request.into_body(), LARGEST_REQUEST)
        .await
        .map_err(|_| refused("body_too_large", "The registration is larger than 64 KiB."))?;
    serde_json::from_slice(&body).map_err(|error| {
        refused("metadata_malformed", "The registration is not a JSON object of client metadata.")
            .because(error)
    })
}

/// Decides what of the wishes is in force. Grants that are not served are passed over; a client
/// that does not say how it authenticates is a public one, as the clients that leave it out expect.
fn judge(request: &ClientRegistrationRequest, now: i64) -> Result<Registration, OAuthError> {
    let registration = Registration {
        name: check_name(request.client_name.as_deref())?,
        redirect_uris: redirect_uris(&request.redirect_uris)?,
        grant_types: grant_types(request.grant_types.as_deref())?,
        authentication: authentication(request.token_endpoint_auth_method.as_deref())?,
        issued_at: now,
    };
    if request.response_types.as_ref().is_some_and(|types| !types.iter().any(|t| t == "code")) {
        return Err(refused("response_types", "The response_types must include code."));
    }
    if !matches!(request.application_type.as_deref(), None | Some("native" | "web")) {
        return Err(refused("application_type", "The application_type must be native or web."));
    }
    let size: usize = registration.redirect_uris.iter().map(String::len).sum();
    match size > LARGEST_REGISTRATION {
        true => Err(refused("registration_too_large", "Register fewer or shorter redirect URIs.")),
        false => Ok(registration),
    }
}

fn redirect_uris(uris: &[String]) -> Result<Vec<String>, OAuthError> {
    if uris.is_empty() || uris.len() > MOST_REDIRECT_URIS {
        return Err(OAuthError::new(
            ErrorCode::InvalidRedirectUri,
            "redirect_uris_number",
            "Register between 1 and 10 redirect_uris.",
        ));
    }
    uris.iter().map(|uri| RedirectUri::parse(uri).map(|uri| uri.as_str().to_owned())).collect()
}

fn grant_types(names: Option<&[String]>) -> Result<Vec<GrantType>, OAuthError> {
    let Some(names) = names else {
        return Ok(vec![GrantType::AuthorizationCode]);
    };
    let grants: Vec<_> = names.iter().filter_map(|name| GrantType::parse(name)).collect();
    match grants.contains(&GrantType::AuthorizationCode) {
        true => Ok(grants),
        false => Err(refused("grant_types", "The grant_types must include authorization_code.")),
    }
}

fn authentication(name: Option<&str>) -> Result<AuthenticationMethod, OAuthError> {
    AuthenticationMethod::parse(name.unwrap_or("none")).ok_or_else(|| {
        refused(
            "token_endpoint_auth_method",
            "The token_endpoint_auth_method must be none, client_secret_basic or \
             client_secret_post.",
        )
    })
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, reason, description)
}
