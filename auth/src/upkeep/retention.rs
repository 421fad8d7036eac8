//! The clean-up: each table's job in small batches, so that requests get their turn in between.

use crate::{
    state::AppState,
    storage::retention::{Table, forget},
};

/// Removes what is over from every table.
pub(super) async fn clean_up(state: AppState) {
    for table in Table::ALL {
        let mut total = 0;
        loop {
            match forget(&state.db, table, state.clock.now()).await {
                Ok((removed, more)) => {
                    total += removed;
                    if !more {
                        break;
                    }
                    tracing::info!(?table, total, "cleaning up");
                    tokio::task::yield_now().await;
                }
                Err(error) => {
                    tracing::error!(?table, cause = %error, "a table cannot be cleaned up");
                    break;
                }
            }
        }
        if total > 0 {
            tracing::info!(?table, total, "cleaned up");
        }
    }
}
