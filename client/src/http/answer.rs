//! An answer whose body has been read in full.

use reqwest::{
    StatusCode,
    header::{CONTENT_ENCODING, HeaderMap, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use url::Url;

use super::{FetchError, excerpt::excerpt, retry_in_words};

/// An answer whose body has been read in full.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(url: Url, status: StatusCode, headers: HeaderMap, mut body: Vec<u8>) -> Self {
        // Some servers write a byte order mark, which means nothing here (RFC 8259 §8.1).
        if body.starts_with(b"\xef\xbb\xbf") {
            body.drain(..3);
        }
        Self { url, status, headers, body }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.body.trim_ascii().is_empty()
    }

    /// Whether the server, or a proxy before it, could not answer now but may be able to later.
    pub(crate) fn is_in_trouble(&self) -> bool {
        is_trouble(self.status)
    }

    /// The JSON object in the body as `T`. An array is refused, although serde would take its
    /// elements for the members in their order.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        let is_object = self.body.trim_ascii_start().starts_with(b"{");
        let reason = match serde_json::from_slice(&self.body) {
            Ok(document) if is_object => return Ok(document),
            Ok(_) => format!("it is `{}`", excerpt(&self.body)),
            Err(error) if error.is_data() && is_object => without_place(&error),
            Err(_) if self.is_empty() => "it is empty".to_owned(),
            Err(_) => format!("it is `{}`", excerpt(&self.body)),
        };
        Err(FetchError::NotJson { url: self.url.clone(), reason })
    }

    /// The status and, if it says anything, a piece of the body.
    pub(crate) fn in_words(&self) -> String {
        match excerpt(&self.body) {
            words if words.is_empty() => self.status.to_string(),
            words => format!("{}: {words}", self.status),
        }
    }

    /// What this means if the server is in trouble.
    pub(crate) fn unavailable(&self) -> FetchError {
        let retry_after = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        FetchError::Unavailable {
            url: self.url.clone(),
            status: self.status,
            answer: format!("{}{}", self.in_words(), retry_in_words(retry_after)),
        }
    }
}

/// Whether `status` says that the server cannot answer now. 501 and 505 say that it never will.
pub(crate) fn is_trouble(status: StatusCode) -> bool {
    let is_final =
        matches!(status, StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() && !is_final
}

/// The encoding of a body that has not been decoded: one that was not asked for.
pub(crate) fn foreign_encoding(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(CONTENT_ENCODING)?;
    let encoding = String::from_utf8_lossy(encoding.as_bytes()).trim().to_owned();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    (!is_plain).then_some(encoding)
}

/// Serde's message without line and column, which mean nothing to a reader without the document.
fn without_place(error: &serde_json::Error) -> String {
    let words = error.to_string();
    match words.rsplit_once(" at line ") {
        Some((words, _)) => words.to_owned(),
        None => words,
    }
}
