//! `GET /health`
//!
//! Whether this process is alive. A database that does not answer is reported by `/ready` instead,
//! because a restart would not help.

use axum::{http::header::CONTENT_TYPE, response::IntoResponse};

/// Always `200`.
pub(crate) async fn get() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}
