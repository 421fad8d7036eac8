//! The person at the browser.

use axum::{
    extract::OptionalFromRequestParts,
    http::{Method, request::Parts},
};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    admission::Admitted,
    cookies::CookieName,
    error_response::PageError,
    oauth::{Parameters, secret},
    state::AppState,
    storage::{sessions, users},
};

/// Seconds within which two uses of a session count as one, so that a page view rarely writes.
const LAST_SEEN_PRECISION: i64 = 300;
/// Seconds after signing in during which a person may do what cannot be undone.
const FRESH_SIGN_IN: i64 = 600;

/// A person with a live session, whom the access policy admits. As `Option`, it is `None` for a browser
/// without a session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: sessions::Model,
    /// The person.
    pub person: Admitted,
}

impl OptionalFromRequestParts<AppState> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Option<Self>, PageError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Some(cookie) = CookieName::Session.value(&state.config, &jar) else {
            return Ok(None);
        };
        let db = state.db.connection();
        let now = state.clock.now();
        let hash = secret::hash(&cookie);
        let Some((session, user)) = sessions::find(db, &hash, now).await? else {
            return Ok(None);
        };
        let person = match Admitted::judge(state, user) {
            Ok(person) => person,
            Err(refusal) => {
                // Otherwise the browser could never sign in as someone else.
                sessions::close(db, &hash).await?;
                let here = parts.uri.path_and_query().map(|path| path.as_str());
                let here = here.filter(|_| parts.method == Method::GET);
                let contact = state.access.contact.clone();
                return Err(PageError::kept_out(refusal, contact, here.unwrap_or("/")));
            }
        };
        if now - session.last_seen_at >= LAST_SEEN_PRECISION {
            sessions::touch(db, &hash, now).await?;
        }
        Ok(Some(Self { session, person }))
    }
}

impl SignedIn {
    pub(crate) fn user(&self) -> &users::Model {
        self.person.user()
    }

    pub(crate) fn shown_name(&self) -> String {
        let user = self.user();
        user.name.clone().or_else(|| user.preferred_username.clone()).unwrap_or_default()
    }

    /// Whether the person signed in so recently that the browser cannot have been left to someone
    /// else.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        now.saturating_sub(self.session.authenticated_at) < FRESH_SIGN_IN
    }

    /// The token by which a form proves that it came from a page of this session.
    pub fn csrf(&self, state: &AppState) -> String {
        URL_SAFE_NO_PAD.encode(state.seals.csrf.tag(self.session.token_hash.as_bytes()))
    }

    /// Refuses a form that did not come from a page of this session.
    pub(crate) fn verify_csrf(
        &self,
        state: &AppState,
        form: &Parameters,
        refusal: PageError,
    ) -> Result<(), PageError> {
        let token = form.optional("csrf")?.unwrap_or_default();
        if self.is_csrf(state, token) { Ok(()) } else { Err(refusal) }
    }

    /// Whether this is a token of [`Self::csrf`].
    pub fn is_csrf(&self, state: &AppState, token: &str) -> bool {
        // Another replica, or this one before a change of master secret, may have made it.
        let mut tags = state.seals.csrf.tags(self.session.token_hash.as_bytes());
        tags.any(|tag| secret::same_hash(token, &URL_SAFE_NO_PAD.encode(tag)))
    }
}
