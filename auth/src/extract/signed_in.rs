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
    storage::{sessions, users},
};

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
        let hash = secret::hash(cookie.value());
        let found = sessions::find(state.db.connection(), &hash, state.clock.now()).await;
        Ok(Self(match found {
            Ok(found) => Ok(found.map(|(session, user)| SignedIn { session, user })),
            Err(error) => Err(OAuthError::server_error("session_lookup_failed", error)),
        }))
    }
}

impl SignedIn {
    /// What the person is called on pages.
    pub fn shown_name(&self) -> String {
        let user = &self.user;
        user.name.clone().or_else(|| user.preferred_username.clone()).unwrap_or_default()
    }

    /// Proof for forms that they came from a page of this session.
    pub fn csrf(&self, state: &AppState) -> String {
        secret::hash(&format!("{:x?}", state.seals.csrf.tag(self.session.token_hash.as_bytes())))
    }
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
