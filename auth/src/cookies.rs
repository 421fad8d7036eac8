//! The cookies of this server.

use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use time::Duration;

use crate::{config::Config, oauth::Secret};

/// A cookie of this server.
#[derive(Clone, Copy, Debug)]
pub enum CookieName {
    /// A browser with a session.
    Session,
    /// A browser that is about to sign in.
    Browser,
}

impl CookieName {
    /// The name on the wire. Over https it has the prefix that binds the cookie to this origin; on
    /// loopback without https, browsers would not keep such a cookie.
    fn on_the_wire(self, config: &Config) -> &'static str {
        match (self, config.is_https()) {
            (Self::Session, true) => "__Host-portcullis-session",
            (Self::Session, false) => "portcullis-session",
            (Self::Browser, true) => "__Host-portcullis-browser",
            (Self::Browser, false) => "portcullis-browser",
        }
    }

    /// The value that a browser has sent.
    pub(crate) fn value(self, config: &Config, jar: &CookieJar) -> Option<String> {
        jar.get(self.on_the_wire(config)).map(|cookie| cookie.value().to_owned())
    }

    /// A cookie that only this server reads, and that no other site's form can make a browser send.
    pub fn cookie(self, config: &Config, secret: &Secret, lifetime: i64) -> Cookie<'static> {
        Cookie::build((self.on_the_wire(config), secret.expose().to_owned()))
            .path("/")
            .http_only(true)
            .secure(config.is_https())
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(lifetime))
            .build()
    }

    /// The cookie that makes a browser forget it.
    pub(crate) fn expired_cookie(self, config: &Config) -> Cookie<'static> {
        Cookie::build((self.on_the_wire(config), ""))
            .path("/")
            .secure(config.is_https())
            .max_age(Duration::ZERO)
            .build()
    }
}
