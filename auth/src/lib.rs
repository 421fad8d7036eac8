//! The OAuth 2.1 and OpenID Connect authorization server of Portcullis.
//!
//! People sign in with GitHub, programs get signed access tokens. Start reading at [`router`]: it
//! shows every endpoint, and every endpoint is a file of the same name.

pub mod back_channel_logout;
pub mod clients;
pub mod clock;
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
pub mod tokens;
pub mod upkeep;
pub mod upstream;

use std::{
    future::{Future, IntoFuture},
    io,
    net::SocketAddr,
    time::Duration,
};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::oneshot};

use crate::state::AppState;

/// How long requests under way may take to finish once the server is told to stop.
const LONGEST_DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown`, then lets the requests under way finish, for 10 seconds at most: a
/// client that never ends its request must not keep the server from stopping. While it serves, it
/// looks after the keys and the tables.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the next packet; a socket that refuses is still usable.
        let _ = stream.set_nodelay(true);
    });
    let (stop, stopping) = oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        // Whoever waits for this ends with the server.
        let _ = stop.send(());
    };
    let overdue = async {
        let _ = stopping.await;
        tokio::time::sleep(LONGEST_DRAIN).await;
    };
    let logout_messages = back_channel_logout::run(state.clone());
    let _upkeep = upkeep::start(&state);
    let service = router::router(state).into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, service).with_graceful_shutdown(shutdown).into_future() => served,
        never = logout_messages => never,
        () = overdue => {
            tracing::warn!("stopped, although requests were still under way");
            Ok(())
        }
    }
}
