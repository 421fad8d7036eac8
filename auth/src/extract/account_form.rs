//! A form of the account page, and the person whose session made that page.

use axum::extract::{FromRequest, FromRequestParts, Request};

use super::{
    form,
    signed_in::{MaybeSignedIn, SignedIn},
    visitor::Visitor,
};
use crate::{
    error_response::PageError,
    oauth::{
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
    },
    state::AppState,
    storage::security_events::{self, EventKind},
};

/// What the form says, and who sends it from where. No other site, and no page of an earlier
/// session, can make one.
#[derive(Debug)]
pub struct AccountForm {
    /// Whose account it is.
    pub person: SignedIn,
    /// What the form says.
    pub parameters: Parameters,
    visitor: Visitor,
}

impl AccountForm {
    /// An event that this form causes.
    pub fn event(&self, kind: EventKind, subject: &str, now: i64) -> security_events::Model {
        self.visitor.event(self.person.user.id, kind, subject, now)
    }
}

impl FromRequest<AppState> for AccountForm {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let Ok(MaybeSignedIn(signed_in)) =
            MaybeSignedIn::from_request_parts(&mut parts, state).await;
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, state).await;
        let (_, parameters) = form::read(Request::from_parts(parts, body)).await?;
        let person = signed_in?.ok_or_else(|| {
            refused("account_signed_out", "Nobody is signed in in this browser. Sign in first.")
                .kind(RefusalKind::SignInNeeded)
        })?;
        match person.made(state, parameters.optional("csrf")?.unwrap_or_default()) {
            true => Ok(Self { person, parameters, visitor }),
            false => Err(refused("account_stale", "This page is too old. Load it again.")
                .kind(RefusalKind::Expired)
                .into()),
        }
    }
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::AccessDenied, reason, description)
}
