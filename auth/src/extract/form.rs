//! The parameters of a form body or a query, read strictly.

use axum::{
    body::{Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, header::CONTENT_TYPE},
};

use crate::oauth::{
    error::{OAuthError, RefusalKind},
    parameters::Parameters,
};

/// Largest form, in bytes.
const LARGEST_FORM: usize = 64 * 1024;

/// Reads a form body. Parameters in the query are never mixed in (RFC 6749 §3.2).
pub async fn read(request: Request) -> Result<(HeaderMap, Parameters), OAuthError> {
    let (parts, body) = request.into_parts();
    check_content_type(&parts.headers)?;
    let body: Bytes = to_bytes(body, LARGEST_FORM).await.map_err(|error| {
        OAuthError::invalid_request("body_too_large", "The form is larger than 64 KiB.")
            .kind(RefusalKind::TooLarge)
            .because(error)
    })?;
    Ok((parts.headers, Parameters::parse(&body)?))
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
    match is_form && is_utf8 {
        true => Ok(()),
        false => Err(OAuthError::invalid_request(
            "content_type",
            "Send the parameters as application/x-www-form-urlencoded.",
        )),
    }
}
