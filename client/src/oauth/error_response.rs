//! How authorization servers refuse: `{"error": …}` (RFC 6749 §5.2, RFC 7591 §3.2.2).
//!
//! The status should be 400 or 401, but github.com and others refuse with 200. So the `error`
//! member counts whatever the status is.

use serde::Deserialize;
use serde_json::Value;

use super::{OAuthError, member::Member};
use crate::http::Answer;

/// Codes that mean what they say even where the status says that the server is in trouble.
const CODES: [&str; 14] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
    "interaction_required",
];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    /// The `error` member, or the HTTP status without one.
    pub(crate) error: String,
    /// The error with the server's own words.
    pub(crate) reason: String,
}

/// The response as the server sends it.
#[derive(Deserialize)]
struct SentErrorResponse {
    #[serde(default)]
    error: Member<Value>,
    #[serde(default)]
    error_description: Member<String>,
}

impl ErrorResponse {
    /// The refusal in `answer`; `None` if it is a success.
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        let sent = answer.json::<SentErrorResponse>().ok();
        let error = sent.as_ref().and_then(|sent| sent.error.value());
        if let (Some(Value::String(error)), Some(sent)) = (error, &sent) {
            let reason = match sent.error_description.value() {
                Some(words) => format!("{error}: {words}"),
                None => error.clone(),
            };
            return Some(Self { error: error.clone(), reason });
        }
        // `"error": false` is how some servers say that all is well.
        let is_refusal = matches!(error, Some(Value::Object(_))) || !answer.status.is_success();
        is_refusal.then(|| Self {
            error: answer.status.to_string(),
            reason: format!("it answered {}", answer.in_words()),
        })
    }
}

/// Fails unless `answer`, which came from `issuer`, grants what was asked for. A server in trouble
/// is unavailable, as it may grant that later.
pub(super) fn granted(answer: &Answer, issuer: &str) -> Result<(), OAuthError> {
    let Some(ErrorResponse { error, reason }) = ErrorResponse::read(answer) else { return Ok(()) };
    if answer.is_in_trouble() && !CODES.contains(&error.as_str()) {
        return Err(answer.unavailable().into());
    }
    Err(OAuthError::TokenRefused { issuer: issuer.to_owned(), error, reason })
}
