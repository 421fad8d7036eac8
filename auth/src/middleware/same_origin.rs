//! Forms are taken from our own pages only, and no page is shown inside another.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use net::host::HostNames;
use web::error::ErrorKind;

use crate::{error_response::PageError, state::AppState};

/// Where browsers say a page is to be put, when that is inside another.
const FRAMES: [&str; 5] = ["iframe", "frame", "embed", "object", "fencedframe"];

/// Refuses to be shown in a frame. Browsers that know `frame-ancestors` would hide the page anyway;
/// this one is never made. A request without a page, as of `prompt=none`, may be framed.
pub(crate) async fn refuse_frames(request: Request, next: Next) -> Response {
    let destination = request.headers().get("sec-fetch-dest").and_then(|dest| dest.to_str().ok());
    if destination.is_some_and(|destination| FRAMES.contains(&destination)) {
        let error = PageError::new(
            ErrorKind::CrossSite,
            "page_framed",
            "This page is not shown inside another page. Open it in a window of its own.",
        );
        return error.into_response();
    }
    next.run(request).await
}

/// Refuses a form that another site's page has posted. Browsers say where a request comes from in
/// `Sec-Fetch-Site` and `Origin`, older ones in `Origin` alone; programs without a browser say
/// neither.
pub(crate) async fn require(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::POST && !is_ours(request.headers(), &state.host_names) {
        let error = PageError::new(
            ErrorKind::CrossSite,
            "cross_site_form",
            "This form was sent from another site. Start again from this site's own page.",
        );
        return error.into_response();
    }
    next.run(request).await
}

/// What a browser calls the same origin is judged by the name that it used. A page of a stranger
/// can have its own name resolve to this server, and is then the same origin by that name. So the
/// origin must be that of the issuer, or, where the browser does not tell it, the name must be ours.
fn is_ours(headers: &HeaderMap, names: &HostNames) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    match (text("origin"), site) {
        (Some("null") | None, Some(_)) => text("host").is_some_and(|host| names.contains(host)),
        (Some(origin), _) => origin == names.origin(),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn ours(headers: &[(&'static str, &'static str)]) -> bool {
        ours_at("http://localhost:3000", headers)
    }

    fn ours_at(issuer: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let names = HostNames::new(Url::parse(issuer).unwrap(), Vec::new());
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        is_ours(&headers.collect(), &names)
    }

    const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
    const HOST: (&str, &str) = ("host", "localhost:3000");

    #[test]
    fn only_our_own_pages_and_programs_may_post() {
        assert!(ours(&[]));
        assert!(ours(&[("origin", "http://localhost:3000")]));
        assert!(ours(&[SAME, ("origin", "http://localhost:3000")]));
        assert!(ours(&[SAME, ("origin", "null"), HOST]));
        assert!(ours(&[SAME, HOST]));
        assert!(!ours(&[("origin", "null"), HOST]));
        assert!(!ours(&[("origin", "http://localhost:3001")]));
        assert!(!ours(&[("sec-fetch-site", "same-site"), ("origin", "http://localhost:3000")]));
        assert!(!ours(&[("sec-fetch-site", "cross-site"), HOST]));
    }

    #[test]
    fn a_page_whose_own_name_leads_here_is_not_ours() {
        let evil = ("host", "evil.test");
        for site in ["same-origin", "none"] {
            let site = ("sec-fetch-site", site);
            assert!(!ours(&[site, evil, ("origin", "http://evil.test")]));
            assert!(!ours(&[site, HOST, ("origin", "http://evil.test")]));
            assert!(!ours(&[site, evil, ("origin", "null")]));
            assert!(!ours(&[site, evil]));
            assert!(!ours(&[site]));
        }
        assert!(!ours(&[evil, ("origin", "http://evil.test")]));
    }

    #[test]
    fn an_issuer_with_a_path_has_the_origin_that_browsers_name() {
        let issuer = "https://auth.test/tenant";
        assert!(ours_at(issuer, &[SAME, ("origin", "https://auth.test")]));
        assert!(!ours_at(issuer, &[SAME, ("origin", "https://auth.test:444")]));
        // A proxy in front may call this server by another name.
        assert!(ours_at(
            issuer,
            &[SAME, ("origin", "https://auth.test"), ("host", "backend:3000")]
        ));
    }
}
