//! A sign-in on its way to an upstream and back: sealed in `state`, bound to the browser that
//! began by a cookie, and good for one answer.

use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{upstream_error, waiting_request};
use crate::{
    error_response::see_other,
    extract::{
        continue_to::ContinueTo,
        signed_in::{CookieName, cookie, cookie_name},
        visitor::Visitor,
    },
    oauth::{
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
        secret::{self, Secret, SecretKind},
    },
    state::AppState,
    storage::single_use,
    upstream::{Request, Upstream},
};

/// Seconds that signing in may take.
const LIFETIME: i64 = 600;

/// What is needed on the way back.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingSignIn {
    pub(super) provider: String,
    browser: String,
    pub(super) code_verifier: String,
    pub(super) nonce: String,
    pub(super) continue_to: String,
    /// The session to whose person the identity is to be linked; without one, a session is opened.
    pub(super) link_to: Option<String>,
    expires_at: i64,
}

/// Who leaves for which upstream, and what is to come afterwards.
pub(super) struct Departure<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) upstream: &'a Upstream,
    pub(super) continue_to: &'a ContinueTo,
    /// As [`PendingSignIn::link_to`].
    pub(super) link_to: Option<String>,
}

/// Sends the browser to the upstream. A browser that signs in in two tabs keeps its cookie for
/// both, as long as the later one needs it.
pub(super) async fn begin(
    state: &AppState,
    jar: &CookieJar,
    departure: Departure<'_>,
) -> Result<Response, OAuthError> {
    let Departure { visitor, upstream, continue_to, link_to } = departure;
    let known = jar.get(cookie_name(&state.config, CookieName::Browser));
    let known = known.and_then(|cookie| Secret::parse(SecretKind::Browser, cookie.value()));
    let browser = match known {
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
    let sealed = state.seals.sign_in.seal(&pending).map_err(OAuthError::from)?;
    let waiting = waiting_request(state, continue_to, visitor).await;
    let request = Request {
        state: &sealed,
        code_challenge: &challenge(&verifier),
        nonce: nonce.expose(),
        anew: waiting.as_ref().is_some_and(|request| request.prompt.login),
        login_hint: waiting.as_ref().and_then(|request| request.login_hint.as_deref()),
    };
    let location =
        upstream.authorize_url(request, now).await.map_err(|e| upstream_error(upstream, e))?;
    let cookie = cookie(&state.config, CookieName::Browser, &browser, LIFETIME);
    Ok((CookieJar::new().add(cookie), see_other(&location)).into_response())
}

impl PendingSignIn {
    /// Checks that this is the browser that began, that it did so lately and at this provider.
    pub(super) fn open(
        state: &AppState,
        jar: &CookieJar,
        answer: &Parameters,
        provider: &str,
    ) -> Result<Self, OAuthError> {
        let pending: Self = state
            .seals
            .sign_in
            .open(answer.required("state")?)
            .map_err(|error| stale("sign_in_state").because(error))?;
        let browser = jar
            .get(cookie_name(&state.config, CookieName::Browser))
            .map(|cookie| secret::hash(cookie.value()))
            .ok_or_else(|| stale("sign_in_other_browser"))?;
        if !secret::same_hash(&browser, &pending.browser) {
            return Err(stale("sign_in_other_browser"));
        }
        if pending.provider != provider {
            return Err(stale("sign_in_other_provider"));
        }
        match pending.expires_at <= state.clock.now() {
            true => Err(stale("sign_in_expired")),
            false => Ok(pending),
        }
    }

    /// Takes the one answer that this sign-in is good for.
    pub(super) async fn consume(&self, state: &AppState) -> Result<(), OAuthError> {
        let db = state.db.connection();
        if single_use::remember(db, "sign-in", &self.nonce, self.expires_at).await? {
            Ok(())
        } else {
            Err(stale("sign_in_answered"))
        }
    }
}

fn challenge(verifier: &Secret) -> String {
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

fn stale(reason: &'static str) -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        reason,
        "This sign-in took too long, was answered before, or was begun in another browser. Start \
         again from the program that sent you here.",
    )
    .kind(RefusalKind::Expired)
}
