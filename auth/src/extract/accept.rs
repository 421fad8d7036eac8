//! Which media types a request accepts.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::ACCEPT, request::Parts},
};

/// The media types that the `Accept` headers name, in lower case, without those of weight 0.
pub(crate) struct Accept(Vec<String>);

impl<S: Sync> FromRequestParts<S> for Accept {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(&parts.headers))
    }
}

impl Accept {
    fn parse(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Self(values.flat_map(|value| value.split(',')).filter_map(media_type).collect())
    }

    /// Whether this media type is named. Wildcards do not count.
    pub(crate) fn includes(&self, media_type: &str) -> bool {
        self.0.iter().any(|accepted| accepted == media_type)
    }

    /// Whether this media type is wanted rather than plain JSON. A request that accepts either gets
    /// JSON, because libraries name both and then refuse a signature algorithm that they did not
    /// agree on.
    pub(crate) fn prefers(&self, media_type: &str) -> bool {
        self.includes(media_type) && !self.includes("application/json")
    }
}

fn media_type(range: &str) -> Option<String> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let mut weights = parts.filter_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
    (!weights.any(|weight| weight <= 0.0)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_asked_for_by_its_name_only() {
        let prefers = |accept: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            Accept::parse(&headers).prefers("application/jwt")
        };
        assert!(prefers("application/jwt"));
        assert!(prefers("text/html, Application/JWT;q=0.5"));
        assert!(!prefers("application/jwt;q=0"));
        assert!(!prefers("application/json, application/jwt"));
        assert!(!prefers("*/*"));
        assert!(!prefers("application/json"));
        assert!(!Accept::parse(&HeaderMap::new()).prefers("application/jwt"));
    }
}
