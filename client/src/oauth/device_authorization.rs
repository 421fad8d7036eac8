//! Instead of a browser here: the user opens one elsewhere and types a code (RFC 8628).

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{
    OAuthError,
    error_response::granted,
    grant_type::DEVICE_CODE,
    member::{Seconds, optional},
    scope::Scope,
    token::{TokenEndpoint, TokenResponse},
};
use crate::{exit::Exit, http::is_safe_to_open, secret::Secret, terminal::explain::Rule};

/// Shortest and longest polling interval that a server may ask for, in seconds (RFC 8628 §3.2).
const INTERVALS: std::ops::RangeInclusive<u64> = 1..=60;
/// Polling interval in seconds if the server names none.
const DEFAULT_INTERVAL: u64 = 5;
/// Seconds that each `slow_down` adds to the interval (RFC 8628 §3.5).
const SLOW_DOWN_INCREMENT: u64 = 5;
/// Longest user code in bytes: a longer one cannot be typed.
const MAX_USER_CODE: usize = 64;

const REQUEST: Rule = Rule {
    title: "Ask for a code to type elsewhere",
    because: "This machine needs no browser and no open port; the person compares the code.",
    section: "RFC 8628 §3.1",
};
const POLL: Rule = Rule {
    title: "Ask now and then whether the person has decided",
    because: "No more often than the server allows, and not forever.",
    section: "RFC 8628 §3.4 and §3.5",
};

/// The codes to show to the user and to poll with (RFC 8628 §3.2).
#[derive(Debug, Deserialize)]
pub(crate) struct DeviceAuthorization {
    device_code: Secret,
    pub(crate) user_code: String,
    // Google and others still use the name of an early draft.
    #[serde(alias = "verification_url")]
    pub(crate) verification_uri: Url,
    /// The same with the code in it.
    #[serde(default, deserialize_with = "optional")]
    pub(crate) verification_uri_complete: Option<Url>,
    #[serde(default, deserialize_with = "optional")]
    expires_in: Option<Seconds>,
    #[serde(default, deserialize_with = "optional")]
    interval: Option<Seconds>,
}

/// Requests the codes for a sign-in for `resource`.
pub(crate) async fn request(
    endpoint: &TokenEndpoint<'_>,
    resource: &str,
    scope: &Scope,
) -> Result<DeviceAuthorization, OAuthError> {
    let url = endpoint.metadata.device_authorization_endpoint()?;
    endpoint.fetch.explanation.step(&REQUEST);
    let form = [("resource", resource), ("scope", &scope.to_string())];
    let answer = endpoint.post(url, &form).await?;
    granted(&answer, &endpoint.metadata.issuer)?;
    check(endpoint, answer.json()?).await
}

/// Refuses a page that is not on the web and a code that cannot be typed. The address that contains
/// the code is only a convenience, so it is left out if it cannot be shown.
async fn check(
    endpoint: &TokenEndpoint<'_>,
    mut authorization: DeviceAuthorization,
) -> Result<DeviceAuthorization, OAuthError> {
    let page = &authorization.verification_uri;
    endpoint.fetch.check(page).await?;
    if !is_safe_to_open(page) {
        return Err(OAuthError::UnsafeEndpoint { endpoint: page.to_string() });
    }
    if let Some(page) = &authorization.verification_uri_complete
        && (endpoint.fetch.check(page).await.is_err() || !is_safe_to_open(page))
    {
        authorization.verification_uri_complete = None;
    }
    let code = &authorization.user_code;
    let is_typed = code.chars().all(|character| character.is_alphanumeric() || character == '-');
    if code.is_empty() || code.len() > MAX_USER_CODE || !is_typed {
        let reason = "its user code cannot be typed";
        return Err(OAuthError::MalformedResponse { reason });
    }
    Ok(authorization)
}

/// Polls until the user has decided. The caller limits how long.
pub(crate) async fn wait(
    endpoint: &TokenEndpoint<'_>,
    resource: &str,
    authorization: &DeviceAuthorization,
) -> Result<TokenResponse, OAuthError> {
    endpoint.fetch.explanation.step(&POLL);
    let mut interval = first_interval(authorization.interval.map(Seconds::whole));
    let form = [
        ("grant_type", DEVICE_CODE),
        ("device_code", authorization.device_code.reveal()),
        ("resource", resource),
    ];
    let expires_in = authorization.expires_in.map_or(u64::from(u16::MAX), Seconds::whole);
    let expires_in = expires_in.min(86_400);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(expires_in);
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        match endpoint.ask(&form).await {
            Err(OAuthError::TokenRefused { error, .. }) if error == "authorization_pending" => {}
            Err(OAuthError::TokenRefused { error, .. }) if error == "slow_down" => {
                interval = slower(interval);
            }
            // A server that cannot be reached for a moment is polled less often (RFC 8628 §3.5).
            Err(OAuthError::Fetch(error)) if error.exit() == Exit::Unreachable => {
                interval = slower(interval);
            }
            Err(OAuthError::TokenRefused { error, .. }) if error == "access_denied" => {
                return Err(OAuthError::Denied);
            }
            outcome => return outcome,
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(OAuthError::TimedOut { seconds: expires_in });
        }
    }
}

fn first_interval(asked: Option<u64>) -> u64 {
    asked.unwrap_or(DEFAULT_INTERVAL).clamp(*INTERVALS.start(), *INTERVALS.end())
}

fn slower(interval: u64) -> u64 {
    (interval + SLOW_DOWN_INCREMENT).min(*INTERVALS.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_interval_is_brought_into_bounds() {
        assert_eq!(first_interval(None), 5);
        assert_eq!(first_interval(Some(0)), 1);
        assert_eq!(first_interval(Some(u64::MAX)), 60);
        assert_eq!(slower(slower(58)), 60);
    }
}
