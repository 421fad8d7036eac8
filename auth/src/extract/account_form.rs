//! A form of the account page, and the person whose session made that page.

use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use web::error::ErrorKind;

use super::{form::Form, signed_in::SignedIn, visitor::Visitor};
use crate::{
    error_response::PageError,
    oauth::Parameters,
    state::AppState,
    storage::{EventKind, security_events},
};

/// What the form says, and who sends it from where. No other site, and no page of an earlier
/// session, can make one.
pub(crate) struct AccountForm {
    pub(crate) person: SignedIn,
    pub(crate) parameters: Parameters,
    visitor: Visitor,
}

impl AccountForm {
    pub(crate) fn event(&self, kind: EventKind, subject: &str, now: i64) -> security_events::Model {
        self.visitor.event(self.person.user().id, kind, subject, now)
    }
}

impl FromRequest<AppState> for AccountForm {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let person =
            <SignedIn as OptionalFromRequestParts<_>>::from_request_parts(&mut parts, state)
                .await?;
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, state).await;
        let Form(parameters) = Form::from_request(Request::from_parts(parts, body), state).await?;
        let person = person.ok_or_else(|| {
            PageError::new(
                ErrorKind::SignInNeeded,
                "account_signed_out",
                "You are not signed in in this browser. Sign in first.",
            )
        })?;
        let stale = PageError::new(
            ErrorKind::Expired,
            "account_stale",
            "This page is too old. Load it again.",
        );
        person.verify_csrf(state, &parameters, stale)?;
        Ok(Self { person, parameters, visitor })
    }
}
