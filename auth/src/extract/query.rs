//! The parameters of a query, on a page's address.

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{error_response::PageError, oauth::Parameters};

/// What the query says.
pub(crate) struct Query(pub(crate) Parameters);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(Parameters::parse(query.as_bytes())?))
    }
}
