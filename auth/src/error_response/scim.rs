//! A refusal as SCIM tells it (RFC 7644 §3.12).

use axum::{
    http::{
        StatusCode,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{delivery, insert, refuse};
use crate::scim::ScimError;

/// The media type of every answer.
pub(crate) const SCIM_JSON: &str = "application/scim+json";

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let Self { status, scim_type, error } = self;
        let status = status.unwrap_or_else(|| delivery(error.code).0);
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.as_str(),
            "detail": error.description,
        });
        if let Some(scim_type) = scim_type {
            body["scimType"] = scim_type.into();
        }
        let mut response = (status, [(CONTENT_TYPE, SCIM_JSON)], body.to_string()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            insert(&mut response, WWW_AUTHENTICATE.as_str(), "Bearer realm=\"scim\"");
        }
        refuse(response, *error)
    }
}

/// An answer of SCIM.
pub(crate) struct ScimResponse(pub(crate) serde_json::Value);

impl IntoResponse for ScimResponse {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, SCIM_JSON)], self.0.to_string()).into_response()
    }
}
