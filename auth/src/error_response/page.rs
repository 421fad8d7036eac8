//! A refusal as a page: which of the pages' kinds it is, and where the person goes on.

use axum::http::{Method, Uri};
use web::{
    Onward,
    error::{ErrorKind, ErrorPage},
};

use crate::oauth::error::{ErrorCode, OAuthError, RefusalKind};

/// Where the person may go on.
pub(super) struct Ways {
    /// The address to try once more.
    pub(super) again: Option<String>,
    /// The program's own address, that nobody vouches for.
    pub(super) onward: Option<Onward>,
}

/// The page for a refused request.
pub(super) fn page(error: &OAuthError, request_id: String, ways: Ways) -> ErrorPage {
    let kind = match ways.onward {
        Some(_) => ErrorKind::RedirectNotTrusted,
        None => kind(error),
    };
    let worth_another_try = matches!(kind, ErrorKind::Unavailable | ErrorKind::ServerMistake);
    ErrorPage {
        kind,
        description: error.description.to_string(),
        reason: error.reason.into(),
        request_id,
        again: ways.again.filter(|_| worth_another_try),
        onward: ways.onward,
    }
}

/// The address to try once more: only reading can be repeated by a link.
pub(super) fn again(method: &Method, uri: &Uri) -> Option<String> {
    let path = uri.path_and_query().map(|path| path.as_str().to_owned());
    path.filter(|_| *method == Method::GET)
}

fn kind(error: &OAuthError) -> ErrorKind {
    match error.kind {
        Some(RefusalKind::NotFound | RefusalKind::MethodNotAllowed | RefusalKind::Unreadable) => {
            ErrorKind::NotFound
        }
        Some(RefusalKind::TooLarge) => ErrorKind::TooLarge,
        Some(RefusalKind::TooMany) => ErrorKind::TooMany,
        Some(RefusalKind::RedirectNotRegistered) => ErrorKind::RedirectNotRegistered,
        Some(RefusalKind::AlreadyAnswered) => ErrorKind::AlreadyAnswered,
        Some(RefusalKind::CrossSite) => ErrorKind::CrossSite,
        Some(RefusalKind::SignInNeeded) => ErrorKind::SignInNeeded,
        Some(RefusalKind::Expired) => ErrorKind::Expired,
        Some(RefusalKind::UpstreamSilent) => ErrorKind::ProviderSilent,
        Some(RefusalKind::Declined) => ErrorKind::Declined,
        Some(RefusalKind::UpstreamFault) => ErrorKind::ProviderFault,
        None => by_code(error.code),
    }
}

fn by_code(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::InvalidClient => ErrorKind::ClientUnknown,
        ErrorCode::ServerError => ErrorKind::ServerMistake,
        ErrorCode::TemporarilyUnavailable => ErrorKind::Unavailable,
        ErrorCode::AccessDenied => ErrorKind::Refused,
        _ => ErrorKind::ClientRequest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_goes_before_the_code() {
        let denied = || OAuthError::new(ErrorCode::AccessDenied, "any", "");
        assert_eq!(kind(&denied()), ErrorKind::Refused);
        assert_eq!(kind(&denied().kind(RefusalKind::Expired)), ErrorKind::Expired);
        assert_eq!(kind(&OAuthError::not_found()), ErrorKind::NotFound);
        assert_eq!(kind(&OAuthError::invalid_request("pkce", "")), ErrorKind::ClientRequest);
        assert_eq!(kind(&OAuthError::server_error("any", "")), ErrorKind::ServerMistake);
    }

    #[test]
    fn only_a_page_that_was_read_can_be_tried_again() {
        let uri: Uri = "/consent?a=b".parse().unwrap();
        assert_eq!(again(&Method::GET, &uri).as_deref(), Some("/consent?a=b"));
        assert_eq!(again(&Method::POST, &uri), None);
    }
}
