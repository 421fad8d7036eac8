//! `GET /register/{client_id}`, `PUT /register/{client_id}` and `DELETE /register/{client_id}`
//!
//! A client reads, replaces or deletes its registration (RFC 7592 §2). The `client_id` stays the
//! same, and it carries the first registration: so a change is a row that is believed instead of
//! it, and a deletion is a row that says so. Who registers and never comes back leaves none.

use axum::{
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
    extract::visitor::Visitor,
    oauth::{
        client::{Client, Provenance},
        client_metadata::ClientMetadata,
        error::{ErrorCode, OAuthError, RefusalKind},
        secret,
    },
    state::AppState,
    storage::{
        attempts::{self, Allowance},
        grants, registrations,
    },
};

/// Most rows of clients that nobody has allowed anything yet, and most changes that make them from
/// one network: whoever is anonymous costs the database no more than these, and nobody takes them
/// all. They last, because the `client_id` does: without its row, what was deleted would be back.
const MOST_UNUSED: u64 = 10_000;
const FROM_A_NETWORK: Allowance = Allowance { most: 50, span: 86_400 };

/// The token that came with the registration.
type Token = Result<TypedHeader<Authorization<Bearer>>, TypedHeaderRejection>;

/// Tells what is in force.
pub async fn get(
    State(state): State<AppState>,
    Path(client_id): Path<String>,
    token: Token,
) -> Result<ClientInformationResponse, BearerError> {
    let (client, registration) = own(&state, &client_id, token).await?;
    Ok(ClientInformationResponse::new(&state, client, registration.issued_at))
}

/// Replaces the registration.
pub async fn put(
    State(state): State<AppState>,
    Path(client_id): Path<String>,
    token: Token,
    visitor: Visitor,
    request: Request,
) -> Result<ClientInformationResponse, BearerError> {
    let (current, registration) = own(&state, &client_id, token).await?;
    let metadata = read(request).await?;
    check_identity(&metadata, &current)?;
    let client = metadata.judge(&client_id, Provenance::Registered)?;
    let registration = registration.replaced_by(client.clone());
    let text = serde_json::to_string(&registration)
        .map_err(|error| OAuthError::server_error("registration_write", error))?;
    let change = Change { id: registration.id, registration: Some(text) };
    store(&state, &visitor, &client_id, change).await?;
    Ok(ClientInformationResponse::new(&state, client, registration.issued_at))
}

/// Deletes the registration and ends everything that the client was granted.
pub async fn delete(
    State(state): State<AppState>,
    Path(client_id): Path<String>,
    token: Token,
    visitor: Visitor,
) -> Result<StatusCode, BearerError> {
    let (_, registration) = own(&state, &client_id, token).await?;
    let change = Change { id: registration.id, registration: None };
    store(&state, &visitor, &client_id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The client, if the token is its own. Whatever is wrong, the answer is the same: it does not
/// tell which clients there are.
async fn own(
    state: &AppState,
    client_id: &str,
    token: Token,
) -> Result<(Client, Registration), OAuthError> {
    let refused = || {
        OAuthError::new(
            ErrorCode::InvalidToken,
            "registration_token",
            "Send the registration_access_token of this client as a bearer token.",
        )
    };
    let TypedHeader(Authorization(bearer)) = token.map_err(|error| refused().because(error))?;
    if !registration::is_access_token(&state.seals, client_id, bearer.token()) {
        return Err(refused());
    }
    match state.clients.find_registration(client_id).await? {
        Some(registration) => {
            Ok((registration.clone().client(&state.seals, client_id), registration))
        }
        None => Err(refused()),
    }
}

/// A replacement names the client, and the secret it has or none (RFC 7592 §2.2).
fn check_identity(metadata: &ClientMetadata, current: &Client) -> Result<(), OAuthError> {
    if metadata.text("client_id")? != Some(&*current.id) {
        return Err(refused("registration_id", "Send the client_id of this registration."));
    }
    let is_own = |secret: &str| {
        let hash = secret::hash(secret);
        current.secret_hashes.iter().any(|known| secret::same_hash(known, &hash))
    };
    match metadata.text("client_secret")?.is_none_or(is_own) {
        true => Ok(()),
        false => Err(refused(
            "registration_secret",
            "The client_secret is not that of this registration. Leave it out.",
        )),
    }
}

/// What becomes of a registration; without a text, it is deleted.
struct Change {
    id: Uuid,
    registration: Option<String>,
}

/// Writes the row; a deletion ends what was granted in the same transaction.
async fn store(
    state: &AppState,
    visitor: &Visitor,
    client_id: &str,
    change: Change,
) -> Result<(), OAuthError> {
    let now = state.clock.now();
    let transaction = state.db.begin().await?;
    let is_used = grants::any_of_client(&transaction, client_id).await?;
    if !is_used {
        if registrations::unused(&transaction).await? >= MOST_UNUSED {
            return Err(full());
        }
        let key = ("registration_change", &*visitor.network());
        if let Some(seconds) = attempts::count(&transaction, key, FROM_A_NETWORK, now).await? {
            return Err(too_many().retry_after(seconds));
        }
    }
    let is_deletion = change.registration.is_none();
    let row = registrations::Model {
        client_id_hash: registrations::key(change.id),
        registration: change.registration,
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
    OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "registrations_full",
        "Too many unused clients have changed their registration. Register a new client.",
    )
}

fn too_many() -> OAuthError {
    OAuthError::new(
        ErrorCode::SlowDown,
        "registration_changes_too_many",
        "Too many unused clients of this network have changed their registration. Register a new \
         client, or wait.",
    )
    .kind(RefusalKind::TooMany)
}
