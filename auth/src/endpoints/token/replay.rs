//! What follows when a code or a refresh token comes back that was used before: one of the two
//! who hold it is a thief, so its grant ends, and the person is told.

use crate::{
    extract::Visitor,
    state::AppState,
    storage::{EventKind, StorageError, grants, security_events},
};

/// Ends the grant and notes it for the person: both or neither, and once however often the value
/// comes back.
pub(super) async fn end(state: &AppState, grant: &grants::Model) -> Result<(), StorageError> {
    let now = state.clock.now();
    // A program sent it, from wherever it runs: there is no browser to name.
    let kind = EventKind::TokenReplayed;
    let event = Visitor::default().event(grant.user_id, kind, &grant.client_name, now);
    let transaction = state.db.begin().await?;
    // The revocation goes last: it holds a lock that all who revoke wait for.
    security_events::record(&transaction, event).await?;
    if grants::revoke(&transaction, grant.id, now).await? {
        transaction.commit().await
    } else {
        transaction.rollback().await
    }
}
