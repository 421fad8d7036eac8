//! `POST /par`
//!
//! A client hands over its authorization request beforehand, and gets a short name for it
//! (RFC 9126 §2). The name carries the request, sealed, so nothing is stored.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    error_response::JsonError,
    extract::{Authenticated, FromParameters},
    oauth::{AuthorizationRequest, Client, ErrorCode, OAuthError, Parameters, RedirectTarget},
    state::AppState,
};

/// Seconds in which the name may be used: long enough for a person to sign in.
const LIFETIME: i64 = 600;
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The message: the parameters of an authorization request (RFC 9126 §2.1).
pub(crate) struct PushedAuthorizationRequest(Parameters);

impl FromParameters for PushedAuthorizationRequest {
    const BINDS_TO_KEY: bool = true;

    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        match parameters.all("request_uri") {
            [] => Ok(Self(parameters.clone())),
            _ => Err(OAuthError::invalid_request(
                "request_uri_pushed",
                "The parameter request_uri must not be pushed. Send the parameters themselves.",
            )),
        }
    }
}

/// The answer (RFC 9126 §2.2).
#[derive(Debug, Serialize)]
pub(crate) struct PushedAuthorizationResponse {
    request_uri: String,
    expires_in: i64,
}

/// A request that was pushed, as its name carries it.
#[derive(Serialize, Deserialize)]
struct Pushed {
    id: Uuid,
    client_id: String,
    parameters: Parameters,
    expires_at: i64,
}

/// Judges the request as `/authorize` would, and names it.
pub(crate) async fn post(
    State(state): State<AppState>,
    Authenticated { client, request, key_thumbprint, .. }: Authenticated<
        PushedAuthorizationRequest,
    >,
) -> Result<(StatusCode, Json<PushedAuthorizationResponse>), JsonError> {
    let mut parameters = request.0;
    let redirect_uri = parameters.optional("redirect_uri")?;
    let one_state = parameters.optional("state")?;
    let target = RedirectTarget::verify(&client, redirect_uri, one_state, &state.config.issuer)?;
    let judged =
        AuthorizationRequest::parse(&parameters, client.clone(), target, &state.resources)?;
    if let Some(key) = key_thumbprint {
        if judged.dpop_jkt.is_some_and(|named| named != key) {
            return Err(OAuthError::invalid_request(
                "dpop_jkt_differs",
                "The dpop_jkt is not the thumbprint of the key of the DPoP proof.",
            )
            .into());
        }
        parameters.set("dpop_jkt", key);
    }
    for secret in ["client_secret", "client_assertion", "client_assertion_type"] {
        parameters.remove(secret);
    }
    let pushed = Pushed {
        id: Uuid::new_v4(),
        client_id: client.id,
        parameters,
        expires_at: state.clock.now() + LIFETIME,
    };
    let sealed = state.seals.pushed_request.seal(&pushed)?;
    let request_uri = format!("{PREFIX}{sealed}");
    let response = PushedAuthorizationResponse { request_uri, expires_in: LIFETIME };
    Ok((StatusCode::CREATED, Json(response)))
}

/// The parameters behind a query: those that were pushed, if it names some, and the name to spend
/// once the request is answered. Whatever else the query holds does not count (RFC 9126 §4).
pub(super) fn open(
    state: &AppState,
    client: &Client,
    query: Parameters,
) -> Result<(Parameters, Option<PushedName>), OAuthError> {
    let Some(name) = query.optional("request_uri")? else {
        return Ok((query, None));
    };
    let sealed = name.strip_prefix(PREFIX).ok_or_else(unusable)?;
    let pushed: Pushed =
        state.seals.pushed_request.open(sealed).map_err(|error| unusable().because(error))?;
    if pushed.client_id != client.id || pushed.expires_at <= state.clock.now() {
        return Err(unusable());
    }
    let name = PushedName { id: pushed.id, expires_at: pushed.expires_at };
    Ok((pushed.parameters, Some(name)))
}

/// The name of a pushed request, good for one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PushedName {
    id: Uuid,
    expires_at: i64,
}

impl PushedName {
    /// Spends the name: of two answers, one counts (RFC 9126 §7.3).
    pub(super) async fn spend(self, state: &AppState) -> Result<(), OAuthError> {
        state.spend("pushed-request", &self.id.to_string(), self.expires_at, unusable).await
    }
}

fn unusable() -> OAuthError {
    ErrorCode::InvalidRequest.error(
        "request_uri_unusable",
        "The request_uri is unknown, expired, used or not this client's. Push the request again.",
    )
}
