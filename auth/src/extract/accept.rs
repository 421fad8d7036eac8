//! What kind of answer a request asks for.

use axum::http::{HeaderMap, header::ACCEPT};

/// Whether the request wants this media type rather than plain JSON. Wildcards do not count:
/// whoever wants a signed answer says so. Whoever can read either gets JSON, because libraries
/// name both and then refuse an algorithm that nobody has agreed on.
pub fn asks_for(headers: &HeaderMap, media_type: &str) -> bool {
    names(headers, media_type) && !names(headers, "application/json")
}

fn names(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
        let is_refused = |part: &str| {
            let weight = part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            weight.is_some_and(|weight| weight <= 0.0)
        };
        is_named && !parts.any(is_refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_asked_for_by_its_name_only() {
        let asks = |accept: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            asks_for(&headers, "application/jwt")
        };
        assert!(asks("application/jwt"));
        assert!(asks("text/html, Application/JWT;q=0.5"));
        assert!(!asks("application/jwt;q=0"));
        assert!(!asks("application/json, application/jwt"));
        assert!(!asks("*/*"));
        assert!(!asks("application/json"));
        assert!(!asks_for(&HeaderMap::new(), "application/jwt"));
    }
}
