//! From a `client_id` to the client it names.

mod registration;

use keys::SealError;

pub use registration::{Registered, Registration};

use crate::{
    oauth::{
        client::{AuthenticationMethod, Client, GrantType, Provenance},
        error::{ErrorCode, OAuthError},
        redirect_uri::RedirectUri,
    },
    state::AppState,
    storage::{StorageError, clients},
};

/// Finds the client: an open registration carries itself, any other is a row an operator entered.
/// Unknown is `invalid_client`; a database that does not answer is not.
pub async fn find(state: &AppState, id: &str) -> Result<Client, OAuthError> {
    if registration::is_registered_id(id) {
        return Registered::open(&state.seals, id).map_err(|error| unknown().because(error));
    }
    match clients::find(state.db.connection(), id).await {
        Ok(Some(row)) => Ok(pre_registered(row)),
        Ok(None) => Err(unknown()),
        Err(error) => Err(outage(error)),
    }
}

/// The client's record could not be looked up. It may exist, so this must not read as unknown.
fn outage(error: StorageError) -> OAuthError {
    OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "client_lookup_failed",
        "The client could not be looked up just now. Try again.",
    )
    .because(error)
}

fn unknown() -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidClient,
        "client_unknown",
        "This server does not know the client. Register it again.",
    )
}

fn pre_registered(row: clients::Model) -> Client {
    let words = |list: &str| list.split(' ').map(str::to_owned).collect::<Vec<_>>();
    Client {
        redirect_uris: words(&row.redirect_uris)
            .iter()
            .filter_map(|uri| RedirectUri::parse(uri).ok())
            .collect(),
        grant_types: words(&row.grant_types).iter().filter_map(|g| GrantType::parse(g)).collect(),
        authentication: AuthenticationMethod::parse(&row.token_endpoint_auth_method)
            .unwrap_or(AuthenticationMethod::ClientSecretBasic),
        secret_hashes: row.secret_hash.into_iter().collect(),
        resource: row.resource,
        provenance: Provenance::PreRegistered,
        id: row.id,
        name: row.name,
    }
}

impl From<SealError> for OAuthError {
    fn from(error: SealError) -> Self {
        Self::server_error("seal_failed", error)
    }
}
