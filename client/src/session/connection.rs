//! One MCP connection, and the errors that its failures become.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use http::StatusCode;
use rmcp::{
    ClientCacheConfig, ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceError,
    model::{ErrorCode, ErrorData},
    service::{ClientInitializeError, RunningService},
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
    },
};
use url::Url;

use crate::{
    error::Error,
    http::{Fetch, FetchError, server_address},
    oauth::challenge::AuthorizationChallenge,
    profile::Profile,
    protocol::Protocol,
    session::{
        conversation::{Conversation, Host},
        recovery::Refusal,
        token_slot::TokenSlot,
        wire::{Notes, Wire, WireError},
    },
};

/// How long the first answer may take. It is long because some servers are started on demand.
const OPENING_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the user sees that an answer is still waited for.
const SIGN_OF_LIFE_INTERVAL: Duration = Duration::from_secs(1);
const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// An MCP session or its stateless equivalent, ready for requests.
pub(crate) type Running = RunningService<RoleClient, Host>;

/// Why a request on a connection got no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A better token may help.
    Refused(Refusal),
    Failed(Error),
}

/// The connection to one server, opened at the first request.
pub(crate) struct Connection {
    server: Url,
    fetch: Fetch,
    token: TokenSlot,
    protocol: Protocol,
    host: Host,
    notes: Notes,
    answer_timeout: Duration,
    running: Option<Running>,
}

impl Connection {
    /// A connection to `server` that sends the token in `token`; `conversation` answers the
    /// server's questions.
    pub(crate) fn new(
        server: Url,
        fetch: Fetch,
        token: TokenSlot,
        profile: &Profile,
        conversation: Arc<dyn Conversation>,
    ) -> Self {
        let protocol = profile.protocol.clone();
        let notes = Notes::default();
        let host = Host {
            conversation,
            protocol_version: protocol.offered(),
            server: server.authority().to_owned(),
            extension: profile.method.extension(),
            activity: notes.activity.clone(),
        };
        let answer_timeout = profile.answer_timeout.0;
        Self { server, fetch, token, protocol, host, notes, answer_timeout, running: None }
    }

    /// Runs `operation`, and opens the connection first if necessary. It runs at most once, because
    /// a lost connection does not say how far the server got, and it is cancelled if the server is
    /// silent for too long.
    pub(crate) async fn run<T>(
        &mut self,
        operation: impl AsyncFnOnce(&Running) -> Result<T, ServiceError>,
    ) -> Result<T, Failure> {
        if self.running.as_ref().is_none_or(|running| running.is_closed()) {
            self.running = Some(self.open().await?);
        }
        let Some(running) = &self.running else { return Err(self.unusable("it closed at once")) };
        let (activity, conversation) = (&self.notes.activity, &self.host.conversation);
        tokio::select! {
            outcome = operation(running) => outcome.map_err(|error| self.service_failure(error)),
            never = activity.tell_waiting(SIGN_OF_LIFE_INTERVAL, |waited| {
                conversation.waiting(waited);
            }) => match never {},
            waited = activity.silence(self.answer_timeout) => {
                let server = self.server.to_string();
                let seconds = waited.as_secs();
                Err(failed(Error::Unanswered { server, seconds }))
            }
        }
    }

    /// The instructions that the server gave when the connection was opened.
    pub(crate) fn instructions(&self) -> Option<String> {
        self.running.as_ref()?.peer_info()?.instructions.clone()
    }

    /// Warnings about unreadable parts of answers since the last call.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.notes.warnings.take()
    }

    /// Ends the connection, and with it the server's session where there is one.
    pub(crate) async fn close(&mut self) {
        if let Some(mut running) = self.running.take() {
            // A server that does not close the session in time is not waited for.
            let _ = running.close_with_timeout(CLOSING_TIMEOUT).await;
        }
    }

    /// Opens the connection in the newest way that the server knows.
    ///
    /// rmcp could do this, but after ten seconds it sends the next request while the first one is
    /// still unanswered.
    async fn open(&self) -> Result<Running, Failure> {
        let client = self.fetch.client_for(&self.server).await;
        let client = client.map_err(|error| failed(error.into()))?;
        let mut modes = self.protocol.lifecycles().into_iter().peekable();
        while let Some(mode) = modes.next() {
            let is_last = modes.peek().is_none();
            match tokio::time::timeout(OPENING_TIMEOUT, self.open_by(mode, client)).await {
                Ok(Ok(running)) => return Ok(running),
                Ok(Err(error)) if is_last || !is_of_older_server(&error) => {
                    return Err(self.opening_failure(error));
                }
                // An older server may not answer a method that it does not know.
                Err(_) if is_last => break,
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(failed(FetchError::TimedOut { url: self.server.clone() }.into()))
    }

    async fn open_by(
        &self,
        mode: ClientLifecycleMode,
        client: &reqwest::Client,
    ) -> Result<Running, ClientInitializeError> {
        let server = self.server.clone();
        let token = self.token.clone();
        let wire = Wire::new(client.clone(), server, token, self.notes.clone());
        let config = StreamableHttpClientTransportConfig::with_uri(self.server.as_str());
        let transport = StreamableHttpClientTransport::with_client(wire, config);
        let running = self.host.clone().serve_with_lifecycle(transport, mode).await?;
        // A stale list after a refusal would hide the refusal.
        running.set_response_cache_config(ClientCacheConfig::disabled()).await;
        Ok(running)
    }

    fn opening_failure(&self, error: ClientInitializeError) -> Failure {
        if let Some(header) = error.auth_challenge() {
            return refused(error.is_authorization_required(), header);
        }
        match error {
            ClientInitializeError::TransportError { error, .. } => {
                self.wire_failure(&*error.error, true)
            }
            ClientInitializeError::JsonRpcError(error) => self.server_error(error),
            ClientInitializeError::ConnectionClosed(_) => self.broken_off(),
            ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
                let theirs: Vec<_> =
                    server_supported.iter().map(|version| version.as_str()).collect();
                self.unusable(&format!(
                    "it knows none of the revisions of MCP that were offered, only {}",
                    theirs.join(", ")
                ))
            }
            _ => self.unusable("its first answer is not what it was asked for"),
        }
    }

    fn service_failure(&self, error: ServiceError) -> Failure {
        if let Some(header) = error.auth_challenge() {
            return refused(error.is_authorization_required(), header);
        }
        match error {
            ServiceError::TransportSend(error) => self.wire_failure(&*error.error, false),
            ServiceError::McpError(error) => self.server_error(error),
            ServiceError::TransportClosed => self.broken_off(),
            ServiceError::UnexpectedResponse => {
                self.unusable("its answer is not what it was asked for")
            }
            other => self.unusable(&other.to_string()),
        }
    }

    /// rmcp wraps the errors of the transport; ours is somewhere in the chain. If not even the
    /// first answer is MCP, the server is probably not an MCP server.
    fn wire_failure(&self, error: &(dyn StdError + 'static), is_first: bool) -> Failure {
        let server = self.server.to_string();
        match error.downcast_ref::<StreamableHttpError<WireError>>() {
            Some(StreamableHttpError::Client(WireError::Fetch(error))) => {
                failed(error.clone().into())
            }
            Some(StreamableHttpError::Client(WireError::Forbidden(words))) => {
                failed(Error::Forbidden { server, scope: String::new(), words: words.clone() })
            }
            Some(StreamableHttpError::Client(WireError::Moved(place))) => failed(self.moved(place)),
            Some(StreamableHttpError::Client(error)) if is_first && !is_objection(error) => {
                failed(Error::NotMcp { server, reason: error.to_string() })
            }
            Some(StreamableHttpError::Client(error)) => self.unusable(&error.to_string()),
            Some(other) => self.unusable(&other.to_string()),
            None => self.unusable(&error.to_string()),
        }
    }

    /// A redirect, resolved against the server. The hint only offers an address that this client
    /// accepts.
    fn moved(&self, place: &str) -> Error {
        let place = self.server.join(place).ok().filter(|_| !place.is_empty());
        let Some(place) = place else {
            let reason = "it redirects without saying where to".to_owned();
            return Error::UnusableAnswer { server: self.server.to_string(), reason };
        };
        let hint = server_address::parse(place.as_str()).ok();
        let hint = hint.filter(|address| *address != self.server);
        Error::Usage {
            message: format!(
                "{} redirects to {place}, and a token follows no redirect",
                self.server
            ),
            hint: hint.map(|place| format!("if you trust that address, use `--server {place}`")),
        }
    }

    fn broken_off(&self) -> Failure {
        let failure = self.notes.take_failure().unwrap_or_else(|| {
            let reason = "the connection ended before the answer came".to_owned();
            FetchError::BrokenOff { url: self.server.clone(), reason }
        });
        failed(failure.into())
    }

    fn server_error(&self, ErrorData { code: ErrorCode(code), message, .. }: ErrorData) -> Failure {
        let server = self.server.to_string();
        failed(Error::Server { server, code, message: message.into_owned() })
    }

    fn unusable(&self, reason: &str) -> Failure {
        let server = self.server.to_string();
        let reason = reason.to_owned();
        failed(Error::UnusableAnswer { server, reason })
    }
}

/// Whether the server understood what it was asked and objects to it. One that does not serve MCP
/// at this address says that there is nothing of the kind.
fn is_objection(error: &WireError) -> bool {
    const ABSENT: [StatusCode; 3] =
        [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::GONE];
    matches!(error, WireError::Refused { status, .. } if !ABSENT.contains(status))
}

/// Whether the server's error to `server/discover` shows that it does not know the method
/// (MCP 2026-07-28, "Backward Compatibility").
fn is_of_older_server(error: &ClientInitializeError) -> bool {
    let ClientInitializeError::JsonRpcError(error) = error else { return false };
    !matches!(
        error.code,
        ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY | ErrorCode::HEADER_MISMATCH
    )
}

fn failed(error: Error) -> Failure {
    Failure::Failed(error)
}

fn refused(is_unauthorized: bool, header: &str) -> Failure {
    let challenge = AuthorizationChallenge::parse(header);
    Failure::Refused(Refusal { is_unauthorized, challenge })
}
