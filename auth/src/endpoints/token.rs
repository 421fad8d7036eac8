//! `POST /token`
//!
//! Exchanges a grant for tokens (RFC 6749 §3.2). Each grant type is a file in the folder beside.

mod authorization_code;
pub(crate) mod issue;
mod refresh_token;

use axum::{
    Json,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    error_response::TokenError,
    extract::authenticated::{Authenticated, FromParameters},
    oauth::{
        client::GrantType,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    state::AppState,
};

/// The message, told apart by `grant_type`.
#[derive(Debug)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    AuthorizationCode(authorization_code::Request),
    /// RFC 6749 §6.
    RefreshToken(refresh_token::Request),
}

impl FromParameters for TokenRequest {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        match GrantType::parse(parameters.required("grant_type")?) {
            Some(GrantType::AuthorizationCode) => {
                authorization_code::Request::from_parameters(parameters)
                    .map(Self::AuthorizationCode)
            }
            Some(GrantType::RefreshToken) => {
                refresh_token::Request::from_parameters(parameters).map(Self::RefreshToken)
            }
            None => Err(OAuthError::new(
                ErrorCode::UnsupportedGrantType,
                "grant_type",
                "The grant_type must be authorization_code or refresh_token.",
            )),
        }
    }
}

/// What the client gets (RFC 6749 §5.1, RFC 8707 §2.2). Never cached.
#[derive(Debug, Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl IntoResponse for TokenResponse {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

/// Serves the grant.
pub async fn post(
    State(state): State<AppState>,
    Authenticated { client, request }: Authenticated<TokenRequest>,
) -> Result<TokenResponse, TokenError> {
    match request {
        TokenRequest::AuthorizationCode(request) => {
            client.check_grant(GrantType::AuthorizationCode)?;
            Ok(authorization_code::serve(&state, &client, request).await?)
        }
        TokenRequest::RefreshToken(request) => {
            client.check_grant(GrantType::RefreshToken)?;
            Ok(refresh_token::serve(&state, &client, request).await?)
        }
    }
}
