//! A refusal that a person at a browser is told by a page.

use std::{borrow::Cow, error::Error};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use url::form_urlencoded;
use web::{Onward, error::ErrorKind};

use super::{delivery, refuse};
use crate::oauth::{ErrorCode, OAuthError};

/// A page for the person at the browser, or JSON for a program that asks for it. Its kind says what
/// happened, and so whose fault it is.
#[derive(Debug)]
pub struct PageError {
    pub(crate) kind: ErrorKind,
    pub(crate) status: StatusCode,
    /// What the log and a program are told.
    pub(crate) told: OAuthError,
    pub(crate) way_on: Option<Box<WayOn>>,
}

/// How the person can go on, where it depends on more than the kind of the page.
#[derive(Clone, Debug)]
pub(crate) enum WayOn {
    /// To the program, at an address which the person may decide to follow.
    Program(Onward),
    /// As someone else, or by asking for access.
    Access {
        /// The path on this server where another account can sign in.
        sign_in: String,
        /// Whom to ask, in the operator's words.
        contact: Option<String>,
    },
}

/// A page of this kind is due.
#[derive(Clone)]
pub(crate) struct PageDue {
    pub(crate) kind: ErrorKind,
    pub(crate) way_on: Option<Box<WayOn>>,
}

/// The table of pages: status, and what a program is told that asks for JSON. No page has the status
/// 401, because a person cannot answer a challenge.
fn told_as(kind: ErrorKind) -> (StatusCode, ErrorCode) {
    match kind {
        ErrorKind::ClientUnknown => (StatusCode::BAD_REQUEST, ErrorCode::InvalidClient),
        ErrorKind::RedirectNotRegistered => {
            (StatusCode::BAD_REQUEST, ErrorCode::UnregisteredRedirectUri)
        }
        ErrorKind::RedirectNotTrusted | ErrorKind::ClientRequest => {
            (StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest)
        }
        ErrorKind::Expired
        | ErrorKind::AlreadyAnswered
        | ErrorKind::CrossSite
        | ErrorKind::Declined
        | ErrorKind::KeptOut
        | ErrorKind::SignInNeeded
        | ErrorKind::Refused => (StatusCode::FORBIDDEN, ErrorCode::AccessDenied),
        ErrorKind::TooMany => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests),
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::RequestTooLarge),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
        ErrorKind::ProviderSilent | ErrorKind::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable)
        }
        ErrorKind::ProviderFault => (StatusCode::BAD_GATEWAY, ErrorCode::ServerError),
        ErrorKind::ServerMistake => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError),
    }
}

impl PageError {
    /// A refusal that only people meet. The reason is a stable code for operators.
    pub(crate) fn new(
        kind: ErrorKind,
        reason: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (status, code) = told_as(kind);
        Self { kind, status, told: code.error(reason, description), way_on: None }
    }

    /// The page for a person who may not come in, and who was on the way to `continue_to`.
    pub(crate) fn kept_out(
        refusal: OAuthError,
        contact: Option<String>,
        continue_to: &str,
    ) -> Self {
        let kind = ErrorKind::KeptOut;
        let (status, code) = told_as(kind);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("account", "another")
            .append_pair("continue", continue_to)
            .finish();
        let way_on = WayOn::Access { sign_in: format!("/sign-in?{query}"), contact };
        let told = OAuthError { code, ..refusal };
        Self { kind, status, told, way_on: Some(Box::new(way_on)) }
    }

    /// Adds what lies beneath, for the log alone.
    pub(crate) fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { told: self.told.because(cause), ..self }
    }

    /// Adds the seconds after which another try makes sense.
    pub(crate) fn retry_after(self, seconds: i64) -> Self {
        Self { told: self.told.retry_after(seconds), ..self }
    }

    /// Adds a link to an address of the client, which the person may decide to follow.
    pub(super) fn with_way_on(self, onward: Onward) -> Self {
        let way_on = Some(Box::new(WayOn::Program(onward)));
        Self { kind: ErrorKind::RedirectNotTrusted, way_on, ..self }
    }

    /// Tells the refusal by a page of its own, such as a form that is to be filled in again.
    pub(crate) fn on(self, mut page: Response) -> Response {
        *page.status_mut() = self.status;
        refuse(page, self.told)
    }
}

impl<E> From<E> for PageError
where
    OAuthError: From<E>,
{
    #[track_caller]
    fn from(error: E) -> Self {
        let told = OAuthError::from(error);
        let (_, kind) = delivery(told.code);
        let (status, _) = told_as(kind);
        Self { kind, status, told, way_on: None }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = refuse(self.status.into_response(), self.told);
        response.extensions_mut().insert(PageDue { kind: self.kind, way_on: self.way_on });
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_page_comes_back_from_what_a_program_is_told() {
        for kind in ErrorKind::ALL {
            let (_, code) = told_as(kind);
            let (_, page) = delivery(code);
            assert_eq!(told_as(page).1, code, "{kind:?}");
        }
    }

    #[test]
    fn a_refusal_of_the_protocol_has_the_page_of_its_code() {
        let page = |code: ErrorCode| PageError::from(code.error("any", ""));
        for (code, kind, status) in [
            (ErrorCode::InvalidClient, ErrorKind::ClientUnknown, 400),
            (ErrorCode::InvalidScope, ErrorKind::ClientRequest, 400),
            (ErrorCode::AccessDenied, ErrorKind::Refused, 403),
            (ErrorCode::RequestTooLarge, ErrorKind::TooLarge, 413),
            (ErrorCode::NotFound, ErrorKind::NotFound, 404),
            (ErrorCode::ServerError, ErrorKind::ServerMistake, 500),
        ] {
            assert_eq!((page(code).kind, page(code).status.as_u16()), (kind, status), "{code:?}");
        }
    }
}
