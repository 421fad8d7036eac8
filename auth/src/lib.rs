//! The OAuth 2.1 and OpenID Connect authorization server of Portcullis.
//!
//! People sign in with GitHub, programs get signed access tokens. Start reading at [`router`]: it
//! shows every endpoint, and every endpoint is a file of the same name.

pub mod back_channel_logout;
mod clients;
pub mod commands;
pub mod config;
pub mod consent;
pub mod endpoints;
pub mod error_response;
pub mod extract;
pub mod issuers;
pub mod key_ring;
pub mod limits;
pub mod oauth;
pub mod presentation;
pub mod rate_limit;
pub mod router;
pub mod seals;
pub mod state;
pub mod storage;
pub mod story;
mod string_enum;
pub mod tokens;
pub mod upkeep;
pub mod upstream;

use std::future::Future;

use tokio::net::TcpListener;

use crate::state::AppState;

/// Serves until `shutdown`, then lets the requests under way finish. While it serves, it looks after
/// the keys and the tables; that ends at once with `shutdown`.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()>) {
    let logout_messages = back_channel_logout::run(state.clone());
    let upkeep = upkeep::start(&state);
    let shutdown = async move {
        shutdown.await;
        drop(upkeep);
    };
    tokio::select! {
        () = net::connections::serve(listener, router::router(state), shutdown) => {}
        never = logout_messages => never,
    }
}
