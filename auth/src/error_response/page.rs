//! A refusal as a page: which of the pages' kinds it is, and where the person goes on.

use axum::http::{Method, Uri};
use web::error::{ErrorKind, ErrorPage};

use crate::oauth::error::{ErrorCode, OAuthError};

/// The page for a refused request.
pub(super) fn page(error: &OAuthError, request_id: String, again: Option<String>) -> ErrorPage {
    let kind = kind(error);
    let worth_another_try = matches!(kind, ErrorKind::Unavailable | ErrorKind::ServerMistake);
    ErrorPage {
        kind,
        description: error.description.to_string(),
        reason: error.reason.into(),
        request_id,
        again: again.filter(|_| worth_another_try),
    }
}

/// The address to try once more: only reading can be repeated by a link.
pub(super) fn again(method: &Method, uri: &Uri) -> Option<String> {
    let path = uri.path_and_query().map(|path| path.as_str().to_owned());
    path.filter(|_| *method == Method::GET)
}

fn kind(error: &OAuthError) -> ErrorKind {
    if error.code == ErrorCode::ServerError {
        return ErrorKind::ServerMistake;
    }
    match error.reason {
        "redirect_uri_missing" | "redirect_uri_unregistered" => ErrorKind::RedirectNotRegistered,
        "consent_answered" => ErrorKind::AlreadyAnswered,
        "cross_site_form" | "page_framed" => ErrorKind::CrossSite,
        "account_signed_out" => ErrorKind::SignInNeeded,
        "not_found" | "method_not_allowed" | "request_malformed" => ErrorKind::NotFound,
        "body_too_large" => ErrorKind::TooLarge,
        "too_many_attempts" => ErrorKind::TooMany,
        reason if reason.ends_with("_stale") || reason.starts_with("sign_in_") => {
            ErrorKind::Expired
        }
        "github_unreachable" | "upstream_unreachable" => ErrorKind::ProviderSilent,
        "github_denied" | "github_refused" | "upstream_denied" | "upstream_refused" => {
            ErrorKind::Declined
        }
        _ => by_code(error.code),
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

    fn kind_of(code: ErrorCode, reason: &'static str) -> ErrorKind {
        kind(&OAuthError::new(code, reason, ""))
    }

    #[test]
    fn a_reason_goes_before_its_code() {
        assert_eq!(kind_of(ErrorCode::AccessDenied, "consent_stale"), ErrorKind::Expired);
        assert_eq!(kind_of(ErrorCode::AccessDenied, "sign_in_expired"), ErrorKind::Expired);
        assert_eq!(kind_of(ErrorCode::AccessDenied, "upstream_denied"), ErrorKind::Declined);
        assert_eq!(kind_of(ErrorCode::AccessDenied, "anything"), ErrorKind::Refused);
        assert_eq!(kind_of(ErrorCode::InvalidRequest, "pkce"), ErrorKind::ClientRequest);
        let server = kind_of(ErrorCode::ServerError, "sign_in_not_stored");
        assert_eq!(server, ErrorKind::ServerMistake);
    }

    #[test]
    fn only_a_page_that_was_read_can_be_tried_again() {
        let uri: Uri = "/consent?a=b".parse().unwrap();
        assert_eq!(again(&Method::GET, &uri).as_deref(), Some("/consent?a=b"));
        assert_eq!(again(&Method::POST, &uri), None);
    }
}
