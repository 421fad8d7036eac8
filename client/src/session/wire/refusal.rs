//! What the head of an answer says: a refusal, a redirect, or what kind of body follows.

use http::{
    StatusCode,
    header::{LOCATION, WWW_AUTHENTICATE},
};
use reqwest::Response;
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, JsonObject,
        ServerJsonRpcMessage,
    },
    transport::streamable_http_client::{
        AuthRequiredError, InsufficientScopeError, StreamableHttpError,
    },
};
use serde_json::Value;

use super::{WireError, pending_request::error_in};

/// Whether `message` is the last of the handshake, after which the server may speak.
pub(super) fn begins_session(message: &ClientJsonRpcMessage) -> bool {
    matches!(message, ClientJsonRpcMessage::Notification(notification)
        if matches!(notification.notification, ClientNotification::InitializedNotification(_)))
}

/// All challenges in one line (RFC 9110 §5.3).
pub(super) fn challenges(response: &Response) -> String {
    let lines = response.headers().get_all(WWW_AUTHENTICATE).iter();
    lines.filter_map(|line| line.to_str().ok()).collect::<Vec<_>>().join(", ")
}

/// A refusal for want of authorization, with all its challenges, or a redirect.
pub(super) fn refusal(response: &Response) -> Option<StreamableHttpError<WireError>> {
    let header = challenges(response);
    match response.status() {
        StatusCode::UNAUTHORIZED => {
            Some(StreamableHttpError::AuthRequired(AuthRequiredError::new(header)))
        }
        StatusCode::FORBIDDEN if !header.is_empty() => {
            Some(StreamableHttpError::InsufficientScope(InsufficientScopeError::new(header, None)))
        }
        status if status.is_redirection() => {
            let place = text_header(response, LOCATION.as_str()).unwrap_or_default();
            Some(StreamableHttpError::Client(WireError::Moved(place)))
        }
        _ => None,
    }
}

/// The JSON-RPC error in a failed answer. `server/discover` is a question that older servers do
/// not know: whatever 4xx they answer, or 501, becomes the answer to it, so that `initialize` is
/// tried next.
pub(super) fn rejection(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    status: StatusCode,
    body: &[u8],
) -> Option<ServerJsonRpcMessage> {
    let object = serde_json::from_slice::<JsonObject>(body).ok();
    let object = object.filter(|object| object.get("error").is_some_and(Value::is_object));
    let error = object.as_ref().and_then(error_in);
    let ClientJsonRpcMessage::Request(request) = message else {
        return error.map(|error| ServerJsonRpcMessage::error(error, None));
    };
    let is_unknown = matches!(request.request, ClientRequest::DiscoverRequest(_))
        && (status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED)
        && !in_session;
    let error = error.or_else(|| {
        let words = format!("server/discover was answered {status}");
        is_unknown.then(|| ErrorData::invalid_request(words, None))
    });
    error.map(|error| ServerJsonRpcMessage::error(error, Some(request.id.clone())))
}

pub(super) fn text_header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

pub(super) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
