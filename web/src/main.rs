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
use web::{
    Brand,
    samples::{self, Sample},
};

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

/// The list at `/`, each sample at its path, and the stylesheets and the logo they link to.
fn router() -> Router {
    let samples = samples::all();
    let svg = get(|| async { ([(CONTENT_TYPE, "image/svg+xml")], samples::LOGO) });
    let mut router =
        Router::new().route("/", page(samples::index(&samples))).route(samples::LOGO_PATH, svg);
    for brand in [Brand::default(), samples::other_brand()] {
        let (path, stylesheet) = (brand.style_path(), brand.stylesheet().to_owned());
        let css = [(CONTENT_TYPE, "text/css; charset=utf-8")];
        router = router.route(path, get(move || async move { (css, stylesheet) }));
    }
    samples
        .into_iter()
        .fold(router, |router, Sample { path, html, .. }| router.route(&path, page(html)))
}

/// A page as `auth` sends it: under the policy that forbids what the pages must not need.
fn page(html: String) -> axum::routing::MethodRouter {
    let policy = [(CONTENT_SECURITY_POLICY, web::CONTENT_SECURITY_POLICY)];
    get(move || async move { (policy, Html(html)) })
}
