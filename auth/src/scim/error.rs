//! A refusal of SCIM: its status and `scimType` (RFC 7644 §3.12) besides what every refusal has.

use std::borrow::Cow;

use http::StatusCode;

use crate::oauth::{ErrorCode, OAuthError};

/// A refusal. Without a status, that of its code.
#[derive(Debug)]
pub(crate) struct ScimError {
    pub(crate) status: Option<StatusCode>,
    pub(crate) scim_type: Option<&'static str>,
    /// Boxed, because it is large and rarely there.
    pub(crate) error: Box<OAuthError>,
}

impl ScimError {
    fn new(
        status: StatusCode,
        scim_type: Option<&'static str>,
        reason: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let error = Box::new(OAuthError::invalid_request(reason, description));
        Self { status: Some(status), scim_type, error }
    }

    /// A filter that is malformed, or asks for what this server does not compare.
    pub(crate) fn filter(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("invalidFilter"), "scim_filter", description)
    }

    /// A path that is malformed, or leads nowhere.
    pub(crate) fn path(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("invalidPath"), "scim_path", description)
    }

    /// An operation without the path that it needs.
    pub(crate) fn no_target(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("noTarget"), "scim_no_target", description)
    }

    /// A body that is not what the operation needs.
    pub(crate) fn syntax(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("invalidSyntax"), "scim_syntax", description)
    }

    /// A value that is missing, has the wrong type, or is too long.
    pub(crate) fn value(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("invalidValue"), "scim_value", description)
    }

    /// A name that another resource has.
    pub(crate) fn taken(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, Some("uniqueness"), "scim_taken", description)
    }

    /// A body that is larger than what is read.
    pub(crate) fn too_large(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, None, "scim_too_large", description)
    }

    /// More resources than are kept.
    pub(crate) fn full(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, None, "scim_full", description)
    }

    /// A discovery endpoint was asked to filter (RFC 7644 §4).
    pub(crate) fn not_filtered() -> Self {
        let description = "Leave out the filter: this list is always returned whole.";
        Self::new(StatusCode::FORBIDDEN, None, "scim_not_filtered", description)
    }

    /// A method that the address does not take.
    pub(crate) fn wrong_method() -> Self {
        let description = "Use one of the methods that the header Allow names.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, None, "method_not_allowed", description)
    }

    pub(crate) fn not_found(description: impl Into<Cow<'static, str>>) -> Self {
        Self::from(ErrorCode::NotFound.error("scim_not_found", description))
    }

    /// The resource is not what `If-Match` expects.
    pub(crate) fn changed() -> Self {
        let description = "The resource has changed. Read it again and send its new ETag.";
        Self::new(StatusCode::PRECONDITION_FAILED, None, "scim_changed", description)
    }

    /// The request does not carry the secret.
    pub(crate) fn unauthorized() -> OAuthError {
        ErrorCode::InvalidToken.error(
            "scim_unauthorized",
            "Send the secret of the provisioning system as Authorization: Bearer.",
        )
    }
}

impl<E> From<E> for ScimError
where
    OAuthError: From<E>,
{
    #[track_caller]
    fn from(error: E) -> Self {
        Self { status: None, scim_type: None, error: Box::new(OAuthError::from(error)) }
    }
}
