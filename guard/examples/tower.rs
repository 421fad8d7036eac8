//! A tower service behind the guard, served by hyper without an axum router.
//!
//! Needs an authorization server on <http://localhost:3000>. `make dev` runs one; stop its model
//! server on port 3001, then run `cargo run -p portcullis-guard --example tower`.

use std::{convert::Infallible, error::Error};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use portcullis_guard::{Caller, Guard};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let guard = Guard::new("http://localhost:3001/mcp", ["http://localhost:3000"])
        .with_scopes(["mcp:tools", "profile"])
        .build()?;
    let protected = guard.layer().layer(service_fn(greet));
    let metadata = guard.metadata();
    // Everyone may read where to get a token. Everything else needs one.
    let service = service_fn(move |request: Request<Incoming>| {
        let request = request.map(Body::new);
        let protected = protected.clone();
        let metadata = metadata.clone();
        async move {
            if request.uri().path().starts_with("/.well-known/") {
                metadata.oneshot(request).await
            } else {
                protected.oneshot(request).await
            }
        }
    });

    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    loop {
        let (connection, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let io = TokioIo::new(connection);
            // A connection that breaks is the client's affair.
            let _ = http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

async fn greet(request: Request) -> Result<Response, Infallible> {
    let caller = request.extensions().get::<Caller>();
    let name = caller.map(Caller::display_name).unwrap_or_default();
    Ok(Response::new(Body::from(format!("Hello {name}"))))
}
