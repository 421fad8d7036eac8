//! The guard: sign-in in front of any rmcp server, in a few lines.
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
//!         format!("{} has no notes yet.", caller.shown_name())
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
//! A request passes in one direction: header → token → verified claims → [`Caller`] → scopes →
//! tool. What a tool needs stands beside it ([`needs`]) and is checked before its arguments are
//! read; a tool that declares nothing needs all of the basic scopes.

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
mod issuer;
mod jwks;
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
mod under_way;
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
use tower::{Service, ServiceExt};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use self::{
    authorization_server::AuthorizationServer, issuer::Issuer, possession::Possession,
    protected_resource::ProtectedResource, requirement::Requirements,
    scope_hierarchy::ScopeHierarchy, sessions::Sessions, site::Site, under_way::UnderWay,
};
pub use net::clock::Clock;

pub use self::{
    builder::GuardBuilder,
    caller::{Caller, Facts, Owner},
    declaration::{Declared, hidden_without, needs},
    deny_list::Revocations,
    error::GuardError,
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
    issuers: Vec<Issuer>,
    possession: Possession,
    requirements: Requirements,
    hierarchy: ScopeHierarchy,
    sessions: Sessions,
    under_way: UnderWay,
    facade: bool,
    clock: Clock,
}

impl Guard {
    /// A guard for the server at `resource`, the exact URL that people type, which trusts tokens
    /// of `issuers`.
    #[expect(clippy::new_ret_no_self, reason = "a guard reads best when it starts with its name")]
    pub fn new(
        resource: &str,
        issuers: impl IntoIterator<Item = impl Into<String>>,
    ) -> GuardBuilder {
        GuardBuilder::new(resource.into(), issuers.into_iter().map(Into::into).collect())
    }

    /// How rmcp serves behind this guard: sessions for older clients, plain JSON where that is
    /// enough, and no check of host and origin, because the guard has checked both.
    pub fn transport(&self) -> StreamableHttpServerConfig {
        StreamableHttpServerConfig::default()
            .with_json_response(true)
            .disable_allowed_hosts()
            .disable_allowed_origins()
    }

    /// A router that serves `service` at the resource's path, with and without a slash at the end,
    /// to callers with a good token only, and the metadata that tells clients where to get one.
    ///
    /// Routers of several guards merge: each resource of a host has its own metadata. A copy stands
    /// at the root of the host, for clients that look nowhere else: that of the guard with the
    /// [facade](GuardBuilder::with_facade), which only one of a host can have, or else that of the
    /// router that is merged last, unless you have a fallback of your own.
    pub fn protect<S>(self, service: S) -> Router
    where
        S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        let well_known = protected_resource::WELL_KNOWN;
        let path = self.0.resource.path().trim_end_matches('/');
        let mut guarded = Router::new().route_service(&format!("{path}/"), service.clone());
        let mut metadata =
            Router::new().route(&format!("{well_known}{path}"), get(protected_resource::get));
        if !path.is_empty() {
            let with_slash = format!("{well_known}{path}/");
            guarded = guarded.route_service(path, service);
            metadata = metadata.route(&with_slash, get(protected_resource::get));
            if self.0.facade {
                metadata = metadata.route(well_known, get(protected_resource::get));
            }
        }
        let guarded = guarded
            // Not `layer`, which would ask for a token where there is nothing to protect.
            .route_layer(from_fn_with_state(self.clone(), admission::admit))
            .layer(self.cors());
        let router = guarded.merge(metadata.layer(documents_cors()));
        let router = if self.0.facade { router.merge(facade::router()) } else { router };
        let router = router.with_state(self.clone()).merge(self.clone().root());
        // Some clients send head and body apart, and lose a refusal that comes between the two.
        self.require_host(router).layer(from_fn(drain_unread_body))
    }

    /// The metadata at the root of the host. It is no route, because two routers with the same
    /// route do not merge; two with a layer around axum's own fallback do.
    fn root(self) -> Router {
        let root = Router::new()
            .route(protected_resource::WELL_KNOWN, get(protected_resource::get))
            .layer(documents_cors())
            .with_state(self);
        Router::new().layer(from_fn_with_state(root, answer_at_root))
    }

    /// The same check of `Host` headers and request lines for further routes as those of
    /// [`Guard::protect`] have: a request that could be meant for two servers is answered 400.
    pub fn require_host(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, site::require_host))
    }

    /// Where clients are sent, and the facade hands requests on to: the first issuer.
    fn authorization_server(&self) -> &AuthorizationServer {
        &self.0.authorization_server
    }

    /// Pages of allowed origins may call; they send a token, never a cookie.
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

/// The documents are for everybody.
fn documents_cors() -> CorsLayer {
    CorsLayer::new().allow_origin(Any).allow_headers(Any)
}
