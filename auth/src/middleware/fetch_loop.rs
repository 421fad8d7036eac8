//! Refuses requests that a server like this one sent to fetch a document. Documents are served
//! elsewhere; here such a request could only cause the next fetch, and that one the next.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{clients, error_response::JsonError, oauth::OAuthError};

/// A layer around every route that looks up a client.
pub(crate) async fn refuse(request: Request, next: Next) -> Response {
    if clients::is_fetch(request.headers()) {
        let error = OAuthError::invalid_request(
            "fetch_loop",
            "An authorization server fetches a document here, and there is none at this address.",
        );
        return JsonError(error).into_response();
    }
    next.run(request).await
}
