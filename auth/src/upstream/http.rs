//! Requests to upstreams: soon over, without redirects, with answers of a bounded size.

use std::{error::Error, iter::successors, time::Duration};

use net::{
    body::{self, BodyError},
    https::client_builder,
    loopback::is_loopback,
};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, HeaderMap},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::{SUSPENDED, UpstreamError};

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
    let reply = send(request).await?;
    if let Ok(Value::Object(answer)) = &reply.json
        && let Some(error) = refusal(answer)
        && !reply.status.is_server_error()
    {
        return Err(UpstreamError::Refused(error));
    }
    reply.check_limits()?;
    if reply.status == StatusCode::FORBIDDEN && reply.message().contains("account was suspended") {
        return Err(UpstreamError::Refused(SUSPENDED.into()));
    }
    if !reply.status.is_success() {
        return Err(UpstreamError::Status(reply.status));
    }
    reply.into_json()
}

/// An answer, whatever its status.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    json: serde_json::Result<Value>,
}

/// Sends a request, for callers to whom several statuses mean something.
pub(super) async fn send(request: RequestBuilder) -> Result<Reply, UpstreamError> {
    let request = request.header(ACCEPT, "application/json");
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let json = serde_json::from_slice(&read(response).await?);
    Ok(Reply { status, headers, json })
}

impl Reply {
    /// Refuses an answer that says no for now only. GitHub does so by 403 as well as by 429.
    pub(super) fn check_limits(&self) -> Result<(), UpstreamError> {
        let status = self.status;
        let is_limited = status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::FORBIDDEN
                && (self.headers.contains_key("retry-after")
                    || self.headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0"));
        if is_limited {
            let why = format!("it answered {status}, too many requests");
            return Err(UpstreamError::Unreachable(why));
        }
        Ok(())
    }

    /// What GitHub says about a refusal; may be empty.
    pub(super) fn message(&self) -> &str {
        let answer = self.json.as_ref().ok();
        answer.and_then(|answer| answer["message"].as_str()).unwrap_or_default()
    }

    /// The JSON object that was answered.
    pub(super) fn into_object<T: DeserializeOwned>(self) -> Result<T, UpstreamError> {
        member(self.into_json()?)
    }

    fn into_json(self) -> Result<Value, UpstreamError> {
        self.json.map_err(|error| UpstreamError::Unreachable(format!("it sent no JSON: {error}")))
    }
}

/// The error code of an OAuth error (RFC 6749 §5.2). GitHub sends it with the status 200.
fn refusal(answer: &Map<String, Value>) -> Option<String> {
    answer.get("error").and_then(Value::as_str).map(Into::into)
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
