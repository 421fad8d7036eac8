//! Documents that are rendered once and served as bytes, with `304` for clients that have them.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::Response,
};

/// Headers to reserve room for, including those that middleware adds.
const HEADERS: usize = 12;

/// A rendered document with its headers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Document(Arc<Rendered>);

#[derive(Clone, Debug)]
struct Rendered {
    body: Bytes,
    content_type: HeaderValue,
    /// What a `304` repeats (RFC 9110 §15.4.5).
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Document {
    /// A document of this media type. `hash` must identify `body`; it becomes the strong entity tag
    /// (RFC 9110 §8.8.3), unless it is not valid in a header.
    pub fn new(body: impl Into<Bytes>, hash: &str, content_type: &'static str) -> Self {
        let tag = HeaderValue::from_str(&format!("\"{hash}\"")).ok();
        Self(Arc::new(Rendered {
            body: body.into(),
            content_type: HeaderValue::from_static(content_type),
            headers: tag.map(|tag| (ETAG, tag)).into_iter().collect(),
        }))
    }

    /// Adds a header, unless its value is not valid in one.
    #[must_use]
    pub fn with(self, name: HeaderName, value: &str) -> Self {
        let mut rendered = Arc::unwrap_or_clone(self.0);
        rendered.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        Self(Arc::new(rendered))
    }

    /// Adds `Cache-Control`.
    #[must_use]
    pub fn cached(self, directives: &str) -> Self {
        self.with(CACHE_CONTROL, directives)
    }

    /// The response to a request with these headers: the document, or `304` for a client that has it
    /// already.
    pub fn respond(&self, request: &HeaderMap) -> Response {
        let Rendered { body, content_type, headers } = &*self.0;
        let mut response = Response::default();
        response.headers_mut().reserve(HEADERS);
        if self.is_known(request) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = Body::from(body.clone());
            response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
        }
        for (name, value) in headers {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }

    /// Whether `If-None-Match` names this document (RFC 9110 §13.1.2). Caches in between may have
    /// made the tag weak.
    pub fn is_known(&self, request: &HeaderMap) -> bool {
        let named = request.get_all(IF_NONE_MATCH).iter();
        let mut named =
            named.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
        let tag = self.0.headers.iter().find(|(name, _)| *name == ETAG);
        tag.is_some_and(|(_, tag)| {
            named.any(|named| {
                let named = named.trim();
                named == "*" || named.strip_prefix("W/").unwrap_or(named).as_bytes() == tag
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &[&'static str]) -> Response {
        let document = Document::new("{}", "a1", "application/json").cached("no-cache");
        let tags = request.iter().map(|tags| (IF_NONE_MATCH, HeaderValue::from_static(tags)));
        let mut headers = HeaderMap::new();
        for (name, value) in tags {
            headers.append(name, value);
        }
        document.respond(&headers)
    }

    #[test]
    fn a_client_that_names_the_tag_gets_304_and_any_other_the_document() {
        for known in
            [&["\"a1\""][..], &["\"b\", \"a1\""], &["W/\"a1\""], &["*"], &["\"b\"", "\"a1\""]]
        {
            let answer = answer(known);
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known:?}");
            assert_eq!(answer.headers()[ETAG], "\"a1\"");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-cache");
            assert!(!answer.headers().contains_key(CONTENT_TYPE));
        }
        for unknown in [&[][..], &["\"a\""], &["a1"], &["\"a1"], &[""], &["w/\"a1\""]] {
            let answer = answer(unknown);
            assert_eq!(answer.status(), StatusCode::OK, "{unknown:?}");
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        }
    }

    #[tokio::test]
    async fn the_body_is_sent_as_it_was_rendered() {
        let body = axum::body::to_bytes(answer(&[]).into_body(), 10).await.unwrap();
        assert_eq!(&*body, b"{}");
        let body = axum::body::to_bytes(answer(&["*"]).into_body(), 10).await.unwrap();
        assert!(body.is_empty());
    }
}
