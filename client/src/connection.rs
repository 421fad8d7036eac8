//! One open MCP connection, and what its failures mean to a person.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use http::StatusCode;
use rmcp::{
    ClientCacheConfig, ClientServiceExt, RoleClient, ServiceError,
    model::{ErrorCode, ErrorData},
    service::{ClientInitializeError, RunningService},
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::{
            HttpStatusError, StreamableHttpClientTransportConfig, StreamableHttpError,
        },
    },
};
use url::Url;

use crate::{
    conversation::{Conversation, Host},
    error::Error,
    fetch::{Fetch, FetchError},
    oauth::challenge::AuthorizationChallenge,
    profile::Profile,
    protocol::Protocol,
    wire::{TokenSlot, Wire, WireError},
};

/// Longer than the probe for the newest revision, which gives up after ten seconds.
const OPENING_TIMEOUT: Duration = Duration::from_secs(30);
const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// An MCP session or its stateless equivalent, ready for requests.
pub type Running = RunningService<RoleClient, Host>;

/// A server's refusal for want of authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `true` for 401: the token is missing or no good. `false` for 403: it is not enough.
    pub is_unauthorized: bool,
    /// What the server asks for.
    pub challenge: AuthorizationChallenge,
}

/// Why a request on a connection got no result.
#[derive(Debug)]
pub enum Failure {
    /// A better token may help.
    Refused(Refusal),
    /// It will not.
    Failed(Error),
}

/// The connection to one server, opened at the first request.
pub struct Connection {
    server: Url,
    fetch: Fetch,
    token: TokenSlot,
    protocol: Protocol,
    host: Host,
    running: Option<Running>,
}

impl Connection {
    /// A connection to `server` that presents what is in `token`, and is whom `profile` describes;
    /// the server's questions go to `conversation`.
    pub fn new(
        server: Url,
        fetch: Fetch,
        token: TokenSlot,
        profile: &Profile,
        conversation: Arc<dyn Conversation>,
    ) -> Self {
        let protocol = profile.protocol.clone();
        let host = Host::new(conversation, protocol.offered());
        let host = host.at(&server).declaring(profile.means.extension());
        Self { server, fetch, token, protocol, host, running: None }
    }

    /// Runs `operation`, opening the connection first if need be. It is run once at most: a lost
    /// connection does not say how far the server got.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn run<T>(
        &mut self,
        operation: impl AsyncFnOnce(&Running) -> Result<T, ServiceError>,
    ) -> Result<T, Failure> {
        if self.running.as_ref().is_none_or(|running| running.is_closed()) {
            self.running = Some(self.open().await?);
        }
        let Some(running) = &self.running else { return Err(self.not_mcp("it closed at once")) };
        operation(running).await.map_err(|error| self.service_failure(error))
    }

    /// Ends the connection, and with it the server's session where there is one.
    pub async fn close(&mut self) {
        if let Some(mut running) = self.running.take() {
            // A server that does not say goodbye in time is left.
            let _ = running.close_with_timeout(CLOSING_TIMEOUT).await;
        }
    }

    async fn open(&self) -> Result<Running, Failure> {
        let client = self.fetch.client_for(&self.server).await;
        let client = client.map_err(|error| failed(error.into()))?;
        let wire = Wire::new(client.clone(), self.server.clone(), self.token.clone());
        let config = StreamableHttpClientTransportConfig::with_uri(self.server.as_str());
        let transport = StreamableHttpClientTransport::with_client(wire, config);
        let opening = self.host.clone().serve_with_lifecycle(transport, self.protocol.lifecycle());
        let opened = tokio::time::timeout(OPENING_TIMEOUT, opening).await;
        let running = opened
            .map_err(|_| self.unavailable("it did not answer in time".to_owned()))?
            .map_err(|error| self.opening_failure(error))?;
        // A stale list after a refusal would hide the refusal.
        running.set_response_cache_config(ClientCacheConfig::disabled()).await;
        Ok(running)
    }

    fn opening_failure(&self, error: ClientInitializeError) -> Failure {
        if let Some(header) = error.auth_challenge() {
            return refused(error.is_authorization_required(), header);
        }
        match error {
            ClientInitializeError::TransportError { error, .. } => self.wire_failure(&*error.error),
            ClientInitializeError::LegacyFallbackFailed { fallback, .. } => {
                self.opening_failure(*fallback)
            }
            ClientInitializeError::JsonRpcError(error) => self.server_error(error),
            other => self.not_mcp(&other.to_string()),
        }
    }

    fn service_failure(&self, error: ServiceError) -> Failure {
        if let Some(header) = error.auth_challenge() {
            return refused(error.is_authorization_required(), header);
        }
        match error {
            ServiceError::TransportSend(error) => self.wire_failure(&*error.error),
            ServiceError::McpError(error) => self.server_error(error),
            ServiceError::TransportClosed => self.not_mcp("the connection was lost"),
            other => self.not_mcp(&other.to_string()),
        }
    }

    /// rmcp hides what happened below it in a chain of errors; ours is somewhere in there.
    fn wire_failure(&self, error: &(dyn StdError + 'static)) -> Failure {
        let server = self.server.to_string();
        match error.downcast_ref::<StreamableHttpError<WireError>>() {
            Some(StreamableHttpError::Client(WireError::Fetch(error))) => {
                failed(error.clone().into())
            }
            Some(StreamableHttpError::Client(WireError::Forbidden)) => {
                failed(Error::Forbidden { server, scope: String::new() })
            }
            Some(StreamableHttpError::Client(WireError::Moved(place))) => failed(Error::Usage {
                message: format!("{server} has moved to {place}"),
                hint: Some(format!("if you trust that address, use `--server {place}`")),
            }),
            Some(StreamableHttpError::HttpStatus(error)) => self.overloaded(error),
            Some(StreamableHttpError::UnexpectedServerResponse(reason)) => self.not_mcp(reason),
            Some(other) => self.not_mcp(&other.to_string()),
            None => self.not_mcp(&error.to_string()),
        }
    }

    fn overloaded(&self, error: &HttpStatusError) -> Failure {
        let status = StatusCode::from_u16(error.status).unwrap_or_default();
        let wait = error.retry_after.as_deref();
        let wait = wait.map_or(String::new(), |wait| format!(" (Retry-After: {wait})"));
        self.unavailable(format!("it answered {status}{wait}"))
    }

    fn unavailable(&self, reason: String) -> Failure {
        failed(FetchError::Unreachable { url: self.server.clone(), reason }.into())
    }

    fn server_error(&self, ErrorData { code: ErrorCode(code), message, .. }: ErrorData) -> Failure {
        let server = self.server.to_string();
        failed(Error::Server { server, code, message: message.into_owned() })
    }

    fn not_mcp(&self, reason: &str) -> Failure {
        failed(Error::NotMcp { server: self.server.to_string(), reason: reason.to_owned() })
    }
}

fn failed(error: Error) -> Failure {
    Failure::Failed(error)
}

fn refused(is_unauthorized: bool, header: &str) -> Failure {
    let challenge = AuthorizationChallenge::parse(header);
    Failure::Refused(Refusal { is_unauthorized, challenge })
}
