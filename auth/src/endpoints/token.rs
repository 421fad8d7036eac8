//! `POST /token`
//!
//! Exchanges a grant for tokens (RFC 6749 §3.2). Each grant type is a file in `token/`.

mod authorization_code;
mod client_credentials;
mod device_code;
mod issue;
mod jwt_bearer;
mod redeem;
mod refresh_token;
mod replay;
mod token_exchange;

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    error_response::JsonError,
    extract::{AccessRequest, Authenticated, FromParameters},
    limits::RateLimitKey,
    oauth::{Client, ErrorCode, GrantType, OAuthError, Parameters},
    state::AppState,
};

/// The message, told apart by `grant_type`.
pub(crate) struct TokenRequest {
    grant_type: GrantType,
    message: Message,
}

enum Message {
    AuthorizationCode(authorization_code::Request),
    RefreshToken(refresh_token::Request),
    ClientCredentials(AccessRequest),
    DeviceCode(device_code::Request),
    TokenExchange(token_exchange::Request),
    JwtBearer(jwt_bearer::Request),
}

impl FromParameters for TokenRequest {
    const BINDS_TO_KEY: bool = true;

    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        let grant_type = parameters.required("grant_type")?;
        let grant_type = GrantType::parse(grant_type).ok_or_else(|| {
            ErrorCode::UnsupportedGrantType.error(
                "grant_type",
                "The grant_type is not served here. The metadata lists those that are.",
            )
        })?;
        let message = match grant_type {
            GrantType::AuthorizationCode => Message::AuthorizationCode(read(parameters)?),
            GrantType::RefreshToken => Message::RefreshToken(read(parameters)?),
            GrantType::ClientCredentials => Message::ClientCredentials(read(parameters)?),
            GrantType::DeviceCode => Message::DeviceCode(read(parameters)?),
            GrantType::TokenExchange => Message::TokenExchange(read(parameters)?),
            GrantType::JwtBearer => Message::JwtBearer(read(parameters)?),
        };
        Ok(Self { grant_type, message })
    }

    fn check_client(&self, client: &Client) -> Result<(), OAuthError> {
        client.check_grant(self.grant_type)
    }
}

fn read<T: FromParameters>(parameters: &Parameters) -> Result<T, OAuthError> {
    T::from_parameters(parameters)
}

/// What the client gets (RFC 6749 §5.1, RFC 8707 §2.2).
#[derive(Debug, Serialize)]
pub(crate) struct TokenResponse {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

pub(crate) async fn post(
    State(state): State<AppState>,
    Authenticated { client, request, key_thumbprint, visitor }: Authenticated<TokenRequest>,
) -> Result<Json<TokenResponse>, JsonError> {
    let served = serve(&state, &client, key_thumbprint.as_deref(), request.message).await;
    served.map(Json).map_err(|error| {
        let address = visitor.limited_address();
        let key = if client.is_public() {
            RateLimitKey::Address(&address)
        } else {
            RateLimitKey::Client(&client.id)
        };
        JsonError(state.limits.refusal(key, error, state.clock.now()))
    })
}

async fn serve(
    state: &AppState,
    client: &Client,
    key: Option<&str>,
    message: Message,
) -> Result<TokenResponse, OAuthError> {
    match message {
        Message::AuthorizationCode(it) => authorization_code::serve(state, client, key, it).await,
        Message::RefreshToken(it) => refresh_token::serve(state, client, key, it).await,
        Message::ClientCredentials(it) => client_credentials::serve(state, client, key, it).await,
        Message::DeviceCode(it) => device_code::serve(state, client, key, it).await,
        Message::TokenExchange(it) => token_exchange::serve(state, client, key, it).await,
        Message::JwtBearer(it) => jwt_bearer::serve(state, client, key, it).await,
    }
}
