//! The clean-up: each table's job in small batches, so that requests get their turn in between.

use crate::{
    state::AppState,
    storage::retention::{Table, forget},
};

/// Removes what is over from every table, one batch of each in turn: a table that takes long, or
/// that cannot be cleaned up, holds no other up. Where another replica cleans up, this one does not.
pub(super) async fn clean_up(state: AppState) {
    let mut pending: Vec<(Table, u64)> = Table::ALL.map(|table| (table, 0)).into();
    while !pending.is_empty() {
        let mut unfinished = Vec::new();
        for (table, total) in pending {
            match forget(&state.db, table, state.clock.now()).await {
                Ok(None) => return,
                Ok(Some((removed, true))) => {
                    let total = total + removed;
                    tracing::info!(?table, total, "cleaning up");
                    unfinished.push((table, total));
                }
                Ok(Some((removed, false))) if total + removed > 0 => {
                    tracing::info!(?table, total = total + removed, "cleaned up");
                }
                Ok(Some(_)) => {}
                Err(error) => {
                    tracing::error!(?table, cause = %error, "a table cannot be cleaned up");
                }
            }
            tokio::task::yield_now().await;
        }
        pending = unfinished;
    }
}
