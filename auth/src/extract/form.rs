//! The parameters of a form body, read strictly.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE},
};

use crate::{
    error_response::PageError,
    oauth::{ErrorCode, OAuthError, Parameters},
};

/// Largest form, in bytes.
const MAX_FORM_SIZE: usize = 64 * 1024;

/// What a form of one of our pages says.
pub(crate) struct Form(pub(crate) Parameters);

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, _: &S) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        Ok(Self(read(&parts.headers, body).await?))
    }
}

/// Reads a form body. Parameters in the query are never mixed in (RFC 6749 §3.2).
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Parameters, OAuthError> {
    check_content_type(headers)?;
    let body: Bytes = to_bytes(body, MAX_FORM_SIZE).await.map_err(|error| {
        let description = "The form is larger than 64 KiB. Send less.";
        ErrorCode::RequestTooLarge.error("body_too_large", description).because(error)
    })?;
    Parameters::parse(&body)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), OAuthError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let media_type = match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().unwrap_or_default(),
        _ => "",
    };
    let mut parts = media_type.split(';').map(str::trim);
    let is_form = parts
        .next()
        .is_some_and(|part| part.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let is_utf8 = parts.all(|part| match part.to_ascii_lowercase().strip_prefix("charset=") {
        Some(charset) => charset.trim_matches('"') == "utf-8",
        None => true,
    });
    if is_form && is_utf8 {
        Ok(())
    } else {
        Err(OAuthError::invalid_request(
            "content_type",
            "Send the parameters as application/x-www-form-urlencoded.",
        ))
    }
}
