//! The OAuth 2.1 and OpenID Connect authorization server of Portcullis.
//!
//! People sign in with GitHub, programs get signed access tokens. Start reading at `router`: it
//! shows every endpoint, and every endpoint is a file of the same name.

mod access;
mod admission;
pub mod back_channel_logout;
mod clients;
pub mod commands;
pub mod config;
mod consent;
mod cookies;
mod documents;
mod endpoints;
mod error_response;
mod extract;
mod issuers;
pub mod key_ring;
mod limits;
mod middleware;
pub mod oauth;
mod presentation;
pub mod program;
mod provisioning;
mod rate_limit;
mod recheck;
mod router;
mod scim;
pub mod seals;
pub mod state;
pub mod storage;
pub mod story;
mod string_enum;
mod tokens;
pub mod upkeep;
mod upstream;
mod verified_tokens;

/// What only the tests of the workspace reach into.
pub mod testing {
    pub use crate::{
        admission::Admitted, cookies::CookieName, error_response::PageError,
        extract::signed_in::SignedIn, router::router,
    };
}

use std::future::Future;

use axum::Router;
use tokio::net::TcpListener;

use crate::state::AppState;

/// Serves until `shutdown`, then lets the requests under way finish. While it serves, it looks after
/// the keys and the tables; that ends at once with `shutdown`.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()>) {
    serve_together(listener, state, |router| router, shutdown).await;
}

/// The same with what `together` makes of the router.
async fn serve_together(
    listener: TcpListener,
    state: AppState,
    together: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()>,
) {
    let logout_messages = back_channel_logout::run(state.clone());
    let upkeep = upkeep::start(&state);
    let shutdown = async move {
        shutdown.await;
        drop(upkeep);
    };
    tokio::select! {
        () = net::connections::serve(listener, together(router::router(state)), shutdown) => {}
        never = logout_messages => never,
    }
}
