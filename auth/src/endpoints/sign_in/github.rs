//! `POST /sign-in/github`
//!
//! Sends the browser to GitHub. What is needed on the way back travels sealed in `state`, bound to
//! this browser by a cookie.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::ContinueTo;
use crate::{
    error_response::{PageError, see_other},
    extract::{
        form,
        signed_in::{CookieName, cookie, cookie_name},
    },
    oauth::{
        error::OAuthError,
        secret::{self, Secret, SecretKind},
    },
    state::AppState,
};

/// Seconds that signing in may take.
pub(super) const SIGN_IN_LIFETIME: i64 = 600;

/// A sign-in on its way to GitHub and back.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingSignIn {
    pub(super) browser: String,
    pub(super) code_verifier: String,
    pub(super) continue_to: String,
    pub(super) expires_at: i64,
}

/// Begins the sign-in. A browser that signs in in two tabs keeps its cookie for both.
pub async fn post(
    State(state): State<AppState>,
    jar: CookieJar,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let continue_to = ContinueTo::parse(form.optional("continue")?)?;
    let known = jar.get(cookie_name(&state.config, CookieName::Browser)).map(|c| c.value());
    let fresh = Secret::generate(SecretKind::Browser)?;
    let browser = known.unwrap_or(fresh.expose());

    let verifier = Secret::generate(SecretKind::CodeVerifier)?;
    let pending = PendingSignIn {
        browser: secret::hash(browser),
        code_verifier: verifier.expose().into(),
        continue_to: continue_to.as_str().into(),
        expires_at: state.clock.now() + SIGN_IN_LIFETIME,
    };
    let sealed = state.seals.sign_in.seal(&pending).map_err(OAuthError::from)?;

    let location = state.github.authorize_url(&sealed, &challenge(&verifier));
    let jar = match known {
        Some(_) => CookieJar::new(),
        None => {
            let seconds = SIGN_IN_LIFETIME;
            CookieJar::new().add(cookie(&state.config, CookieName::Browser, &fresh, seconds))
        }
    };
    Ok((jar, see_other(&location)).into_response())
}

fn challenge(verifier: &Secret) -> String {
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}
