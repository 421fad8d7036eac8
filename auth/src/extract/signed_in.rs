//! The person at the browser.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use time::Duration;

use crate::{
    config::Config,
    oauth::{
        error::OAuthError,
        secret::{self, Secret},
    },
    state::AppState,
    storage::{StorageError, sessions, users},
};

/// Seconds within which two uses of a session count as one.
const SEEN_PRECISION: i64 = 300;
/// Seconds after signing in during which a person may do what cannot be taken back.
const FRESH_SIGN_IN: i64 = 600;

/// A person with a live session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: sessions::Model,
    /// The person.
    pub user: users::Model,
}

/// The browser's session, if it has a live one; an outage is kept for the handler to report.
#[derive(Debug)]
pub struct MaybeSignedIn(pub Result<Option<SignedIn>, OAuthError>);

impl FromRequestParts<AppState> for MaybeSignedIn {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Some(cookie) = jar.get(cookie_name(&state.config, CookieName::Session)) else {
            return Ok(Self(Ok(None)));
        };
        let found = find(state, &secret::hash(cookie.value())).await;
        Ok(Self(found.map_err(OAuthError::from)))
    }
}

/// The session, whose use is noted now and then: a page view rarely writes.
async fn find(state: &AppState, hash: &str) -> Result<Option<SignedIn>, StorageError> {
    let (db, now) = (state.db.connection(), state.clock.now());
    let Some((session, user)) = sessions::find(db, hash, now).await? else {
        return Ok(None);
    };
    if now - session.last_seen_at >= SEEN_PRECISION {
        sessions::touch(db, hash, now).await?;
    }
    Ok(Some(SignedIn { session, user }))
}

impl SignedIn {
    /// What the person is called on pages.
    pub fn shown_name(&self) -> String {
        let user = &self.user;
        user.name.clone().or_else(|| user.preferred_username.clone()).unwrap_or_default()
    }

    /// Whether the person proved a moment ago who they are: nobody else sits at a browser that was
    /// left open.
    pub fn is_fresh(&self, now: i64) -> bool {
        now.saturating_sub(self.session.authenticated_at) < FRESH_SIGN_IN
    }

    /// Proof for forms that they came from a page of this session.
    pub fn csrf(&self, state: &AppState) -> String {
        csrf_of(&state.seals.csrf.tag(self.session.token_hash.as_bytes()))
    }

    /// Whether a form with this proof came from a page of this session.
    pub fn made(&self, state: &AppState, csrf: &str) -> bool {
        // Another replica, or this one before a change of master secret, may have made it.
        let mut tags = state.seals.csrf.tags(self.session.token_hash.as_bytes());
        tags.any(|tag| secret::same_hash(csrf, &csrf_of(&tag)))
    }
}

fn csrf_of(tag: &[u8; 32]) -> String {
    secret::hash(&format!("{tag:x?}"))
}

/// The cookie that makes a browser forget its session.
pub fn gone(config: &Config) -> Cookie<'static> {
    let name = cookie_name(config, CookieName::Session);
    let cookie = Cookie::build((name, "")).path("/").secure(config.is_https());
    cookie.max_age(Duration::ZERO).build()
}

/// The cookies of this server.
#[derive(Clone, Copy, Debug)]
pub enum CookieName {
    /// A signed-in browser.
    Session,
    /// A browser that is about to sign in.
    Browser,
}

/// The cookie's name. Over https it has the prefix that binds it to this origin; on loopback
/// without https, browsers would not keep such a cookie.
pub fn cookie_name(config: &Config, name: CookieName) -> &'static str {
    match (name, config.is_https()) {
        (CookieName::Session, true) => "__Host-portcullis-session",
        (CookieName::Session, false) => "portcullis-session",
        (CookieName::Browser, true) => "__Host-portcullis-browser",
        (CookieName::Browser, false) => "portcullis-browser",
    }
}

/// A cookie that only this server reads, and that no other site's form can make a browser send.
pub fn cookie(config: &Config, name: CookieName, secret: &Secret, seconds: i64) -> Cookie<'static> {
    Cookie::build((cookie_name(config, name), secret.expose().to_owned()))
        .path("/")
        .http_only(true)
        .secure(config.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(seconds))
        .build()
}
