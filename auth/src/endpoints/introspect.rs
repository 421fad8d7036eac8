//! `POST /introspect`
//!
//! What a token is, for the resource server that it is meant for, or the client that holds it
//! (RFC 7662 §2), as JSON or signed (RFC 9701). Any other client learns only that it is not
//! active.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use keys::{Actor, Audience, Confirmation, TokenType};
use serde::Serialize;

use crate::{
    access::GroupsClaim,
    error_response::JsonError,
    extract::{Accept, Authenticated, PresentedToken},
    oauth::{Client, ErrorCode, OAuthError},
    state::AppState,
    tokens::LiveToken,
};

/// The media type of a signed answer.
const SIGNED: &str = "application/token-introspection+jwt";

/// The answer (RFC 7662 §2.2). Of a token that is not active, nothing but that.
#[derive(Debug, Serialize)]
pub(crate) struct IntrospectionResponse {
    active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    token: Option<TokenFacts>,
}

#[derive(Debug, Serialize)]
struct TokenFacts {
    iss: String,
    sub: String,
    aud: Audience,
    client_id: String,
    scope: String,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor>,
    #[serde(flatten)]
    groups: GroupsClaim,
}

/// The answer as it is signed (RFC 9701 §5).
#[derive(Debug, Serialize)]
struct SignedIntrospection<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    token_introspection: IntrospectionResponse,
}

/// Answers for one token, signed for who asks for that.
pub(crate) async fn post(
    State(state): State<AppState>,
    accept: Accept,
    Authenticated { client, request: PresentedToken(token), .. }: Authenticated<PresentedToken>,
) -> Result<Response, JsonError> {
    if client.is_public() {
        return Err(public_client().into());
    }
    let token = LiveToken::find(&state, &token).await?;
    let is_good = token.is_some();
    let token = token.filter(|token| may_ask(&client, token));
    tracing::debug!(is_good, may_ask = token.is_some() == is_good, "token looked at");
    let facts = token.map(|token| facts(&state.config.issuer, token));
    let answer = IntrospectionResponse { active: facts.is_some(), token: facts };
    if accept.prefers(SIGNED) {
        Ok(signed(&state, &client, answer)?)
    } else {
        Ok(Json(answer).into_response())
    }
}

fn signed(
    state: &AppState,
    client: &Client,
    answer: IntrospectionResponse,
) -> Result<Response, OAuthError> {
    let now = state.clock.now();
    let claims = SignedIntrospection {
        iss: &state.config.issuer,
        aud: &client.id,
        iat: now,
        token_introspection: answer,
    };
    let key = state.keys.current(now);
    let jwt = key.and_then(|key| key.sign(TokenType::TokenIntrospection, &claims));
    let jwt = jwt.map_err(|error| OAuthError::server_error("introspection_not_signed", error))?;
    Ok(([(CONTENT_TYPE, SIGNED)], jwt).into_response())
}

/// The client that holds the token, or the resource that the token is for.
fn may_ask(client: &Client, token: &LiveToken) -> bool {
    match token {
        LiveToken::Access(token) => {
            client.id == token.claims.client_id || client.is_audience_of(&token.claims.aud)
        }
        LiveToken::Refresh(grant) => {
            client.id == grant.client_id
                || client.metadata.operator.resource.as_ref() == Some(&grant.resource)
        }
    }
}

fn facts(issuer: &str, token: LiveToken) -> TokenFacts {
    match token {
        LiveToken::Access(token) => {
            let claims = Arc::unwrap_or_clone(token.claims);
            TokenFacts {
                iss: claims.iss,
                sub: claims.sub,
                aud: claims.aud,
                client_id: claims.client_id,
                scope: claims.scope,
                token_type: if claims.cnf.is_some() { "DPoP" } else { "Bearer" },
                exp: claims.exp,
                iat: claims.iat,
                auth_time: claims.auth_time,
                acr: claims.acr,
                jti: Some(claims.jti),
                cnf: claims.cnf,
                act: claims.act,
                groups: token.groups,
            }
        }
        LiveToken::Refresh(grant) => TokenFacts {
            iss: issuer.into(),
            sub: grant.user_id.to_string(),
            aud: Audience::One(grant.resource),
            client_id: grant.client_id,
            scope: grant.scope,
            token_type: "refresh_token",
            exp: grant.refresh_expires_at.min(grant.expires_at),
            iat: grant.created_at,
            auth_time: Some(grant.authenticated_at),
            acr: None,
            jti: None,
            cnf: grant.key_thumbprint.map(|jkt| Confirmation { jkt }),
            act: None,
            groups: GroupsClaim::default(),
        },
    }
}

fn public_client() -> OAuthError {
    ErrorCode::InvalidClient
        .error("introspection_public_client", "Introspection is for clients with a secret.")
}
