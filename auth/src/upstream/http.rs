//! Requests to upstreams: soon over, without redirects, with answers of a bounded size.

use std::{error::Error, iter::successors, time::Duration};

use net::{
    body::{self, BodyError},
    https::client_builder,
    loopback::is_loopback,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header::ACCEPT, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::UpstreamError;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// An HTTP client that follows no redirect: what it sends is for one address alone.
pub(crate) fn client(timeout: Duration, is_local: bool) -> Result<Client, reqwest::Error> {
    let http = client_builder()
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(timeout);
    if is_local { http.no_proxy().build() } else { http.build() }
}

/// An HTTP client towards the upstream at `url`.
pub(super) fn client_for(url: &Url) -> Result<Client, reqwest::Error> {
    client(REQUEST_TIMEOUT, is_loopback(url))
}

/// Sends a request and reads the JSON object that is answered. An OAuth error in it is a refusal.
pub(super) async fn object<T: DeserializeOwned>(
    request: RequestBuilder,
) -> Result<T, UpstreamError> {
    member(json(request).await?)
}

/// Sends a request and reads the array of JSON objects that is answered.
pub(super) async fn objects<T: DeserializeOwned>(
    request: RequestBuilder,
) -> Result<Vec<T>, UpstreamError> {
    match json(request).await? {
        Value::Array(members) => members.into_iter().map(member).collect(),
        _ => Err(unusable("it sent no array")),
    }
}

/// Reads one object. An array is none, though serde would take its elements for the members in their
/// order.
fn member<T: DeserializeOwned>(value: Value) -> Result<T, UpstreamError> {
    if value.is_object() {
        serde_json::from_value(value).map_err(unusable)
    } else {
        Err(unusable("it sent no object"))
    }
}

async fn json(request: RequestBuilder) -> Result<Value, UpstreamError> {
    let response = request.header(ACCEPT, "application/json").send().await.map_err(unreachable)?;
    let status = response.status();
    let is_limited = is_limited(&response);
    let body = read(response).await?;
    let json = serde_json::from_slice::<Value>(&body);
    if let Ok(Value::Object(answer)) = &json
        && let Some(error) = refusal(answer)
        && !status.is_server_error()
    {
        return Err(UpstreamError::Refused(error));
    }
    if is_limited {
        return Err(UpstreamError::Unreachable(format!("it answered {status}, too many requests")));
    }
    if !status.is_success() {
        return Err(UpstreamError::Status(status));
    }
    json.map_err(|error| UpstreamError::Unreachable(format!("it sent no JSON: {error}")))
}

/// The error code of an OAuth error (RFC 6749 §5.2). GitHub sends it with the status 200.
fn refusal(answer: &Map<String, Value>) -> Option<String> {
    answer.get("error").and_then(Value::as_str).map(Into::into)
}

/// Whether the answer says no for now only. GitHub does so by 403 as well as by 429.
fn is_limited(response: &Response) -> bool {
    let headers = response.headers();
    response.status() == StatusCode::TOO_MANY_REQUESTS
        || response.status() == StatusCode::FORBIDDEN
            && (headers.contains_key("retry-after")
                || headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0"))
}

fn unusable(error: impl std::fmt::Display) -> UpstreamError {
    UpstreamError::Unusable(error.to_string())
}

pub(super) async fn read(response: Response) -> Result<Vec<u8>, UpstreamError> {
    body::read(response, MAX_ANSWER).await.map_err(|error| match error {
        BodyError::TooLarge => UpstreamError::Unreachable("its answer is larger than 1 MiB".into()),
        BodyError::Failed(error) => unreachable(error),
    })
}

/// An address that failed stays out of the log: it may hold a code.
pub(super) fn unreachable(error: reqwest::Error) -> UpstreamError {
    let error = error.without_url();
    let chain = successors(Some(&error as &dyn Error), |&cause| cause.source());
    UpstreamError::Unreachable(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
