//! `GET /register/{client_id}`, `PUT /register/{client_id}` and `DELETE /register/{client_id}`
//!
//! A client reads, replaces or deletes its registration (RFC 7592 §2). The `client_id` stays the
//! same and carries the first registration, so a change is stored as a row that takes precedence,
//! and a deletion as a row that says so. Registration alone stores nothing.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use axum_extra::{
    TypedHeader,
    headers::{Authorization, authorization::Bearer},
    typed_header::TypedHeaderRejection,
};
use uuid::Uuid;

use super::{ClientInformationResponse, read, refused};
use crate::{
    clients::registration::{self, Registration},
    error_response::BearerError,
    extract::Visitor,
    oauth::{ClientMetadata, ErrorCode, OAuthError, Provenance, client::RequestedMetadata, secret},
    state::AppState,
    storage::{
        attempts::{self, Allowance},
        clients::Metadata,
        grants, registrations,
    },
};

/// Rows of clients that nobody has allowed anything yet: all that anonymous callers can store. They
/// are never removed, because without its row a deleted client would be back.
const MAX_UNUSED: u64 = 10_000;
/// Changes of such clients from one network, so that no network takes all of those rows.
const CHANGES_OF_A_NETWORK: Allowance = Allowance { most: 50, span: 86_400 };

/// The token that came with the registration.
type Token = Result<TypedHeader<Authorization<Bearer>>, TypedHeaderRejection>;

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(client_id): Path<String>,
    token: Token,
) -> Result<Json<ClientInformationResponse>, BearerError> {
    let registration = authenticate(&state, &client_id, token).await?;
    Ok(Json(ClientInformationResponse::new(&state, client_id, registration)))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(client_id): Path<String>,
    token: Token,
    visitor: Visitor,
    request: Request,
) -> Result<Json<ClientInformationResponse>, BearerError> {
    let current = authenticate(&state, &client_id, token).await?;
    let requested = read(request).await?;
    check_identity(&requested, &client_id, &current.secret_hashes(&state.seals, &client_id))?;
    let metadata = requested.validate(Provenance::Registered)?;
    state.clients.check_registration(&metadata, ErrorCode::AccessDenied)?;
    store(&state, &visitor, &client_id, current.id, Some(metadata.clone())).await?;
    let replaced = Registration { metadata, ..current };
    Ok(Json(ClientInformationResponse::new(&state, client_id, replaced)))
}

/// Deletes the registration and ends everything that the client was granted.
pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(client_id): Path<String>,
    token: Token,
    visitor: Visitor,
) -> Result<StatusCode, BearerError> {
    let registration = authenticate(&state, &client_id, token).await?;
    store(&state, &visitor, &client_id, registration.id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The registration, if the token belongs to it. Whatever is wrong, the answer is the same, so it
/// does not reveal which clients exist.
async fn authenticate(
    state: &AppState,
    client_id: &str,
    token: Token,
) -> Result<Registration, OAuthError> {
    let refused = || {
        ErrorCode::InvalidToken.error(
            "registration_token",
            "Send the registration_access_token of this client as a bearer token.",
        )
    };
    let TypedHeader(Authorization(bearer)) = token.map_err(|error| refused().because(error))?;
    if !registration::is_access_token(&state.seals, client_id, bearer.token()) {
        return Err(refused());
    }
    state.clients.find_registration(client_id).await?.ok_or_else(refused)
}

/// A replacement must contain the `client_id`, and may contain the client's secret
/// (RFC 7592 §2.2).
fn check_identity(
    requested: &RequestedMetadata,
    client_id: &str,
    secret_hashes: &[String],
) -> Result<(), OAuthError> {
    if requested.text("client_id")? != Some(client_id) {
        return Err(refused("registration_id", "Send the client_id of this registration."));
    }
    match requested.text("client_secret")? {
        Some(secret) if !secret::has_one_of(secret, secret_hashes) => Err(refused(
            "registration_secret",
            "The client_secret is not that of this registration. Leave it out.",
        )),
        _ => Ok(()),
    }
}

/// Replaces the metadata of a registration, or deletes it if there are none. A deletion ends what was
/// granted in the same transaction.
async fn store(
    state: &AppState,
    visitor: &Visitor,
    client_id: &str,
    id: Uuid,
    metadata: Option<ClientMetadata>,
) -> Result<(), OAuthError> {
    let now = state.clock.now();
    let transaction = state.db.begin().await?;
    let is_used = grants::any_of_client(&transaction, client_id).await?;
    if !is_used {
        if registrations::unused(&transaction).await? >= MAX_UNUSED {
            return Err(full());
        }
        let key = ("registration_change", &*visitor.network());
        if let Some(seconds) = attempts::count(&transaction, key, CHANGES_OF_A_NETWORK, now).await?
        {
            return Err(too_many().retry_after(seconds));
        }
    }
    let is_deletion = metadata.is_none();
    let row = registrations::Model {
        client_id_hash: registrations::key(id),
        metadata: metadata.map(Metadata),
        is_used,
        changed_at: now,
    };
    registrations::put(&transaction, row).await?;
    if is_deletion {
        grants::revoke_of_client(&transaction, client_id, now).await?;
    }
    Ok(transaction.commit().await?)
}

fn full() -> OAuthError {
    ErrorCode::TemporarilyUnavailable.error(
        "registrations_full",
        "Too many unused clients have changed their registration. Register a new client.",
    )
}

fn too_many() -> OAuthError {
    ErrorCode::TooManyRequests.error(
        "registration_changes_too_many",
        "Too many unused clients of this network have changed their registration. Register a new \
         client, or wait.",
    )
}
