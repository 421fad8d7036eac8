//! The guard: sign-in in front of any rmcp server, in a few lines.
//!
//! ```no_run
//! # use mcp::guard::{Guard, GuardError};
//! # fn protect<S>(my_mcp_service: S) -> Result<axum::Router, GuardError>
//! # where
//! #     S: tower::Service<axum::extract::Request, Error = std::convert::Infallible>
//! #         + Clone + Send + Sync + 'static,
//! #     S::Response: axum::response::IntoResponse,
//! #     S::Future: Send + 'static,
//! # {
//! let router = Guard::new("https://mcp.example.com/mcp", "https://auth.example.com")
//!     .with_scopes(["mcp:tools", "profile"])
//!     .build()?
//!     .protect(my_mcp_service);
//! # Ok(router)
//! # }
//! ```
//!
//! Serve rmcp with `with_legacy_session_mode(false)` and `with_json_response(true)`: then the answer
//! waits for the tool, and a tool that calls [`Caller::require`] can still turn it into a 403.
//!
//! A request passes in one direction: header → token → verified claims → [`Caller`] → tool.

mod authorization_server;
mod bearer;
mod caller;
mod challenge;
mod error;
mod jwks;
mod opaque;
mod protected_resource;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, Method, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use keys::Verifier;
use reqwest::redirect::Policy;
use thiserror::Error;
use tower::Service;
use tower_http::cors::{Any, CorsLayer};
use url::Url;

pub use caller::Caller;
pub use error::BearerError;
pub use protected_resource::is_loopback;

use self::{
    authorization_server::AuthorizationServer, bearer::BearerToken, caller::MissingScope,
    challenge::Challenge, jwks::KeyCache, opaque::Introspection,
    protected_resource::ProtectedResource,
};
use crate::clock::Clock;

/// The guard cannot be built.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The resource identifier is not a URL.
    #[error("the resource identifier {0:?} is not a URL")]
    Resource(String),
    /// The HTTP client towards the authorization server cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// What a guard is made of. See the [module](self).
#[derive(Clone, Debug)]
pub struct GuardBuilder {
    resource: String,
    issuer: String,
    name: Option<String>,
    scopes: Vec<String>,
    introspection: Option<(String, String)>,
    clock: Clock,
}

impl GuardBuilder {
    /// What people call the server (`resource_name`, RFC 9728 §2).
    pub fn with_name(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The basic scopes: those that the first challenge and the metadata name.
    pub fn with_scopes<const N: usize>(self, scopes: [&str; N]) -> Self {
        Self { scopes: scopes.map(str::to_owned).to_vec(), ..self }
    }

    /// Accepts opaque tokens too, asking the authorization server about each (RFC 7662).
    pub fn with_introspection(self, client_id: &str, client_secret: &str) -> Self {
        Self { introspection: Some((client_id.into(), client_secret.into())), ..self }
    }

    /// Uses another clock than the machine's.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Builds the guard. Nothing is fetched until the first token comes, so the server starts
    /// even while its authorization server is down.
    pub fn build(self) -> Result<Guard, GuardError> {
        let url =
            Url::parse(&self.resource).map_err(|_| GuardError::Resource(self.resource.clone()))?;
        let http = http_client(&self.issuer)?;
        let server = Arc::new(AuthorizationServer::new(http, self.issuer.clone()));
        let resource = ProtectedResource::new(&self, url);
        let introspection = self.introspection.map(|(id, secret)| {
            Introspection::new(server.clone(), (id, secret), resource.audiences())
        });
        Ok(Guard(Arc::new(Inner {
            verifier: Verifier::new(self.issuer, resource.audiences()),
            keys: KeyCache::new(server, self.clock.clone()),
            introspection,
            resource,
            clock: self.clock,
        })))
    }
}

/// Puts sign-in in front of an MCP server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    resource: ProtectedResource,
    verifier: Verifier,
    keys: Arc<KeyCache>,
    introspection: Option<Introspection>,
    clock: Clock,
}

impl Guard {
    /// A guard for the server at `resource`, the exact URL that people type, which trusts tokens
    /// of `issuer`.
    #[expect(clippy::new_ret_no_self, reason = "a guard reads best when it starts with its name")]
    pub fn new(resource: &str, issuer: &str) -> GuardBuilder {
        GuardBuilder {
            resource: resource.into(),
            issuer: issuer.into(),
            name: None,
            scopes: Vec::new(),
            introspection: None,
            clock: Clock::system(),
        }
    }

    /// A router that serves `service` at the resource's path, to callers with a good token only,
    /// and the metadata that tells clients where to get one.
    pub fn protect<S>(self, service: S) -> Router
    where
        S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        let path = self.0.resource.path().to_owned();
        let root = "/.well-known/oauth-protected-resource";
        let mut router = Router::new()
            .route_service(&path, service)
            // Not `layer`, which would ask for a token where there is nothing to protect.
            .route_layer(from_fn_with_state(self.clone(), check))
            .route(root, get(protected_resource::get));
        if path != "/" {
            router = router.route(&format!("{root}{path}"), get(protected_resource::get));
        }
        router.layer(cors()).with_state(self)
    }

    /// Who sends `token`, once it has passed every check.
    async fn authenticate(&self, token: &BearerToken) -> Result<Caller, BearerError> {
        let now = self.0.clock.now();
        if !token.is_jwt() {
            let introspection = self.0.introspection.as_ref();
            return introspection.ok_or(BearerError::Opaque)?.caller(token, now).await;
        }
        let kid = Verifier::key_id(token.expose()).map_err(BearerError::Refused)?;
        let keys = self.0.keys.holding(&kid).await?;
        let claims = self.0.verifier.verify(token.expose(), &keys, now);
        claims.map(Caller::from_claims).map_err(BearerError::Refused)
    }
}

/// The middleware: before anything else is looked at, the caller must be known.
async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let challenge = guard.0.resource.challenge(request.headers());
    let identified = match presented(&request) {
        Ok(token) => guard.authenticate(&token).await,
        Err(error) => Err(error),
    };
    let caller = match identified {
        Ok(caller) => caller,
        Err(error) => return challenge.refuse(&error),
    };
    let missing = MissingScope::default();
    request.extensions_mut().insert(caller.with_slot(missing.clone()));
    let response = next.run(request).await;
    match missing.take() {
        Some(scopes) => challenge.refuse(&BearerError::InsufficientScope(scopes)),
        None => response,
    }
}

fn presented(request: &Request) -> Result<BearerToken, BearerError> {
    bearer::refuse_doubled(request.headers())?;
    BearerToken::of(request.headers(), request.uri())
}

/// Browser clients may call from anywhere: they send a token, never a cookie.
fn cors() -> CorsLayer {
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            name("mcp-protocol-version"),
            name("mcp-session-id"),
            name("mcp-method"),
            name("mcp-name"),
            name("last-event-id"),
        ])
        .expose_headers([
            header::WWW_AUTHENTICATE,
            name("mcp-session-id"),
            name("mcp-protocol-version"),
        ])
        .max_age(Duration::from_secs(3600))
}

fn http_client(issuer: &str) -> Result<reqwest::Client, reqwest::Error> {
    let mut http = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(5));
    if Url::parse(issuer).is_ok_and(|url| is_loopback(&url)) {
        http = http.no_proxy();
    }
    http.build()
}
