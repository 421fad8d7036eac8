//! `GET /ready`
//!
//! Whether this replica should be sent requests: its database can be written. Unlike `/health`, a
//! failure is no reason to restart it.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::state::AppState;

/// `200` when ready, `503` while the database cannot be written.
pub(crate) async fn get(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    if state.readiness.is_writable(&state.db, state.clock.now()).await {
        (StatusCode::OK, Json(json!({"status": "ready"})))
    } else {
        let status = json!({"status": "the database cannot be written"});
        (StatusCode::SERVICE_UNAVAILABLE, Json(status))
    }
}
