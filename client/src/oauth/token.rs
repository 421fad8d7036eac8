//! Step 8: the token request, for a code or a refresh token (OAuth 2.1 §3.2, RFC 8707 §2.2).

use http::{HeaderMap, header::AUTHORIZATION};
use net::clock::Clock;
use serde::Deserialize;
use url::Url;

use super::{
    OAuthError,
    authorization_request::AuthorizationRequest,
    authorization_server_metadata::AuthorizationServerMetadata,
    dpop::{DPOP, DpopKey, USE_DPOP_NONCE},
    error_response::{ErrorResponse, granted},
    grant_type::{AUTHORIZATION_CODE, REFRESH_TOKEN},
    member::{List, MAX_SHOWN, Member, Seconds, optional},
    registration::ClientRegistration,
    scope::Scope,
};
use crate::{
    http::{Answer, Fetch},
    secret::Secret,
    terminal::{explain::Rule, printable::shortened},
};

/// Servers cut headers off long before this.
const MAX_TOKEN: usize = 64 * 1024;
const EXCHANGE: Rule = Rule {
    title: "Exchange the code for tokens",
    because: "The verifier proves that the code came back to whoever asked for it; the resource \
              names the one server the token is for.",
    section: "OAuth 2.1 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2",
};
const REFRESH: Rule = Rule {
    title: "Renew the access token",
    because: "One process at a time, for the same resource; the refresh token may be replaced by \
              each use.",
    section: "OAuth 2.1 §4.3, RFC 8707 §2.2",
};

/// A successful answer (OAuth 2.1 §3.2.3).
#[derive(Debug)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: Secret,
    token_type: &'static str,
    /// How long it lives, in seconds, if the server says.
    pub(crate) expires_in: Option<i64>,
    /// The refresh token, if one was issued.
    pub(crate) refresh_token: Option<Secret>,
    /// What was granted, if it differs from what was asked for.
    pub(crate) scope: Option<Scope>,
}

/// The response as the server sends it.
#[derive(Deserialize)]
struct SentTokenResponse {
    #[serde(default)]
    access_token: Member<Secret>,
    #[serde(default)]
    token_type: Member<String>,
    #[serde(default, deserialize_with = "optional")]
    expires_in: Option<Seconds>,
    #[serde(default, deserialize_with = "optional")]
    refresh_token: Option<Secret>,
    #[serde(default, deserialize_with = "optional")]
    scope: Option<List>,
}

/// The token endpoint of one authorization server, as one client speaks to it.
#[derive(Clone, Copy)]
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) fetch: &'a Fetch,
    pub(crate) metadata: &'a AuthorizationServerMetadata,
    pub(crate) client: &'a ClientRegistration,
    /// The key that the tokens are to be bound to.
    pub(crate) dpop_key: Option<&'a DpopKey>,
    /// What time it is, for assertions.
    pub(crate) clock: &'a Clock,
}

impl TokenEndpoint<'_> {
    /// Exchanges the code that came back for `request`.
    pub(crate) async fn exchange_code(
        &self,
        request: &AuthorizationRequest,
        code: &Secret,
    ) -> Result<TokenResponse, OAuthError> {
        self.fetch.explanation.step(&EXCHANGE);
        let form = [
            ("grant_type", AUTHORIZATION_CODE),
            ("code", code.reveal()),
            ("redirect_uri", &request.client.redirect_uri),
            ("code_verifier", request.code_verifier.reveal()),
            ("resource", &request.resource),
        ];
        self.ask(&form).await
    }

    /// Renews a token for `resource` with `refresh_token`. No scope is sent: the new token has the
    /// old one's.
    pub(crate) async fn refresh(
        &self,
        resource: &str,
        refresh_token: &Secret,
    ) -> Result<TokenResponse, OAuthError> {
        self.fetch.explanation.step(&REFRESH);
        let form = [
            ("grant_type", REFRESH_TOKEN),
            ("refresh_token", refresh_token.reveal()),
            ("resource", resource),
        ];
        self.ask(&form).await
    }

    /// Sends `form`, with what proves the client and the key.
    pub(crate) async fn ask(&self, form: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
        let answer = self.post(self.metadata.token_endpoint()?, form).await?;
        let issuer = &self.metadata.issuer;
        granted(&answer, issuer)?;
        let response = TokenResponse::read(answer.json()?, self.dpop_key.is_some())
            .map_err(|reason| OAuthError::UnusableToken { issuer: issuer.clone(), reason })?;
        self.explain(&response);
        Ok(response)
    }

    /// Posts to an endpoint where the client proves itself. A server that wants its nonce in the
    /// proof is asked once more, with a new proof (RFC 9449 §8).
    pub(super) async fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, OAuthError> {
        let answer = self.post_once(url, form).await?;
        let has_new_nonce = self.dpop_key.is_some_and(|key| key.learn(url, &answer.headers));
        if has_new_nonce
            && ErrorResponse::read(&answer).is_some_and(|sent| sent.error == USE_DPOP_NONCE)
        {
            return self.post_once(url, form).await;
        }
        Ok(answer)
    }

    async fn post_once(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, OAuthError> {
        let proof = self.client.proof(&self.metadata.issuer, self.clock.now())?;
        let mut form = form.to_vec();
        form.extend(proof.form.iter().map(|(name, value)| (*name, value.as_str())));
        let mut headers = HeaderMap::new();
        if let Some(authorization) = proof.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(key) = self.dpop_key {
            headers.insert(DPOP, key.proof("POST", url, None)?);
        }
        Ok(self.fetch.post_form(url, &form, headers).await?)
    }

    fn explain(&self, response: &TokenResponse) {
        let explanation = &self.fetch.explanation;
        explanation.secret("access_token");
        explanation.fact("token_type", response.token_type);
        if let Some(seconds) = response.expires_in {
            explanation.fact("expires_in", seconds);
        }
        if response.refresh_token.is_some() {
            explanation.secret("refresh_token");
        }
        if let Some(scope) = &response.scope {
            explanation.fact("scope", scope);
        }
    }
}

impl TokenResponse {
    /// Reads what was `sent`. Only the access token and its type can make it unusable: a sign-in
    /// that a user has consented to is not lost over a member that this client can do without.
    fn read(sent: SentTokenResponse, is_bound: bool) -> Result<Self, String> {
        let token_type = check_type(&sent.token_type, is_bound)?;
        let access_token = match sent.access_token {
            Member::Usable(token) => token,
            Member::Absent => return Err("`access_token` is missing".to_owned()),
            Member::Unusable(_) => return Err("`access_token` is not text".to_owned()),
        };
        check_token(&access_token)?;
        Ok(Self {
            access_token,
            token_type,
            expires_in: sent.expires_in.map(|Seconds(seconds)| seconds),
            // One that cannot be sent is of no use; without it the user signs in again later.
            refresh_token: sent.refresh_token.filter(|token| check_token(token).is_ok()),
            scope: sent.scope.as_ref().map(Scope::from).filter(|scope| !scope.is_empty()),
        })
    }
}

/// A token of a type this client cannot present is worth nothing (RFC 6749 §7.1). One that was to
/// be bound to a key and is not would be weaker than what was asked for (RFC 9449 §5). A server
/// that names no type means the usual one.
fn check_type(token_type: &Member<String>, is_bound: bool) -> Result<&'static str, String> {
    let expected = if is_bound { "DPoP" } else { "Bearer" };
    match token_type {
        Member::Usable(kind) if kind.eq_ignore_ascii_case(expected) => Ok(expected),
        Member::Absent if !is_bound => Ok(expected),
        Member::Absent => Err("it is not bound to the key: `token_type` is missing".to_owned()),
        Member::Usable(kind) if is_bound => Err(format!(
            "it is not bound to the key: `token_type` is `{}`",
            shortened(kind, MAX_SHOWN)
        )),
        Member::Usable(kind) => {
            Err(format!("`token_type` is `{}`, not `Bearer`", shortened(kind, MAX_SHOWN)))
        }
        Member::Unusable(value) => Err(format!("`token_type` is {value}, not `{expected}`")),
    }
}

/// A token with characters that no header can carry is worth nothing (RFC 6750 §2.1).
fn check_token(token: &Secret) -> Result<(), String> {
    let token = token.reveal();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has characters that no token may have".to_owned());
    }
    if token.len() > MAX_TOKEN {
        return Err("it is longer than any header can be".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(sent: Value, is_bound: bool) -> Result<TokenResponse, String> {
        let sent = serde_json::from_value(sent).expect("an object is always read");
        TokenResponse::read(sent, is_bound)
    }

    /// A usable answer, but for `name`, which is `value`.
    fn with(name: &str, value: Value) -> Result<TokenResponse, String> {
        let mut sent = json!({"access_token": "a", "token_type": "bearer", "expires_in": 600});
        sent[name] = value;
        read(sent, false)
    }

    #[test]
    fn only_bearer_tokens_that_fit_a_header_are_usable() {
        let usable = |token: &str, kind: &str| {
            read(json!({"access_token": token, "token_type": kind}), false).is_ok()
        };
        assert!(usable("abc.def-~", "bearer") && usable("a", "Bearer") && usable("a", ""));
        assert!(!usable("abc", "DPoP") && !usable("a b", "Bearer") && !usable("", "Bearer"));
        assert!(!usable("a\nb", "Bearer") && !usable(&"a".repeat(MAX_TOKEN + 1), "Bearer"));
    }

    #[test]
    fn a_token_that_was_to_be_bound_and_is_not_is_refused() {
        let bound = |kind: Value| read(json!({"access_token": "a", "token_type": kind}), true);
        assert!(bound(json!("DPoP")).is_ok() && bound(json!("dpop")).is_ok());
        assert!(bound(json!("Bearer")).is_err() && bound(json!(null)).is_err());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_value_unless_it_is_a_token() {
        let problem = |name, value| with(name, value).expect_err("unusable");
        assert_eq!(problem("token_type", json!("mac")), "`token_type` is `mac`, not `Bearer`");
        assert_eq!(problem("token_type", json!([1])), "`token_type` is [1], not `Bearer`");
        assert_eq!(problem("access_token", json!(null)), "`access_token` is missing");
        assert_eq!(problem("access_token", json!(12345)), "`access_token` is not text");
    }

    #[test]
    fn no_member_that_can_be_done_without_loses_the_token() {
        for (name, value) in [
            ("refresh_token", json!("")),
            ("refresh_token", json!(false)),
            ("refresh_token", json!("a b")),
            ("expires_in", json!("")),
            ("expires_in", json!("soon")),
            ("expires_in", json!({})),
            ("scope", json!(5)),
            ("scope", json!("")),
            ("token_type", json!(null)),
            ("token_type", json!("")),
        ] {
            let response = with(name, value.clone()).expect("usable");
            assert!(response.refresh_token.is_none() && response.scope.is_none(), "{value}");
        }
        let lifetime = |value| with("expires_in", value).expect("usable").expires_in;
        assert_eq!(lifetime(json!(3599.99)), Some(3599));
        assert_eq!(lifetime(json!("600")), Some(600));
        assert_eq!(lifetime(json!("soon")), None);
        let scope = with("scope", json!(["a", "b"])).expect("usable").scope;
        assert_eq!(scope, Some(Scope::parse("a b")));
    }
}
