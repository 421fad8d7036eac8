//! The floor of HTTP: axum with a fixed answer.

use std::{env, error::Error};

use axum::{Router, http::header::CONTENT_TYPE, routing::get, serve::ListenerExt};
use tokio::net::TcpListener;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let hello = async || ([(CONTENT_TYPE, "application/json")], r#"{"hello":"world"}"#);
    axum::serve(listener, Router::new().route("/", get(hello))).await?;
    Ok(())
}
