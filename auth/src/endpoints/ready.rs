//! `GET /ready`
//!
//! Whether this replica should be sent requests: its database can be written. Unlike `/health`, a
//! failure is no reason to restart it.

use axum::{Json, extract::State, http::StatusCode};
use net::clock::Clock;
use serde_json::{Value, json};

use crate::storage::{Database, Readiness};

/// `200` when ready, `503` while the database cannot be written.
pub async fn get(
    State(db): State<Database>,
    State(readiness): State<Readiness>,
    State(clock): State<Clock>,
) -> (StatusCode, Json<Value>) {
    if readiness.is_writable(&db, clock.now()).await {
        (StatusCode::OK, Json(json!({"status": "ready"})))
    } else {
        let status = json!({"status": "the database cannot be written"});
        (StatusCode::SERVICE_UNAVAILABLE, Json(status))
    }
}
