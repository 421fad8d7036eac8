//! `POST /introspect`
//!
//! What a token is, for the resource server that it is meant for, or the client that holds it
//! (RFC 7662 §2). Whoever else asks learns that it is not active.

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
        client::{AuthenticationMethod, Client},
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        secret,
    },
    state::AppState,
    tokens::LiveToken,
};

/// The message (RFC 7662 §2.1).
#[derive(Debug)]
pub struct IntrospectionRequest {
    token: String,
}

impl FromParameters for IntrospectionRequest {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self { token: parameters.required("token")?.into() })
    }
}

/// The answer (RFC 7662 §2.2). Of a token that is not active, nothing but that.
#[derive(Debug, Default, Serialize)]
pub struct IntrospectionResponse {
    active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    token: Option<TokenFacts>,
}

#[derive(Debug, Serialize)]
struct TokenFacts {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    scope: String,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl IntoResponse for IntrospectionResponse {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

/// Answers for one token.
pub async fn post(
    State(state): State<AppState>,
    Authenticated { client, request }: Authenticated<IntrospectionRequest>,
) -> Result<IntrospectionResponse, TokenError> {
    if client.authentication == AuthenticationMethod::None {
        return Err(public_client().into());
    }
    let token = LiveToken::find(&state, &request.token).await?;
    let token = token.filter(|token| may_ask(&client, token));
    Ok(match token {
        Some(token) => {
            IntrospectionResponse { active: true, token: Some(facts(&state.config.issuer, &token)) }
        }
        None => IntrospectionResponse::default(),
    })
}

fn may_ask(client: &Client, token: &LiveToken) -> bool {
    let grant = token.grant();
    client.id == grant.client_id || client.resource.as_ref() == Some(&grant.resource)
}

fn facts(issuer: &str, token: &LiveToken) -> TokenFacts {
    let grant = token.grant();
    let (scope, token_type, iat, exp, jti) = match token {
        LiveToken::Jwt(claims, _) => {
            let jti = Some(claims.jti.clone());
            (claims.scope.clone(), "Bearer", claims.iat, claims.exp, jti)
        }
        LiveToken::Opaque(token, _) => {
            // Led by the grant, like that of a JWT: so a deny list of grants means both.
            let jti = format!("{}.{}", token.grant_id, secret::hash(&token.token_hash));
            (token.scope.clone(), "Bearer", token.issued_at, token.expires_at, Some(jti))
        }
        LiveToken::Refresh(grant) => {
            let exp = grant.refresh_expires_at.min(grant.expires_at);
            (grant.scope.clone(), "refresh_token", grant.created_at, exp, None)
        }
    };
    TokenFacts {
        iss: issuer.into(),
        sub: grant.user_id.to_string(),
        aud: grant.resource.clone(),
        client_id: grant.client_id.clone(),
        scope,
        token_type,
        exp,
        iat,
        auth_time: grant.authenticated_at,
        jti,
    }
}

fn public_client() -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidClient,
        "introspection_public_client",
        "Introspection is for clients with a secret.",
    )
}
