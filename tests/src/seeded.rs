//! A small MCP server with its own authorization server, right in everything except one thing: the
//! subject of the check whose name it is started with.
//!
//! It exists for `client doctor`, which must find that one thing and invent nothing.

mod authorization;
mod documents;
mod resource;
mod token;

use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// The running server. It stops when it is dropped.
pub struct Seeded {
    /// The MCP server.
    pub server: String,
    /// The authorization server.
    pub issuer: String,
    task: JoinHandle<()>,
}

/// What the handlers share.
pub(crate) struct Flawed {
    origin: String,
    flaw: &'static str,
    memory: Mutex<Memory>,
}

/// What has been given out.
#[derive(Default)]
struct Memory {
    clients: HashMap<String, Vec<String>>,
    codes: HashSet<String>,
    access_tokens: HashSet<String>,
    /// Each refresh token, and its successor once it was used.
    refresh_tokens: HashMap<String, Option<String>>,
    is_revoked: bool,
    number: u32,
}

type Shared = State<Arc<Flawed>>;

impl Seeded {
    /// Starts a server that fails the check called `flaw`; with an empty name, one without a flaw.
    pub async fn start(flaw: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let origin = format!("http://localhost:{port}");
        let flawed = Arc::new(Flawed { origin: origin.clone(), flaw, memory: Mutex::default() });
        let router = router(flawed);
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the server serves");
        });
        Self { server: format!("{origin}/mcp"), issuer: origin, task }
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(flawed: Arc<Flawed>) -> Router {
    Router::new()
        .route("/mcp", any(resource::mcp))
        .route("/.well-known/oauth-protected-resource", get(documents::resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(documents::resource))
        .route("/.well-known/oauth-authorization-server", get(documents::server))
        .route("/.well-known/openid-configuration", get(documents::server))
        .route("/jwks", get(documents::keys))
        .route("/register", post(authorization::register))
        .route("/authorize", get(authorization::authorize))
        .route("/token", post(token::token))
        .route("/revoke", post(token::revoke))
        .layer(from_fn_with_state(Arc::clone(&flawed), headers))
        .with_state(flawed)
}

impl Flawed {
    /// Whether the flaw is this one.
    fn is(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The issuer as the authorization server calls itself.
    fn issuer(&self) -> String {
        match self.flaw {
            "issuer.own_slash" | "issuer.no_trailing_slash" => self.at("/"),
            "issuer.same" => self.at("/other"),
            "issuer.well_formed" => self.at("?tenant=1"),
            _ => self.origin.clone(),
        }
    }
}

impl Memory {
    /// A name that was not given out before.
    fn fresh(&mut self, kind: &str) -> String {
        self.number += 1;
        format!("{kind}-{}", self.number)
    }
}

/// What every answer carries, and what browsers ask beforehand.
async fn headers(State(flawed): Shared, request: Request, next: Next) -> Response {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let unreadable = match flawed.flaw {
        "cors.resource" => path.contains("oauth-protected-resource"),
        "cors.server" => path.contains("authorization-server") || path.contains("openid"),
        "cors.register" => path == "/register",
        "cors.token" => path == "/token",
        _ => false,
    };
    let is_closed = path == "/authorize" && !flawed.is("cors.authorize");
    let is_refused = path == "/mcp" && flawed.is("cors.mcp");
    let is_preflight = method == Method::OPTIONS && !is_refused;
    let mut response = match is_preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    if !unreadable && !is_closed {
        set(&mut response, "access-control-allow-origin", "*");
        set(&mut response, "access-control-allow-headers", ALLOWED_HEADERS);
        if !flawed.is("cors.exposed") {
            set(&mut response, "access-control-expose-headers", "WWW-Authenticate, Mcp-Session-Id");
        }
    }
    if flawed.is("clock.skew") {
        set(&mut response, "date", "Tue, 25 Nov 2025 00:00:00 GMT");
    }
    response
}

const ALLOWED_HEADERS: &str =
    "authorization, content-type, accept, mcp-protocol-version, mcp-session-id";

fn set(response: &mut Response, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("a header");
    response.headers_mut().insert(HeaderName::from_static(name), value);
}

/// JSON that caches must forget, unless `is_stored`.
fn unstored(status: u16, json: Value, is_stored: bool) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = (status, Json(json)).into_response();
    if !is_stored {
        set(&mut response, "cache-control", "no-store");
    }
    response
}
