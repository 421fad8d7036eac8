//! Why a server gave no usable answer.

use std::sync::Arc;

use reqwest::StatusCode;
use url::Url;

use super::{
    MAX_BODY,
    guard::{NameRefused, leads_here},
};
use crate::exit::Exit;

/// Why a server gave no usable answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    #[error("refused to talk to {url}: it is neither https nor on this machine")]
    Insecure { url: Url },
    /// A remote server named an address of this machine or of a private network.
    #[error("refused to talk to {url}: a remote server may not send this client there")]
    Inward { url: Url },
    #[error("refused to talk to {url}: {reason}")]
    Name { url: Url, reason: NameRefused },
    /// No connection could be made, for the reason that the operating system or TLS gives.
    #[error("cannot reach {url}: {reason}")]
    Unreachable { url: Url, reason: String },
    /// The port of the address speaks the other of https and http.
    #[error("cannot reach {url}: the port speaks {spoken}, not {}", .url.scheme())]
    WrongScheme { url: Url, spoken: &'static str },
    #[error("{url} did not answer in time")]
    TimedOut { url: Url },
    #[error("the answer of {url} broke off: {reason}")]
    BrokenOff { url: Url, reason: String },
    /// The server runs, but cannot answer now.
    #[error("{url} answered {answer}")]
    Unavailable {
        url: Url,
        status: StatusCode,
        /// The status, a piece of the body, and when to try again, if the server says it.
        answer: String,
    },
    #[error("{url} answered with more than {MAX_BODY} bytes")]
    TooLarge { url: Url },
    /// The answer is compressed in a way that was not asked for.
    #[error("{url} answered in the encoding `{encoding}`; this client takes gzip and none")]
    Encoded { url: Url, encoding: String },
    #[error("{url} did not answer with the expected JSON: {reason}")]
    NotJson { url: Url, reason: String },
    /// The HTTP client could not be set up, which only a broken TLS installation causes.
    #[error("cannot set up HTTP: {0}")]
    SetUp(Arc<reqwest::Error>),
}

impl FetchError {
    /// Whether no answer came at all.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::WrongScheme { .. } | Self::TimedOut { .. })
    }

    pub(crate) fn exit(&self) -> Exit {
        self.kind().0
    }

    /// The exit status, and the `code` of the JSON form.
    pub(crate) fn kind(&self) -> (Exit, &'static str) {
        match self {
            Self::Insecure { .. } | Self::Inward { .. } | Self::Name { .. } => {
                (Exit::Failure, "refused_address")
            }
            Self::Unreachable { .. }
            | Self::WrongScheme { .. }
            | Self::TimedOut { .. }
            | Self::BrokenOff { .. } => (Exit::Unreachable, "unreachable"),
            Self::Unavailable { .. } => (Exit::Unreachable, "unavailable"),
            Self::TooLarge { .. } | Self::Encoded { .. } | Self::NotJson { .. } => {
                (Exit::Failure, "unusable_answer")
            }
            Self::SetUp(_) => (Exit::Failure, "http"),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { url, .. } if leads_here(url) => {
                "nothing answers there; start it, for example with `make dev`, then try again"
            }
            Self::Unreachable { .. } => "check the address and the network, then try again",
            Self::WrongScheme { spoken: "https", .. } => "write the address with https",
            Self::WrongScheme { .. } => "write the address with http, or have the server use TLS",
            Self::TimedOut { .. } => "it may be busy or just starting; try again in a moment",
            Self::BrokenOff { .. } => {
                "the server or a proxy before it ended the answer; try again, then look at its log"
            }
            Self::Unavailable { status: StatusCode::TOO_MANY_REQUESTS, .. } => {
                "it wants fewer requests; wait, then try again"
            }
            Self::Unavailable { .. } => {
                "the server runs but cannot answer now; try again in a moment, then look at its log"
            }
            _ => return None,
        }
        .to_owned())
    }
}

/// Describes a request without a complete answer by its innermost cause, which is the one that
/// helps.
pub(crate) fn unreachable(url: &Url, error: &reqwest::Error) -> FetchError {
    let mut innermost: &dyn std::error::Error = error;
    loop {
        if let Some(refused) = innermost.downcast_ref::<NameRefused>() {
            return FetchError::Name { url: url.clone(), reason: refused.clone() };
        }
        let Some(source) = innermost.source() else { break };
        innermost = source;
    }
    let url = url.clone();
    let reason = innermost.to_string();
    if let Some(spoken) = spoken_instead(&url, &reason) {
        return FetchError::WrongScheme { url, spoken };
    }
    if error.is_timeout() && !error.is_connect() {
        FetchError::TimedOut { url }
    } else if error.is_timeout() {
        FetchError::Unreachable { url, reason: "no connection in time".to_owned() }
    } else if error.is_connect() {
        FetchError::Unreachable { url, reason }
    } else {
        FetchError::BrokenOff { url, reason }
    }
}

/// What the port of `url` speaks, if `reason` shows that it is not what the scheme says.
fn spoken_instead(url: &Url, reason: &str) -> Option<&'static str> {
    match url.scheme() {
        // rustls reads the plain text of an HTTP answer as the head of a TLS record.
        "https" if reason.contains("InvalidContentType") => Some("http"),
        // hyper reads a TLS alert as the first line of an HTTP answer.
        "http" if reason.contains("invalid HTTP version") => Some("https"),
        _ => None,
    }
}

/// What follows the answer of a server that says when to try again.
pub(crate) fn retry_in_words(retry_after: Option<&str>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(" (Retry-After: {wait})"))
}
