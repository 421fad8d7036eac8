//! `GET /health`
//!
//! Whether this replica can serve: the process runs and its database answers.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::state::AppState;

/// `200` when serving, `503` while the database does not answer.
pub(crate) async fn get(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    match state.db.ping().await {
        Ok(()) => (StatusCode::OK, Json(json!({"status": "ok"}))),
        Err(error) => {
            tracing::error!(cause = %error, "the database does not answer");
            let status = json!({"status": "the database does not answer"});
            (StatusCode::SERVICE_UNAVAILABLE, Json(status))
        }
    }
}
