//! Requests to upstreams: soon over, without redirects, with answers of a bounded size.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, header::ACCEPT, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::UpstreamError;
use crate::oauth::loopback::is_loopback;

/// Longest time for a request.
const TIME_LIMIT: Duration = Duration::from_secs(8);
/// Largest answer, in bytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// An HTTP client towards the upstream at `url`.
pub(super) fn client(url: &Url) -> Result<Client, reqwest::Error> {
    let http = Client::builder()
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(TIME_LIMIT);
    match is_loopback(url) {
        true => http.no_proxy().build(),
        false => http.build(),
    }
}

/// Sends a request and reads its JSON. An OAuth error in it is a refusal; any other failure is an
/// outage.
pub(super) async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, UpstreamError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let response = request.header(ACCEPT, "application/json").send().await.map_err(unreachable)?;
    let status = response.status();
    let body = read(response).await?;
    if let Ok(Refusal { error }) = serde_json::from_slice(&body)
        && !status.is_server_error()
    {
        return Err(UpstreamError::Refused(error));
    }
    match status.is_success() {
        true => serde_json::from_slice(&body)
            .map_err(|error| UpstreamError::Unreachable(format!("it sent other JSON: {error}"))),
        false => Err(UpstreamError::Unreachable(format!("it answered {status}"))),
    }
}

/// The bytes of an answer.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, UpstreamError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(UpstreamError::Unreachable("its answer is larger than 1 MiB".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An address that failed stays out of the log: it may hold a code.
pub(super) fn unreachable(error: reqwest::Error) -> UpstreamError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    UpstreamError::Unreachable(text)
}
