//! The frame of a page: the operator's brand and the user's language.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Uri, header::ACCEPT_LANGUAGE, request::Parts},
};
use url::form_urlencoded;
use web::{Frame, Language};

use crate::state::AppState;

impl FromRequestParts<AppState> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Frame::new(state.brand.clone(), language(&parts.uri, &parts.headers)))
    }
}

/// What the client asks for in `ui_locales` (OpenID Connect Core §3.1.2.1), also on the way over
/// the sign-in page, or else what the browser prefers.
fn language(uri: &Uri, headers: &HeaderMap) -> Language {
    let query = uri.query().unwrap_or_default();
    let asked = parameter(query, "ui_locales").or_else(|| {
        let continue_to = parameter(query, "continue")?;
        parameter(continue_to.split_once('?')?.1, "ui_locales")
    });
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(asked.as_deref(), accepted)
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(uri: &str, accepted: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, accepted.parse().unwrap());
        language(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn the_request_goes_before_the_browser_even_over_the_sign_in_page() {
        assert_eq!(chosen("/sign-in", "de"), Language::German);
        assert_eq!(chosen("/consent?ui_locales=en", "de"), Language::English);
        let nested = "/sign-in?continue=%2Fauthorize%3Fa%3Db%26ui_locales%3Dde";
        assert_eq!(chosen(nested, "en"), Language::German);
        assert_eq!(chosen("/consent?ui_locales=xx", "fr"), Language::English);
    }
}
