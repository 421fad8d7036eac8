//! Sign-in in front of any MCP server, in a few lines.
//!
//! A guard verifies access tokens locally and tells the server who calls. Tools declare the scopes
//! that they need with [`needs`]; a tool that declares nothing needs all basic scopes.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use portcullis_guard::{Caller, Guard, GuardError, needs};
//! # use rmcp::{ServerHandler, tool, tool_handler, tool_router};
//! # use rmcp::transport::streamable_http_server::{
//! #     StreamableHttpService, session::local::LocalSessionManager,
//! # };
//! # struct Notes;
//! #[tool_router]
//! impl Notes {
//!     #[tool(description = "Counts your notes", meta = needs(["notes:read"]))]
//!     async fn count(&self, caller: Caller) -> String {
//!         format!("{} has no notes yet.", caller.display_name())
//!     }
//! }
//! # #[tool_handler(name = "notes", version = "1.0.0")]
//! # impl ServerHandler for Notes {}
//! # fn router() -> Result<axum::Router, GuardError> {
//! let guard = Guard::new("https://mcp.example.com/mcp", ["https://auth.example.com"])
//!     .with_scopes(["notes:read", "profile"])
//!     .with_tools(Notes::tool_router().list_all())
//!     .build()?;
//! let sessions = Arc::new(LocalSessionManager::default());
//! let service = StreamableHttpService::new(|| Ok(Notes), sessions, guard.transport());
//! let router = guard.protect(service);
//! # Ok(router)
//! # }
//! ```
//!
//! Routes of your own take the same tokens with [`Guard::layer`]. Without a token, the answer says
//! where to get one:
//!
//! ```
//! # use axum::{Router, body::Body, http::Request, routing::get};
//! # use portcullis_guard::{Caller, Guard};
//! # use tower::ServiceExt;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let guard = Guard::new("https://notes.example.com", ["https://auth.example.com"])
//!     .with_scopes(["notes:read"])
//!     .build()?;
//! let router = Router::new()
//!     .route("/notes", get(async |caller: Caller| format!("notes of {}", caller.subject)))
//!     .layer(guard.layer())
//!     .merge(guard.metadata());
//!
//! let request = Request::get("/notes").header("host", "notes.example.com").body(Body::empty())?;
//! let response = router.oneshot(request).await?;
//! assert_eq!(response.status(), 401);
//! let challenge = response.headers()["www-authenticate"].to_str()?;
//! assert!(challenge.starts_with("Bearer scope=\"notes:read\", resource_metadata="));
//! # Ok(())
//! # }
//! ```
//!
//! A request passes these checks in order: header, token, revocation, proof of possession, host and
//! origin, session, limits, operation, scopes. The server then gets the [`Caller`] instead of the
//! token.

mod admission;
mod authorization_server;
mod bearer;
mod builder;
mod caller;
mod challenge;
mod declaration;
mod deny_list;
mod digest;
mod error;
mod events;
mod facade;
mod in_progress;
mod issuer;
mod jwks;
mod layer;
mod loopback;
mod message;
mod opaque;
mod operation;
mod possession;
mod protected_resource;
mod refusal;
mod request_state;
mod requirement;
mod scope_hierarchy;
mod sessions;
mod site;
mod stream;
mod tasks;
mod verified_tokens;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use net::unread_body::drain_unread_body;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use self::{
    authorization_server::AuthorizationServer, in_progress::InProgress, issuer::Issuers,
    possession::Possession, protected_resource::ProtectedResource, requirement::Requirements,
    sessions::Sessions, site::Site,
};
pub use keys::Profile;
pub use net::clock::Clock;

pub use self::{
    admission::NeedsScopes,
    builder::GuardBuilder,
    caller::{Caller, CallerClaims, Owner},
    declaration::{Declared, hidden_without, needs},
    deny_list::{Revocations, UnknownRevocations},
    error::GuardError,
    layer::{GuardLayer, Guarded},
    request_state::RequestStates,
    stream::Stopping,
    tasks::OwnedTasks,
};

/// Puts sign-in in front of an MCP server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authorization_server: Arc<AuthorizationServer>,
    resource: ProtectedResource,
    site: Site,
    issuers: Issuers,
    possession: Possession,
    requirements: Requirements,
    sessions: Sessions,
    in_progress: InProgress,
    facade: bool,
    clock: Clock,
}

impl Guard {
    /// Starts a guard for the resource at `resource`, the exact URL that clients are given. It
    /// accepts tokens of `issuers` and sends clients to the first of them.
    #[expect(clippy::new_ret_no_self, reason = "a guard reads best when it starts with its name")]
    pub fn new(
        resource: &str,
        issuers: impl IntoIterator<Item = impl Into<String>>,
    ) -> GuardBuilder {
        GuardBuilder::new(resource.into(), issuers.into_iter().map(Into::into).collect())
    }

    /// The configuration for rmcp behind this guard: sessions for older clients, plain JSON where it
    /// is enough, and no check of host and origin, because the guard does both.
    pub fn transport(&self) -> StreamableHttpServerConfig {
        StreamableHttpServerConfig::default()
            .with_json_response(true)
            .disable_allowed_hosts()
            .disable_allowed_origins()
    }

    /// A router that serves the MCP server `service` to authenticated callers at the path of the
    /// resource, with and without a trailing slash, and the [metadata](Self::metadata) to everyone.
    ///
    /// Routers of several guards on one host can be merged, because each resource has its own
    /// metadata. Clients that look only at the root of the host get the metadata of the guard with
    /// the [facade](GuardBuilder::with_facade), which only one guard of a host can have. If there is
    /// none, they get that of the router that was merged last, unless you have a fallback.
    pub fn protect<S>(self, service: S) -> Router
    where
        S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        // Not axum's `from_fn`, which allocates three times for each request.
        let guard = self.clone();
        let admission = service_fn(move |request| {
            let (guard, service) = (guard.clone(), service.clone());
            async move { Ok(guard.admit(request, service).await) }
        });
        let admission = self.cors().layer(admission);
        let guard = self.clone();
        let service = service_fn(move |request| guard.clone().enter(request, admission.clone()));
        let path = self.0.resource.path().trim_end_matches('/');
        let mut guarded = Router::new().route_service(&format!("{path}/"), service.clone());
        if !path.is_empty() {
            guarded = guarded.route_service(path, service);
        }
        // Some clients send head and body apart, and lose a refusal that comes in between.
        let metadata = self.metadata();
        guarded.merge(self.require_host(metadata).layer(from_fn(drain_unread_body)))
    }

    /// A layer that protects HTTP services of your own, such as axum routes. Serve the
    /// [metadata](Self::metadata) too, unless [`protect`](Self::protect) does.
    pub fn layer(&self) -> GuardLayer {
        GuardLayer::new(self.clone(), self.0.requirements.basic.clone())
    }

    /// A router with the documents that tell clients where to get a token: the metadata of the
    /// resource (RFC 9728 §3) and, with a facade, that of the authorization server.
    pub fn metadata(&self) -> Router {
        let well_known = protected_resource::WELL_KNOWN;
        let path = self.0.resource.path().trim_end_matches('/');
        let mut metadata =
            Router::new().route(&format!("{well_known}{path}"), get(protected_resource::get));
        if !path.is_empty() {
            let with_slash = format!("{well_known}{path}/");
            metadata = metadata.route(&with_slash, get(protected_resource::get));
            if self.0.facade {
                metadata = metadata.route(well_known, get(protected_resource::get));
            }
        }
        let mut router = metadata.layer(metadata_cors());
        if self.0.facade {
            router = router.merge(facade::router());
        }
        router.with_state(self.clone()).merge(self.root_metadata())
    }

    /// The metadata at the root of the host. It is not a route, because routers with the same route
    /// cannot be merged; routers with a layer around axum's own fallback can.
    fn root_metadata(&self) -> Router {
        let root = Router::new()
            .route(protected_resource::WELL_KNOWN, get(protected_resource::get))
            .layer(metadata_cors())
            .with_state(self.clone());
        Router::new().layer(from_fn_with_state(root, answer_at_root))
    }

    /// Adds to other routes the check that [`protect`](Self::protect) makes first: a request that
    /// could be meant for two servers is answered 400.
    pub fn require_host(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, site::require_host))
    }

    /// The first issuer, which clients are sent to and the facade forwards to.
    fn authorization_server(&self) -> &AuthorizationServer {
        &self.0.authorization_server
    }

    /// Lets pages of allowed origins call. They send a token, never a cookie.
    fn cors(&self) -> CorsLayer {
        let guard = self.clone();
        let name = HeaderName::from_static;
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| {
                guard.0.site.allows_origin(origin)
            }))
            .allow_methods([Method::GET, Method::POST, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::ACCEPT,
                name("dpop"),
                name("mcp-protocol-version"),
                name("mcp-session-id"),
                name("mcp-method"),
                name("mcp-name"),
                name("last-event-id"),
            ])
            .expose_headers([
                header::WWW_AUTHENTICATE,
                name("dpop-nonce"),
                name("mcp-session-id"),
                name("mcp-protocol-version"),
            ])
            .max_age(Duration::from_secs(3600))
    }
}

async fn answer_at_root(State(root): State<Router>, request: Request, next: Next) -> Response {
    if request.uri().path() != protected_resource::WELL_KNOWN {
        return next.run(request).await;
    }
    root.oneshot(request).await.into_response()
}

/// Pages of every origin may read the metadata.
fn metadata_cors() -> CorsLayer {
    CorsLayer::new().allow_origin(Any).allow_headers(Any)
}
