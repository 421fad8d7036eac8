//! The samples at addresses of their own, for `cargo run -p web` and for tests in a browser.

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::Html,
    routing::{MethodRouter, get},
};

use crate::{
    Brand,
    samples::{self, Sample},
};

/// The list at `/`, each sample at its path, and the stylesheets and the logo they link to.
pub fn router() -> Router {
    let samples = samples::all();
    let svg = get(|| async { ([(CONTENT_TYPE, "image/svg+xml")], samples::LOGO) });
    let mut router =
        Router::new().route("/", page(samples::index(&samples))).route(samples::LOGO_PATH, svg);
    for brand in [Brand::default(), samples::other_brand()] {
        let path = brand.style_path();
        let stylesheet = brand.stylesheet().to_owned();
        let css = [(CONTENT_TYPE, "text/css; charset=utf-8")];
        router = router.route(path, get(move || async move { (css, stylesheet) }));
    }
    samples
        .into_iter()
        .fold(router, |router, Sample { path, html, .. }| router.route(&path, page(html)))
}

/// A page as `auth` sends it: under the policy that forbids what the pages must not need.
fn page(html: String) -> MethodRouter {
    let policy = [(CONTENT_SECURITY_POLICY, crate::CONTENT_SECURITY_POLICY)];
    get(move || async move { (policy, Html(html)) })
}
