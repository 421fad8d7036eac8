//! Forms are taken from our own pages only, and no page is shown inside another.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    error_response::PageError,
    oauth::error::{ErrorCode, OAuthError, RefusalKind},
    state::AppState,
};

/// Where browsers say a page is to be put, when that is inside another.
const FRAMES: [&str; 5] = ["iframe", "frame", "embed", "object", "fencedframe"];

/// Refuses to be shown in a frame. Browsers that know `frame-ancestors` would hide the page anyway;
/// this one is never made. A request without a page, as of `prompt=none`, may be framed.
pub async fn refuse_frames(request: Request, next: Next) -> Response {
    let destination = request.headers().get("sec-fetch-dest").and_then(|dest| dest.to_str().ok());
    if destination.is_some_and(|destination| FRAMES.contains(&destination)) {
        let error = OAuthError::new(
            ErrorCode::AccessDenied,
            "page_framed",
            "This page is not shown inside another page. Open it in a window of its own.",
        )
        .kind(RefusalKind::CrossSite);
        return PageError(error).into_response();
    }
    next.run(request).await
}

/// Refuses a form that another site's page has posted. Browsers say where a request comes from in
/// `Sec-Fetch-Site`, older ones in `Origin`; programs without a browser say neither.
pub async fn require(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !is_ours(request.headers(), &state.config.issuer) {
        let error = OAuthError::new(
            ErrorCode::AccessDenied,
            "cross_site_form",
            "This form was sent from another site. Start again from this site's own page.",
        )
        .kind(RefusalKind::CrossSite);
        return PageError(error).into_response();
    }
    next.run(request).await
}

fn is_ours(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin == issuer,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(headers: &[(&'static str, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        is_ours(&headers.collect(), "http://localhost:3000")
    }

    #[test]
    fn only_our_own_pages_and_programs_may_post() {
        assert!(ours(&[]));
        assert!(ours(&[("origin", "http://localhost:3000")]));
        assert!(ours(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!ours(&[("origin", "null")]));
        assert!(!ours(&[("origin", "http://localhost:3001")]));
        assert!(!ours(&[("sec-fetch-site", "same-site"), ("origin", "http://localhost:3000")]));
        assert!(!ours(&[("sec-fetch-site", "cross-site")]));
    }
}
