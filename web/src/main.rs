//! `cargo run -p web`: every page in every state with sample data, for design work.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::Html,
    routing::get,
};
use tokio::net::TcpListener;
use web::samples::{self, Sample};

const ADDRESS: &str = "127.0.0.1:3003";

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when even this cannot be written.
            let _ = writeln!(io::stderr(), "Cannot serve the pages on {ADDRESS}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind(ADDRESS).await?;
    writeln!(io::stdout(), "Every page in every state: http://localhost:3003")?;
    axum::serve(listener, router()).await
}

/// The list at `/`, each sample at its path, and the stylesheet they all link to.
fn router() -> Router {
    let style = get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], web::STYLE) });
    let samples = samples::all();
    let list =
        Router::new().route("/", page(samples::index(&samples))).route(&web::STYLE_PATH, style);
    samples
        .into_iter()
        .fold(list, |router, Sample { path, html, .. }| router.route(path, page(html)))
}

/// A page as `auth` sends it: under the policy that forbids what the pages must not need.
fn page(html: String) -> axum::routing::MethodRouter {
    let policy = [(CONTENT_SECURITY_POLICY, web::CONTENT_SECURITY_POLICY)];
    get(move || async move { (policy, Html(html)) })
}
