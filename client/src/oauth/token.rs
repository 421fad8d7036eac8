//! Step 8: the token request, for a code or a refresh token (OAuth 2.1 §3.2, RFC 8707 §2.2).

use reqwest::StatusCode;
use serde::{Deserialize, Deserializer};

use super::{
    OAuthError, authorization_request::AuthorizationRequest,
    authorization_server_metadata::AuthorizationServerMetadata, registration::ClientRegistration,
    scope::Scope,
};
use crate::{
    credentials::Grant,
    fetch::{Answer, Fetch},
    secret::Secret,
};

/// A successful answer (OAuth 2.1 §3.2.3).
#[derive(Debug, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    token_type: String,
    /// How long it lives, in seconds, if the server says.
    #[serde(default, deserialize_with = "seconds")]
    pub expires_in: Option<i64>,
    /// The refresh token, if one was issued.
    pub refresh_token: Option<Secret>,
    /// What was granted, if it differs from what was asked for.
    pub scope: Option<Scope>,
}

/// The error form (OAuth 2.1 §3.2.4).
#[derive(Deserialize)]
struct TokenErrorResponse {
    error: String,
    error_description: Option<String>,
}

/// Exchanges the code that came back for `request`.
///
/// # Errors
/// [`OAuthError::TokenRefused`] with the server's words, or another [`OAuthError`].
pub async fn exchange_code(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    request: &AuthorizationRequest,
    code: &Secret,
) -> Result<TokenResponse, OAuthError> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.reveal()),
        ("redirect_uri", &request.client.redirect_uri),
        ("code_verifier", request.code_verifier.reveal()),
        ("resource", &request.resource),
    ];
    ask(fetch, metadata, &request.client, &form).await
}

/// Renews `grant` with `refresh_token`. No scope is sent: the new token has the old one's.
///
/// # Errors
/// As [`exchange_code`].
pub async fn refresh(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    grant: &Grant,
    refresh_token: &Secret,
) -> Result<TokenResponse, OAuthError> {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.reveal()),
        ("resource", &grant.resource),
    ];
    ask(fetch, metadata, &grant.client, &form).await
}

async fn ask(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    client: &ClientRegistration,
    form: &[(&str, &str)],
) -> Result<TokenResponse, OAuthError> {
    let proof = client.proof();
    let mut form = form.to_vec();
    form.extend(proof.form.iter().map(|(name, value)| (*name, value.as_str())));
    let answer = fetch.post_form(metadata.token_endpoint()?, &form, proof.authorization).await?;
    if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(OAuthError::UnexpectedStatus {
            url: answer.url.to_string(),
            status: answer.status,
        });
    }
    if !answer.status.is_success() {
        let (error, reason) = describe(&answer);
        return Err(OAuthError::TokenRefused { issuer: metadata.issuer.clone(), error, reason });
    }
    let response: TokenResponse = answer.json()?;
    check(&response).map_err(|reason| OAuthError::UnusableToken {
        issuer: metadata.issuer.clone(),
        reason: reason.to_owned(),
    })?;
    Ok(response)
}

/// The error of an answer that is not a success, and that error with the server's words.
pub(super) fn describe(answer: &Answer) -> (String, String) {
    match answer.json::<TokenErrorResponse>() {
        Ok(TokenErrorResponse { error, error_description: Some(words) }) => {
            let reason = format!("{error}: {words}");
            (error, reason)
        }
        Ok(TokenErrorResponse { error, error_description: None }) => (error.clone(), error),
        Err(_) => (answer.status.to_string(), format!("it answered {}", answer.status)),
    }
}

/// A token of a type this client cannot present, or with characters no header can carry, is worth
/// nothing (RFC 6749 §7.1, RFC 6750 §2.1).
fn check(response: &TokenResponse) -> Result<(), &'static str> {
    if !response.token_type.eq_ignore_ascii_case("Bearer") {
        return Err("it is not a Bearer token");
    }
    let token = response.access_token.reveal();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has characters that no token may have");
    }
    Ok(())
}

/// A number, or the same in quotes, as some servers send it. A negative one counts as zero.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(i64),
        Text(String),
    }
    let seconds = match Option::<Seconds>::deserialize(deserializer)? {
        Some(Seconds::Number(number)) => Some(number),
        Some(Seconds::Text(text)) => Some(text.parse().map_err(serde::de::Error::custom)?),
        None => None,
    };
    Ok(seconds.map(|seconds| seconds.clamp(0, i64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(text: &str) -> Result<TokenResponse, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_lifetime_may_be_a_number_a_text_or_absent() {
        let lifetime = |member: &str| {
            response(&format!(r#"{{"access_token":"a","token_type":"bearer"{member}}}"#))
                .map(|response| response.expires_in)
        };
        assert_eq!(lifetime(r#","expires_in":600"#).expect("read"), Some(600));
        assert_eq!(lifetime(r#","expires_in":"600""#).expect("read"), Some(600));
        assert_eq!(lifetime(r#","expires_in":-5"#).expect("read"), Some(0));
        assert_eq!(lifetime(r#","expires_in":null"#).expect("read"), None);
        assert_eq!(lifetime("").expect("read"), None);
        assert!(lifetime(r#","expires_in":"soon""#).is_err());
    }

    #[test]
    fn only_bearer_tokens_that_fit_a_header_are_usable() {
        let usable = |token: &str, kind: &str| {
            let text = serde_json::json!({"access_token": token, "token_type": kind}).to_string();
            check(&response(&text).expect("read")).is_ok()
        };
        assert!(usable("abc.def-~", "bearer") && usable("a", "Bearer"));
        assert!(!usable("abc", "DPoP") && !usable("a b", "Bearer") && !usable("", "Bearer"));
        assert!(!usable("a\nb", "Bearer"));
    }
}
