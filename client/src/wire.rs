//! MCP's streamable HTTP transport, with the access token of the moment on every request.
//!
//! rmcp brings a transport for reqwest, but that one reads only the first `WWW-Authenticate`
//! header and keeps one token for its whole life. Here all challenges are kept, and the token can
//! change while a connection stays open.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use futures::{StreamExt as _, stream::BoxStream};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
};
use reqwest::{Client, Request, RequestBuilder, Response};
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, ServerJsonRpcMessage,
    },
    transport::{
        common::http_header::{
            EVENT_STREAM_MIME_TYPE, HEADER_LAST_EVENT_ID, HEADER_SESSION_ID, JSON_MIME_TYPE,
        },
        streamable_http_client::{
            AuthRequiredError, HttpStatusError, InsufficientScopeError, SseError,
            StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
            StreamableHttpResponseLimits,
        },
    },
};
use sse_stream::{Sse, SseStream};
use url::Url;

use crate::{
    fetch::{FetchError, unreachable},
    oauth::{challenge::AuthorizationChallenge, dpop::AccessToken},
    wire::{event_size::EventSize, standing_stream::StandingStream},
};

mod event_size;
mod standing_stream;

/// The access token that goes with the next request; shared with whoever renews it.
#[derive(Clone, Debug, Default)]
pub struct TokenSlot(Arc<RwLock<Option<AccessToken>>>);

impl TokenSlot {
    /// Uses `token` from now on.
    pub fn set(&self, token: Option<AccessToken>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn get(&self) -> Option<AccessToken> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why a request got no MCP answer.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Nobody answered.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// 403 without a challenge: no token would help.
    #[error("forbidden")]
    Forbidden,
    /// The server says that it is elsewhere. A token must not follow a redirect.
    #[error("it has moved to {0}")]
    Moved(String),
    /// The key that the token is bound to cannot be used.
    #[error("{0}")]
    Key(String),
    /// An event is larger than any honest one.
    #[error("an event is larger than {0} bytes")]
    EventTooLarge(usize),
}

type Outcome<T> = Result<T, StreamableHttpError<WireError>>;
type Headers = HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

/// The HTTP half of one connection.
#[derive(Clone)]
pub struct Wire {
    client: Client,
    server: Url,
    token: TokenSlot,
    standing_stream: StandingStream,
}

impl Wire {
    /// Talks to `server` through `client`, presenting what is in `token`.
    pub fn new(client: Client, server: Url, token: TokenSlot) -> Self {
        Self { client, server, token, standing_stream: StandingStream::default() }
    }

    /// Adds what every request carries besides the token. rmcp's own headers never name `Authorization`.
    fn prepare(
        &self,
        request: RequestBuilder,
        session: Option<&str>,
        headers: Headers,
    ) -> RequestBuilder {
        let request = request.headers(HeaderMap::from_iter(headers));
        match session {
            Some(session) => request.header(HEADER_SESSION_ID, session),
            None => request,
        }
    }

    /// Sends `request` with the token of the moment. A server that wants its nonce in the proof is
    /// asked once more, with a new proof (RFC 9449 §9).
    async fn send(&self, request: RequestBuilder) -> Outcome<Response> {
        let request = request.build().map_err(|error| self.lost(&error))?;
        let (again, token) = (request.try_clone(), self.token.get());
        let mut response = self.send_once(request, token.as_ref()).await?;
        let key = token.as_ref().and_then(|token| token.key.as_ref());
        let has_new_nonce = key.is_some_and(|key| key.learn(&self.server, response.headers()));
        if let Some(again) = again
            && has_new_nonce
            && response.status() == StatusCode::UNAUTHORIZED
            && AuthorizationChallenge::wants_nonce(&challenges(&response))
        {
            response = self.send_once(again, token.as_ref()).await?;
        }
        match refusal(&response) {
            Some(error) => Err(error),
            None => Ok(response),
        }
    }

    async fn send_once(
        &self,
        mut request: Request,
        token: Option<&AccessToken>,
    ) -> Outcome<Response> {
        if let Some(token) = token {
            let headers = token.headers(request.method().as_str(), &self.server);
            let headers = headers.map_err(|error| WireError::Key(error.to_string()));
            request.headers_mut().extend(headers.map_err(StreamableHttpError::Client)?);
        }
        self.client.execute(request).await.map_err(|error| self.lost(&error))
    }

    /// The whole body, if it is not larger than `limit`.
    async fn body(&self, mut response: Response, limit: usize) -> Outcome<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(StreamableHttpError::ResponseBodyTooLarge { max_size: limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn events(&self, response: Response, limit: usize) -> Events {
        let server = self.server.clone();
        let mut size = EventSize::default();
        let bounded = response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| WireError::from(unreachable(&server, &error)))?;
            if size.after(&chunk) > limit {
                Err(WireError::EventTooLarge(limit))
            } else {
                Ok(chunk)
            }
        });
        SseStream::from_bytes_stream(bounded).boxed()
    }

    fn lost(&self, error: &reqwest::Error) -> StreamableHttpError<WireError> {
        StreamableHttpError::Client(unreachable(&self.server, error).into())
    }
}

impl StreamableHttpClient for Wire {
    type Error = WireError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: Headers,
    ) -> Outcome<StreamableHttpPostResponse> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session, None, headers, limits).await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Outcome<StreamableHttpPostResponse> {
        let expects_answer = matches!(message, ClientJsonRpcMessage::Request(_));
        if expects_answer {
            self.standing_stream.answered().await;
        }
        let accept = format!("{JSON_MIME_TYPE}, {EVENT_STREAM_MIME_TYPE}");
        let request = self.client.post(&*uri).header(ACCEPT, accept).json(&message);
        let response = self.send(self.prepare(request, session.as_deref(), headers)).await?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && session.is_some() {
            return Err(StreamableHttpError::SessionExpired);
        }
        if status.is_success() && !expects_answer || status == StatusCode::ACCEPTED {
            if session.is_some() && begins_session(&message) {
                self.standing_stream.begin();
            }
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let new_session = text_header(&response, HEADER_SESSION_ID);
        let content_type = text_header(&response, CONTENT_TYPE.as_str());
        if !status.is_success() {
            let retry_after = text_header(&response, RETRY_AFTER.as_str());
            let body = self.body(response, limits.max_json_response_size).await?;
            let error = rejection(&message, session.is_some(), status, &body)
                .ok_or_else(|| unusable_status(status, retry_after))?;
            return Ok(StreamableHttpPostResponse::Json(error, new_session));
        }
        match content_type.as_deref().map(media_type) {
            Some(kind) if kind.eq_ignore_ascii_case(EVENT_STREAM_MIME_TYPE) => {
                let events = self.events(response, limits.max_sse_event_size);
                Ok(StreamableHttpPostResponse::Sse(events, new_session))
            }
            Some(kind) if kind.eq_ignore_ascii_case(JSON_MIME_TYPE) => {
                let body = self.body(response, limits.max_json_response_size).await?;
                Ok(StreamableHttpPostResponse::Json(serde_json::from_slice(&body)?, new_session))
            }
            _ => Err(StreamableHttpError::UnexpectedContentType(content_type)),
        }
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event_id: Option<String>,
        _: Option<String>,
        headers: Headers,
    ) -> Outcome<Events> {
        let limit = StreamableHttpResponseLimits::default().max_sse_event_size;
        let _asking = self.standing_stream.ask();
        let mut request = self.client.get(&*uri).header(ACCEPT, EVENT_STREAM_MIME_TYPE);
        if let Some(last_event_id) = last_event_id {
            request = request.header(HEADER_LAST_EVENT_ID, last_event_id);
        }
        let response = self.send(self.prepare(request, session.as_deref(), headers)).await?;
        match response.status() {
            status if status.is_success() => Ok(self.events(response, limit)),
            StatusCode::METHOD_NOT_ALLOWED => Err(StreamableHttpError::ServerDoesNotSupportSse),
            status => {
                let retry_after = text_header(&response, RETRY_AFTER.as_str());
                Err(unusable_status(status, retry_after))
            }
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        headers: Headers,
    ) -> Outcome<()> {
        let request = self.client.delete(&*uri);
        let response = self.send(self.prepare(request, Some(&session), headers)).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::METHOD_NOT_ALLOWED => Ok(()),
            status => Err(unusable_status(status, None)),
        }
    }
}

/// Whether `message` is the last of the handshake, after which the server may speak.
fn begins_session(message: &ClientJsonRpcMessage) -> bool {
    matches!(message, ClientJsonRpcMessage::Notification(notification)
        if matches!(notification.notification, ClientNotification::InitializedNotification(_)))
}

/// All challenges in one line (RFC 9110 §5.3).
fn challenges(response: &Response) -> String {
    let lines = response.headers().get_all(WWW_AUTHENTICATE).iter();
    lines.filter_map(|line| line.to_str().ok()).collect::<Vec<_>>().join(", ")
}

/// A refusal for want of authorization, with all its challenges, or a redirect.
fn refusal(response: &Response) -> Option<StreamableHttpError<WireError>> {
    let header = challenges(response);
    match response.status() {
        StatusCode::UNAUTHORIZED => {
            Some(StreamableHttpError::AuthRequired(AuthRequiredError::new(header)))
        }
        StatusCode::FORBIDDEN if header.is_empty() => {
            Some(StreamableHttpError::Client(WireError::Forbidden))
        }
        StatusCode::FORBIDDEN => {
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
/// not know: whatever 4xx they answer becomes the answer to it, so that `initialize` is tried next.
fn rejection(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    status: StatusCode,
    body: &[u8],
) -> Option<ServerJsonRpcMessage> {
    let error = match serde_json::from_slice::<ServerJsonRpcMessage>(body) {
        Ok(ServerJsonRpcMessage::Error(error)) => Some(error),
        _ => None,
    };
    if let ClientJsonRpcMessage::Request(request) = message
        && matches!(request.request, ClientRequest::DiscoverRequest(_))
        && status.is_client_error()
        && !in_session
    {
        let cause = error.map_or_else(
            || ErrorData::invalid_request(format!("server/discover was answered {status}"), None),
            |error| error.error,
        );
        return Some(ServerJsonRpcMessage::error(cause, Some(request.id.clone())));
    }
    error.map(ServerJsonRpcMessage::Error)
}

fn unusable_status(
    status: StatusCode,
    retry_after: Option<String>,
) -> StreamableHttpError<WireError> {
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return HttpStatusError::new(status.as_u16(), retry_after).into();
    }
    StreamableHttpError::UnexpectedServerResponse(Cow::Owned(format!("it answered {status}")))
}

fn text_header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests;
