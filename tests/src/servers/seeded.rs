//! A small MCP server with its own authorization server, for `client doctor`: it is right in
//! everything except one thing, the subject of the check whose name it is started with.
//!
//! Started with the name of one of [`VARIANTS`] it is right throughout, but in another way than most
//! servers are. The doctor must find nothing wrong with it.

mod authorization;
mod documents;
mod registration;
mod resource;
mod token;
mod variants;

pub use self::variants::{VARIANTS, Variant};

use std::{
    collections::{HashMap, HashSet},
    io::Write,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, delete, get, post},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// The running server. It stops when it is dropped.
pub struct Seeded {
    pub server: String,
    pub issuer: String,
    flawed: Arc<Flawed>,
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
    clients: HashMap<String, Client>,
    /// How many clients were ever registered, and how many were deleted again.
    registered: usize,
    deleted: usize,
    /// How many requests came to `/register`.
    registrations_asked: usize,
    /// How many came to `/authorize`.
    authorizations_asked: u32,
    codes: HashSet<String>,
    access_tokens: HashSet<String>,
    /// Each refresh token, and its successor once it was used.
    refresh_tokens: HashMap<String, Option<String>>,
    is_revoked: bool,
    number: u32,
}

#[derive(Clone, Default)]
struct Client {
    redirect_uris: Vec<String>,
    /// What it must send to the token endpoint, if it is not public.
    secret: Option<String>,
}

/// How often clients were registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Requests to register one.
    pub asked: usize,
    /// Clients that were registered.
    pub accepted: usize,
    /// Clients that were deleted again.
    pub deleted: usize,
}

type Shared = State<Arc<Flawed>>;

impl Seeded {
    /// Starts a server that fails the check called `flaw`, or the variant of that name; with an empty
    /// name, one without a flaw.
    pub async fn start(flaw: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let origin = format!("http://localhost:{port}");
        let flawed = Arc::new(Flawed { origin: origin.clone(), flaw, memory: Mutex::default() });
        let router = router(Arc::clone(&flawed));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the server serves");
        });
        Self { server: format!("{origin}/mcp"), issuer: origin, flawed, task }
    }

    /// How often clients were registered so far.
    pub fn registered(&self) -> Registered {
        let memory = self.flawed.memory();
        Registered {
            asked: memory.registrations_asked,
            accepted: memory.registered,
            deleted: memory.deleted,
        }
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
        .route("/register", post(registration::register))
        .route("/register/{client_id}", delete(registration::unregister))
        .route("/authorize", get(authorization::authorize))
        .route("/login", get(authorization::login))
        .route("/.well-known/oauth-authorization-server/tenant", get(documents::server))
        .route("/tenant/.well-known/openid-configuration", get(documents::server))
        .route("/token", post(token::token))
        .route("/revoke", post(token::revoke))
        .layer(from_fn_with_state(Arc::clone(&flawed), headers))
        .with_state(flawed)
}

impl Flawed {
    /// Whether the flaw, or the variant, is this one.
    fn is(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }

    fn is_one_of(&self, flaws: &[&str]) -> bool {
        flaws.contains(&self.flaw)
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
            "issuer.expected" => self.origin.replace("localhost", "127.0.0.1"),
            "tenant" => self.at("/tenant"),
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
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let origin = request.headers().get("origin").and_then(|origin| origin.to_str().ok());
    let origin = origin.map(str::to_owned);
    let unreadable = match flawed.flaw {
        "cors.resource" => path.contains("oauth-protected-resource"),
        "cors.server" => path.contains("authorization-server") || path.contains("openid"),
        "cors.register" => path == "/register",
        "cors.token" => path == "/token",
        _ => false,
    };
    let is_closed = path == "/authorize" && !flawed.is("cors.authorize");
    let is_refused = path == "/mcp" && flawed.is("cors.mcp")
        // Its pages send plain forms there, about which browsers ask nothing.
        || path == "/token" && flawed.is("wildcards");
    let is_preflight = method == Method::OPTIONS && !is_refused;
    let is_missing = match flawed.flaw {
        "authorize.answers" => path == "/authorize",
        "token.answers" => path == "/token",
        "registration.answers" => path.starts_with("/register"),
        _ => false,
    };
    if flawed.is("guards_origin") && origin.is_some() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = if is_missing {
        StatusCode::NOT_FOUND.into_response()
    } else if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    if flawed.is("compressed") && response.status() != StatusCode::NO_CONTENT {
        response = compressed(response).await;
    }
    if !unreadable && !is_closed && !is_missing {
        let is_wild = flawed.is_one_of(&["wildcards", "cors.authorization_named"]);
        let allowed = if is_wild { "*" } else { ALLOWED_HEADERS };
        let echoed = origin.filter(|_| flawed.is("echoed_origin"));
        set(&mut response, "access-control-allow-origin", echoed.as_deref().unwrap_or("*"));
        set(&mut response, "access-control-allow-headers", allowed);
        if flawed.is("wildcards") {
            set(&mut response, "access-control-expose-headers", "*");
        } else if !flawed.is("cors.exposed") {
            set(&mut response, "access-control-expose-headers", "WWW-Authenticate, Mcp-Session-Id");
        }
    }
    match flawed.flaw {
        "clock.skew" => set(&mut response, "date", "Tue, 25 Nov 2025 00:00:00 GMT"),
        // A cache in front of the documents has kept them for a while.
        "cached" if path.contains(".well-known") => {
            set(&mut response, "date", "Tue, 25 Nov 2025 00:00:00 GMT");
        }
        _ => {}
    }
    response
}

/// The answer with its body in gzip.
async fn compressed(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, MAX_BODY).await.expect("a body");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&body).expect("written");
    head.headers.remove("content-length");
    head.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    Response::from_parts(head, encoder.finish().expect("compressed").into())
}

/// No answer of this server is longer.
const MAX_BODY: usize = 1024 * 1024;
const ALLOWED_HEADERS: &str =
    "authorization, content-type, accept, mcp-protocol-version, mcp-session-id";

fn set(response: &mut Response, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("a header");
    response.headers_mut().insert(HeaderName::from_static(name), value);
}

/// The answer to a request too many.
fn too_many() -> Response {
    unstored(429, serde_json::json!({"error": "too_many_requests"}), false)
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
