//! MCP's streamable HTTP transport, with the current access token on every request.
//!
//! rmcp's own transport for reqwest reads only the first `WWW-Authenticate` header and uses one
//! token for its whole life. This one keeps all challenges, and the token can change while the
//! connection is open.

use std::{collections::HashMap, fmt::Display, sync::Arc};

use futures::{StreamExt as _, stream::BoxStream};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use net::body::{self, BodyError};
use reqwest::{Client, Request, RequestBuilder, Response};
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::{
        common::http_header::{
            EVENT_STREAM_MIME_TYPE, HEADER_LAST_EVENT_ID, HEADER_SESSION_ID, JSON_MIME_TYPE,
        },
        streamable_http_client::{
            SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
            StreamableHttpResponseLimits,
        },
    },
};
use sse_stream::{Sse, SseStream};
use url::Url;

use self::{
    event_size::EventSize,
    pending_request::PendingRequest,
    refusal::{begins_session, challenges, media_type, refusal, rejection, text_header},
    standing_stream::StandingStream,
};
use crate::{
    http::{
        FetchError, excerpt::excerpt, foreign_encoding, is_trouble, retry_in_words, unreachable,
    },
    oauth::{challenge::AuthorizationChallenge, dpop::AccessToken},
    session::token_slot::TokenSlot,
};

pub(crate) mod activity;
mod event_size;
mod notes;
pub(crate) mod pending_request;
mod refusal;
mod standing_stream;

pub(crate) use self::notes::Notes;

/// Largest body of an unsuccessful response that is read, in bytes.
const MAX_REFUSAL: usize = 1024 * 1024;

/// Why a request got no MCP answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// 403 without a challenge, so no token would help; with an excerpt of the body.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// A status that MCP does not use for answers, with the body of the response.
    #[error("it answered {status}{}", after_colon(.words))]
    Refused { status: StatusCode, words: String },
    #[error("{0}")]
    Unusable(String),
    /// The server redirects. A token must not follow a redirect.
    #[error("it has moved to {0}")]
    Moved(String),
    /// A server-sent event exceeds the size limit.
    #[error("an event is larger than {0} bytes")]
    EventTooLarge(usize),
}

type Outcome<T> = Result<T, StreamableHttpError<WireError>>;
type Headers = HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

/// The HTTP half of one connection.
#[derive(Clone)]
pub(crate) struct Wire {
    client: Client,
    server: Url,
    token: TokenSlot,
    standing_stream: StandingStream,
    notes: Notes,
}

impl Wire {
    /// Sends requests to `server` through `client`, with the token in `token`.
    pub(crate) fn new(client: Client, server: Url, token: TokenSlot, notes: Notes) -> Self {
        Self { client, server, token, standing_stream: StandingStream::default(), notes }
    }

    /// Adds what every request carries besides the token. rmcp's own headers never name
    /// `Authorization`.
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

    /// Sends `request` with the current token. If the server wants its nonce in the proof, the
    /// request is repeated once with a new proof (RFC 9449 §9).
    async fn send(&self, request: RequestBuilder) -> Outcome<Response> {
        let request = request.build().map_err(|error| self.lost(&error))?;
        let again = request.try_clone();
        let token = self.token.get();
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
        self.notes.activity.heard();
        match refusal(&response) {
            Some(error) => Err(error),
            None if response.status() == StatusCode::FORBIDDEN => {
                let body = self.body(response, MAX_REFUSAL).await.unwrap_or_default();
                Err(StreamableHttpError::Client(WireError::Forbidden(excerpt(&body))))
            }
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
            request.headers_mut().extend(headers.map_err(unusable)?);
        }
        self.client.execute(request).await.map_err(|error| self.lost(&error))
    }

    /// The whole body, if it is not larger than `limit` after decompression.
    async fn body(&self, response: Response, limit: usize) -> Outcome<Vec<u8>> {
        self.check_encoding(&response)?;
        body::read(response, limit).await.map_err(|error| match error {
            BodyError::TooLarge => StreamableHttpError::ResponseBodyTooLarge { max_size: limit },
            BodyError::Failed(error) => self.lost(&error),
        })
    }

    /// The events of a stream. The answer to `pending` is put into the form that rmcp understands.
    fn events(
        &self,
        response: Response,
        limit: usize,
        pending: Option<PendingRequest>,
    ) -> Outcome<Events> {
        self.check_encoding(&response)?;
        let server = self.server.clone();
        let notes = self.notes.clone();
        let mut size = EventSize::default();
        let bounded = response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| {
                let failure = unreachable(&server, &error);
                notes.failed(&failure);
                WireError::from(failure)
            })?;
            if size.after(&chunk) > limit {
                Err(WireError::EventTooLarge(limit))
            } else {
                Ok(chunk)
            }
        });
        let activity = self.notes.activity.clone();
        let events = SseStream::from_bytes_stream(bounded).map(move |event| {
            let mut event = event?;
            let data = event.data.as_deref().filter(|data| !data.trim().is_empty());
            if data.is_some() {
                activity.heard();
            }
            let replacement = pending.as_ref().zip(data);
            if let Some(data) = replacement.and_then(|(mine, data)| mine.replacement(data)) {
                // An answer is a message, whatever the server calls the event.
                (event.event, event.data) = (None, Some(data));
            }
            Ok(event)
        });
        Ok(events.boxed())
    }

    fn check_encoding(&self, response: &Response) -> Outcome<()> {
        let Some(encoding) = foreign_encoding(response.headers()) else { return Ok(()) };
        let error = FetchError::Encoded { url: self.server.clone(), encoding };
        Err(StreamableHttpError::Client(error.into()))
    }

    /// Reads the answer to `pending` from a successful `response`.
    async fn answer(
        &self,
        response: Response,
        pending: PendingRequest,
        limits: StreamableHttpResponseLimits,
    ) -> Outcome<StreamableHttpPostResponse> {
        let session = text_header(&response, HEADER_SESSION_ID);
        let content_type = text_header(&response, CONTENT_TYPE.as_str()).unwrap_or_default();
        if media_type(&content_type).eq_ignore_ascii_case(EVENT_STREAM_MIME_TYPE) {
            let events = self.events(response, limits.max_sse_event_size, Some(pending))?;
            return Ok(StreamableHttpPostResponse::Sse(events, session));
        }
        // Any other type is read as JSON: some servers call it text, or name no type.
        let body = self.body(response, limits.max_json_response_size).await?;
        let message = pending.read(&body).map_err(unusable)?;
        Ok(StreamableHttpPostResponse::Json(message, session))
    }

    /// What an unsuccessful `response` means for `message`.
    async fn failure(
        &self,
        response: Response,
        message: &ClientJsonRpcMessage,
        in_session: bool,
    ) -> Outcome<StreamableHttpPostResponse> {
        let status = response.status();
        let retry_after = text_header(&response, RETRY_AFTER.as_str());
        let session = text_header(&response, HEADER_SESSION_ID);
        // If the body cannot be read, the status still says something.
        let body = self.body(response, MAX_REFUSAL).await.unwrap_or_default();
        match rejection(message, in_session, status, &body) {
            Some(error) => Ok(StreamableHttpPostResponse::Json(error, session)),
            None => Err(self.refused(status, excerpt(&body), retry_after)),
        }
    }

    fn refused(
        &self,
        status: StatusCode,
        words: String,
        retry_after: Option<String>,
    ) -> StreamableHttpError<WireError> {
        StreamableHttpError::Client(if is_trouble(status) {
            let retry = retry_in_words(retry_after.as_deref());
            let answer = format!("{status}{}{retry}", after_colon(&words));
            FetchError::Unavailable { url: self.server.clone(), status, answer }.into()
        } else {
            WireError::Refused { status, words }
        })
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
        let pending = PendingRequest::new(&message, self.notes.warnings.clone());
        if pending.is_some() {
            self.standing_stream.answered().await;
        }
        let accept = format!("{JSON_MIME_TYPE}, {EVENT_STREAM_MIME_TYPE}");
        let request = self.client.post(&*uri).header(ACCEPT, accept).json(&message);
        let response = self.send(self.prepare(request, session.as_deref(), headers)).await?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && session.is_some() {
            return Err(StreamableHttpError::SessionExpired);
        }
        if !status.is_success() {
            return self.failure(response, &message, session.is_some()).await;
        }
        match pending {
            // In a session the answer may still come on the stream of the server.
            Some(_) if status == StatusCode::ACCEPTED && session.is_some() => {
                Ok(StreamableHttpPostResponse::Accepted)
            }
            Some(pending) => self.answer(response, pending, limits).await,
            None => {
                if session.is_some() && begins_session(&message) {
                    self.standing_stream.begin();
                }
                Ok(StreamableHttpPostResponse::Accepted)
            }
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
            status if status.is_success() => self.events(response, limit, None),
            StatusCode::METHOD_NOT_ALLOWED => Err(StreamableHttpError::ServerDoesNotSupportSse),
            status => {
                let retry_after = text_header(&response, RETRY_AFTER.as_str());
                Err(self.refused(status, String::new(), retry_after))
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
            status => Err(self.refused(status, String::new(), None)),
        }
    }
}

fn unusable(reason: impl Display) -> StreamableHttpError<WireError> {
    StreamableHttpError::Client(WireError::Unusable(reason.to_string()))
}

fn after_colon(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

#[cfg(test)]
mod tests;
