//! `POST /device_authorization`
//!
//! A device without a browser asks for a pair of codes: one for a person to type, one to poll with
//! (RFC 8628 §3.1). Its row lives for minutes, and there are only so many.

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    error_response::JsonError,
    extract::{AccessRequest, Authenticated, Visitor},
    oauth::{Client, ErrorCode, GrantType, OAuthError, Secret, SecretKind, UserCode, resource},
    state::AppState,
    storage::{
        attempts::{self, Allowance},
        device_codes,
    },
};

/// Seconds that the codes are good.
const LIFETIME: i64 = 600;
/// Seconds to wait between two polls.
const INTERVAL: i64 = 5;
/// Most requests that wait for a person at one time, and most of clients that registered themselves
/// from one network. They bound what anonymous clients cost the database.
const MAX_WAITING: u64 = 10_000;
const FROM_A_NETWORK: Allowance = Allowance { most: 60, span: 60 };

/// The answer (RFC 8628 §3.2).
#[derive(Debug, Serialize)]
pub(crate) struct DeviceAuthorizationResponse {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

pub(crate) async fn post(
    State(state): State<AppState>,
    Authenticated { client, request, visitor, .. }: Authenticated<AccessRequest>,
) -> Result<Json<DeviceAuthorizationResponse>, JsonError> {
    client.check_grant(GrantType::DeviceCode)?;
    let resource = resource::select(&state.resources, &request.resources)?;
    let scope = resource.grantable(request.scope.as_deref())?;
    let scope = client.restrict(&scope, resource)?;
    check_room(&state, &client, &visitor).await?;
    let device_code = Secret::generate(SecretKind::DeviceCode)?;
    let user_code = UserCode::generate()?;
    let now = state.clock.now();
    let row = device_codes::Model {
        device_code_hash: device_code.hash(),
        user_code: user_code.as_str().into(),
        client_id: client.id,
        resource: resource.resource.clone(),
        scope: scope.to_string(),
        network: visitor.network(),
        created_at: now,
        expires_at: now + LIFETIME,
        interval: INTERVAL,
        next_poll_at: now,
        grant_id: None,
        answered_at: None,
        redeemed_at: None,
    };
    device_codes::issue(state.db.connection(), row).await?;
    let verification_uri = format!("{}/device", state.config.issuer);
    Ok(Json(DeviceAuthorizationResponse {
        device_code: device_code.expose().into(),
        verification_uri_complete: format!("{verification_uri}?user_code={}", user_code.shown()),
        verification_uri,
        user_code: user_code.shown(),
        expires_in: LIFETIME,
        interval: INTERVAL,
    }))
}

/// Refuses what would be one row too many.
async fn check_room(
    state: &AppState,
    client: &Client,
    visitor: &Visitor,
) -> Result<(), OAuthError> {
    let db = state.db.connection();
    let now = state.clock.now();
    if client.is_anonymous() {
        let key = ("device_request", &*visitor.network());
        let wait = attempts::count(db, key, FROM_A_NETWORK, now).await?;
        if let Some(seconds) = wait {
            return Err(ErrorCode::TooManyRequests
                .error(
                    "device_requests_too_many",
                    "Too many devices of this network have asked for a code. Ask again later.",
                )
                .retry_after(seconds));
        }
    }
    if device_codes::waiting(db, now).await? >= MAX_WAITING {
        Err(ErrorCode::TemporarilyUnavailable.error(
            "device_requests_full",
            "Too many devices wait for an answer. Ask again in some minutes.",
        ))
    } else {
        Ok(())
    }
}
