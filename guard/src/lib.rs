//! The guard: sign-in in front of any rmcp server, in a few lines.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use mcp::guard::{Caller, Guard, GuardError, needs};
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
use rmcp::{
    model::{Prompt, Resource, ResourceTemplate, Tool},
    transport::streamable_http_server::StreamableHttpServerConfig,
};
use thiserror::Error;
use tower::{Service, ServiceExt};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use url::Url;

pub use caller::{Caller, Facts, Owner};
pub use declaration::{Declared, hidden_without, needs};
pub use deny_list::Revocations;
pub use error::BearerError;
pub use loopback::is_loopback;
pub use request_state::RequestStates;
pub use stream::Stopping;
pub use tasks::OwnedTasks;

use self::{
    authorization_server::AuthorizationServer, issuer::Issuer, possession::Possession,
    protected_resource::ProtectedResource, requirement::Requirements,
    scope_hierarchy::ScopeHierarchy, sessions::Sessions, site::Site, under_way::UnderWay,
};
use crate::clock::Clock;

/// The guard cannot be built.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The resource identifier is not a URL.
    #[error("the resource identifier {0:?} is not a URL")]
    Resource(String),
    /// Nobody is trusted to issue tokens.
    #[error("a guard needs at least one issuer")]
    NoIssuer,
    /// The HTTP client towards the authorization server cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers")]
    Randomness,
    /// The key for request states is too short.
    #[error("the key for request states needs at least 32 bytes")]
    StateKey,
}

/// What a guard is made of. See the [module](self).
#[derive(Clone, Debug)]
pub struct GuardBuilder {
    resource: String,
    issuers: Vec<String>,
    name: Option<String>,
    documentation: Option<Url>,
    requirements: Requirements,
    hierarchy: ScopeHierarchy,
    hosts: Vec<String>,
    origins: Vec<String>,
    introspection: Option<(String, String)>,
    revocations: Revocations,
    bound_only: bool,
    nonces: bool,
    facade: bool,
    clock: Clock,
}

impl GuardBuilder {
    /// What people call the server (`resource_name`, RFC 9728 §2).
    pub fn with_name(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Where developers read about the server (`resource_documentation`, RFC 9728 §2).
    pub fn with_documentation(self, page: Url) -> Self {
        Self { documentation: Some(page), ..self }
    }

    /// The basic scopes: those that the first challenge and the metadata name, and that
    /// everything needs which declares nothing.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.requirements.basic = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Whoever has `scope` has `implied`, too.
    pub fn with_scope_above<const N: usize>(mut self, scope: &str, implied: [&str; N]) -> Self {
        self.hierarchy.add(scope, implied.map(str::to_owned).to_vec());
        self
    }

    /// Checks the scopes that these tools declare with [`needs`].
    pub fn with_tools(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        tools.into_iter().for_each(|tool| self.requirements.add_tool(&tool));
        self
    }

    /// The same for prompts.
    pub fn with_prompts(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        prompts.into_iter().for_each(|prompt| self.requirements.add_prompt(&prompt));
        self
    }

    /// The same for resources.
    pub fn with_resources(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        resources.into_iter().for_each(|resource| self.requirements.add_resource(&resource));
        self
    }

    /// The same for templates: a resource without a declaration of its own needs what the
    /// template does whose text before the first variable is the longest that fits.
    pub fn with_templates(mut self, all: impl IntoIterator<Item = ResourceTemplate>) -> Self {
        all.into_iter().for_each(|template| self.requirements.add_template(&template));
        self
    }

    /// Further names by which requests may call the server, without port: for a proxy that puts
    /// another name into `Host`. The resource's own is always one.
    pub fn with_hosts(self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { hosts: hosts.into_iter().map(Into::into).collect(), ..self }
    }

    /// Further origins whose pages may call the server, as `https://app.example.com`. The
    /// resource's own is always one; on loopback all of this machine are.
    pub fn with_origins(self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { origins: origins.into_iter().map(Into::into).collect(), ..self }
    }

    /// Accepts opaque tokens of the first issuer too, asking it about each (RFC 7662).
    pub fn with_introspection(self, client_id: &str, client_secret: &str) -> Self {
        Self { introspection: Some((client_id.into(), client_secret.into())), ..self }
    }

    /// What to make of the issuers' lists of revoked tokens; [`Revocations::FailOpen`] unless told
    /// otherwise.
    pub fn with_revocations(self, revocations: Revocations) -> Self {
        Self { revocations, ..self }
    }

    /// Takes only tokens that are bound to a key (DPoP, RFC 9449). Bound ones are always taken,
    /// with a proof.
    pub fn with_bound_tokens_only(self) -> Self {
        Self { bound_only: true, ..self }
    }

    /// Asks for a nonce of this process in each proof (RFC 9449 §9): a proof made in advance is
    /// then worth nothing, and none made for another replica.
    pub fn with_nonces(self) -> Self {
        Self { nonces: true, ..self }
    }

    /// Lets clients of 2025-03-26 sign in, which look for the authorization server at the origin
    /// of the MCP server: its metadata and four endpoints that hand everything on to the first
    /// issuer.
    pub fn with_facade(self) -> Self {
        Self { facade: true, ..self }
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
        let site = Site::new(url.clone(), self.hosts.clone(), &self.origins);
        let resource = ProtectedResource::new(&self, url);
        let mut issuers = Vec::new();
        let mut introspection = self.introspection;
        for identifier in self.issuers {
            let audiences = resource.audiences();
            let following = (self.revocations, &self.clock);
            issuers.push(Issuer::new(identifier, audiences, introspection.take(), following)?);
        }
        let first = issuers.first().ok_or(GuardError::NoIssuer)?;
        Ok(Guard(Arc::new(Inner {
            authorization_server: first.server.clone(),
            resource,
            site,
            issuers,
            possession: Possession::new(self.bound_only, self.nonces)?,
            requirements: self.requirements,
            hierarchy: self.hierarchy,
            sessions: Sessions::default(),
            under_way: UnderWay::default(),
            facade: self.facade,
            clock: self.clock,
        })))
    }
}

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
        GuardBuilder {
            resource: resource.into(),
            issuers: issuers.into_iter().map(Into::into).collect(),
            name: None,
            documentation: None,
            requirements: Requirements::default(),
            hierarchy: ScopeHierarchy::default(),
            hosts: Vec::new(),
            origins: Vec::new(),
            introspection: None,
            revocations: Revocations::default(),
            bound_only: false,
            nonces: false,
            facade: false,
            clock: Clock::system(),
        }
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
        self.require_host(router).layer(from_fn(net::unread_body::drain_unread_body))
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
