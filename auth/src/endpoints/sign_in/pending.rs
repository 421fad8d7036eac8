//! A sign-in on its way to an upstream and back: sealed in `state`, bound to the browser that
//! began by a cookie, and good for one answer.

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use web::error::ErrorKind;

use super::{
    continue_to::ContinueTo, upstream, upstream_error, waiting_request, wants_another_account,
};
use crate::{
    cookies::CookieName,
    error_response::{PageError, see_other},
    extract::{Form, Query, Visitor},
    oauth::{OAuthError, Parameters, Secret, SecretKind, secret},
    state::AppState,
    upstream::{Request as UpstreamRequest, Upstream},
};

/// Seconds that signing in may take.
const LIFETIME: i64 = 600;

/// What is needed on the way back.
#[derive(Serialize, Deserialize)]
pub(crate) struct PendingSignIn {
    pub(super) provider: String,
    browser: String,
    pub(super) code_verifier: String,
    pub(super) nonce: String,
    pub(super) continue_to: String,
    /// The session to whose person the identity is to be linked; without one, a session is opened.
    pub(super) link_to: Option<String>,
    expires_at: i64,
}

/// A form by which a person asks to sign in at an upstream.
pub(crate) struct UpstreamSignIn {
    upstream: Upstream,
    continue_to: ContinueTo,
    /// What the browser's cookie says, if it has one from another tab.
    browser: Option<Secret>,
    visitor: Visitor,
    /// All that the form says.
    pub(super) form: Parameters,
}

impl FromRequest<AppState> for UpstreamSignIn {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let provider = provider(&mut parts, state).await?;
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, state).await;
        let jar = CookieJar::from_headers(&parts.headers);
        let browser = CookieName::Browser
            .value(&state.config, &jar)
            .and_then(|value| Secret::parse(SecretKind::Browser, &value));
        let Form(form) = Form::from_request(Request::from_parts(parts, body), state).await?;
        let continue_to = ContinueTo::parse(form.optional("continue")?)?;
        let upstream = upstream(state, &provider)?.clone();
        Ok(Self { upstream, continue_to, browser, visitor, form })
    }
}

/// The upstream's name in the path.
async fn provider(parts: &mut Parts, state: &AppState) -> Result<String, PageError> {
    match Path::from_request_parts(parts, state).await {
        Ok(Path(provider)) => Ok(provider),
        Err(error) => {
            let status = StatusCode::BAD_REQUEST;
            let refusal = PageError { status, ..PageError::from(OAuthError::malformed()) };
            Err(refusal.because(error))
        }
    }
}

impl UpstreamSignIn {
    /// Sends the browser to the upstream; with `link_to`, for the sake of that session. A browser
    /// that signs in in two tabs keeps its cookie for both, as long as the later one needs it.
    pub(super) async fn begin(
        self,
        state: &AppState,
        link_to: Option<String>,
    ) -> Result<Response, PageError> {
        let Self { upstream, continue_to, browser, visitor, form } = self;
        let browser = match browser {
            Some(known) => known,
            None => Secret::generate(SecretKind::Browser)?,
        };
        let verifier = Secret::generate(SecretKind::CodeVerifier)?;
        let nonce = Secret::generate(SecretKind::Nonce)?;
        let now = state.clock.now();
        let pending = PendingSignIn {
            provider: upstream.name.clone(),
            browser: browser.hash(),
            code_verifier: verifier.expose().into(),
            nonce: nonce.expose().into(),
            continue_to: continue_to.as_str().into(),
            link_to,
            expires_at: now + LIFETIME,
        };
        let sealed = state.seals.sign_in.seal(&pending)?;
        let waiting = waiting_request(state, &continue_to, &visitor).await;
        let request = UpstreamRequest {
            state: &sealed,
            code_challenge: &secret::sha256(verifier.expose().as_bytes()),
            nonce: nonce.expose(),
            reauthenticate: wants_another_account(&form)?
                || waiting.as_ref().is_some_and(|request| request.prompt.login),
            login_hint: waiting.as_ref().and_then(|request| request.login_hint.as_deref()),
        };
        let location = upstream
            .authorize_url(request, now)
            .await
            .map_err(|error| upstream_error(&upstream, error))?;
        let cookie = CookieName::Browser.cookie(&state.config, &browser, LIFETIME);
        Ok((CookieJar::new().add(cookie), see_other(&location)).into_response())
    }
}

/// The browser is the one that began, it did so lately, and at this provider.
impl FromRequestParts<AppState> for PendingSignIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let provider = provider(parts, state).await?;
        let Query(answer) = Query::from_request_parts(parts, state).await?;
        upstream(state, &provider)?;
        let pending: Self = state
            .seals
            .sign_in
            .open(answer.required("state")?)
            .map_err(|error| stale("sign_in_state").because(error))?;
        let jar = CookieJar::from_headers(&parts.headers);
        let browser = CookieName::Browser
            .value(&state.config, &jar)
            .ok_or_else(|| stale("sign_in_other_browser"))?;
        if !secret::same_hash(&secret::hash(&browser), &pending.browser) {
            return Err(stale("sign_in_other_browser"));
        }
        if pending.provider != provider {
            return Err(stale("sign_in_other_provider"));
        }
        if pending.expires_at <= state.clock.now() {
            return Err(stale("sign_in_expired"));
        }
        Ok(pending)
    }
}

impl PendingSignIn {
    /// Spends the sign-in: exactly one answer to it counts, on any replica.
    pub(super) async fn spend(&self, state: &AppState) -> Result<(), PageError> {
        state.spend("sign-in", &self.nonce, self.expires_at, || stale("sign_in_answered")).await
    }
}

fn stale(reason: &'static str) -> PageError {
    PageError::new(
        ErrorKind::Expired,
        reason,
        "This sign-in took too long, was answered before, or was begun in another browser. Start \
         again from the program that sent you here.",
    )
}
