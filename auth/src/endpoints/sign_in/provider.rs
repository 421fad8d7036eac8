//! `POST /sign-in/{provider}`
//!
//! Sends the browser to an upstream, to prove there who the person is.

use axum::{extract::State, response::Response};

use super::pending::UpstreamSignIn;
use crate::{error_response::PageError, state::AppState};

pub(crate) async fn post(
    State(state): State<AppState>,
    sign_in: UpstreamSignIn,
) -> Result<Response, PageError> {
    sign_in.begin(&state, None).await
}
