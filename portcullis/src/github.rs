//! A stand-in for GitHub: the endpoints that sign-in uses, with GitHub's own names and error shapes.
//!
//! It signs in anyone, so it is for loopback alone. Its page lets a person choose or type a
//! user; the first is Nick Lucas, who is in the team `platform` of the organisation `acme`.
#![expect(missing_docs, reason = "most names are GitHub's")]

mod memberships;
mod page;

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, Mutex, PoisonError},
};

pub use self::memberships::{Membership, Restriction};

use axum::{
    Form, Json, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

/// Client id of the one OAuth app that the stand-in knows.
pub const CLIENT_ID: &str = "portcullis-stand-in";
/// Its secret. It protects nothing: the stand-in signs in anybody.
pub const CLIENT_SECRET: &str = "stand-in-secret";

/// A person at the stand-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub login: String,
    pub name: String,
    pub email: String,
}

impl User {
    pub fn nick_lucas() -> Self {
        Self::named(583_231, "nick-lucas", "Nick Lucas")
    }

    pub fn ada_park() -> Self {
        Self::named(902_114, "ada-park", "Ada Park")
    }

    fn named(id: u64, login: &str, name: &str) -> Self {
        let email = format!("{login}@example.com");
        Self { id, login: login.into(), name: name.into(), email }
    }

    /// Whether the address is verified: anybody's is whose user name does not say otherwise.
    fn is_verified(&self) -> bool {
        !self.login.starts_with("unverified")
    }

    /// The person of a typed name: the same name gives the same person.
    fn typed(name: &str) -> Self {
        let name_in_lower_case = name.to_lowercase();
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == ' ';
        let login = name_in_lower_case.chars().filter(plain).collect::<String>();
        let login = login.trim().replace(' ', "-");
        let id = name.bytes().fold(7_u64, |id, byte| id.wrapping_mul(31) + u64::from(byte));
        Self::named(1_000_000 + id % 1_000_000_000, &login, name.trim())
    }
}

/// A sign-in between the page and the exchange.
#[derive(Debug)]
struct Pending {
    user: User,
    redirect_uri: String,
    code_challenge: Option<String>,
    scope: String,
}

/// The stand-in itself. Clones are the same one, so a test can change it while it serves.
#[derive(Clone, Debug)]
pub struct StandIn(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    codes: HashMap<String, Pending>,
    tokens: HashMap<String, Authorized>,
    memberships: HashMap<(String, String), Membership>,
    restrictions: HashMap<String, Restriction>,
    suspended: HashSet<String>,
    fault: Fault,
}

/// Whom a token speaks for, and what it may read.
#[derive(Clone, Debug)]
struct Authorized {
    user: User,
    scope: String,
}

/// What is wrong with the whole of the stand-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Every request is answered with 503.
    Outage,
    /// The API answers 403, as GitHub does to an app that has asked too often.
    RateLimit,
}

#[derive(Debug, Deserialize, Serialize)]
struct AuthorizeQuery {
    client_id: String,
    redirect_uri: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    scope: String,
    code_challenge: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(flatten)]
    query: AuthorizeQuery,
    user: String,
    #[serde(default)]
    typed: String,
}

#[derive(Debug, Deserialize)]
struct Exchange {
    client_id: String,
    client_secret: String,
    code: String,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

/// Serves a stand-in until the task is dropped.
pub async fn serve(listener: TcpListener, stand_in: StandIn) -> io::Result<()> {
    let router = Router::new()
        .route("/login/oauth/authorize", get(authorize).post(choose))
        .route("/login/oauth/access_token", post(exchange))
        .route("/user", get(user))
        .route("/user/emails", get(emails))
        .route("/user/memberships/orgs/{organisation}", get(memberships::of_organisation))
        .route("/orgs/{organisation}/teams/{team}/memberships/{login}", get(memberships::of_team))
        .layer(from_fn_with_state(stand_in.clone(), faulty))
        .with_state(stand_in);
    axum::serve(listener, router).await
}

async fn faulty(State(stand_in): State<StandIn>, request: Request, next: Next) -> Response {
    let is_api = !request.uri().path().starts_with("/login/");
    match stand_in.with(|inner| inner.fault) {
        Fault::Outage => {
            let body = json!({"message": "We couldn't respond to your request in time."});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
        Fault::RateLimit if is_api => {
            let body = json!({"message": "API rate limit exceeded for user ID 583231."});
            (StatusCode::FORBIDDEN, [("x-ratelimit-remaining", "0")], Json(body)).into_response()
        }
        _ => next.run(request).await,
    }
}

async fn authorize(Query(query): Query<AuthorizeQuery>) -> Response {
    if query.client_id == CLIENT_ID {
        Html(page::choose_user(&query)).into_response()
    } else {
        (StatusCode::NOT_FOUND, "Not Found").into_response()
    }
}

async fn choose(State(stand_in): State<StandIn>, Form(choice): Form<Choice>) -> Response {
    let Ok(mut location) = Url::parse(&choice.query.redirect_uri) else {
        return (StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let user = match choice.user.as_str() {
        "deny" => {
            location
                .query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user has denied your application access.")
                .append_pair("state", &choice.query.state);
            return Redirect::to(location.as_str()).into_response();
        }
        "nick-lucas" => User::nick_lucas(),
        "ada-park" => User::ada_park(),
        _ => User::typed(&choice.typed),
    };
    let code = Uuid::new_v4().simple().to_string();
    location.query_pairs_mut().append_pair("code", &code).append_pair("state", &choice.query.state);
    let AuthorizeQuery { redirect_uri, code_challenge, scope, .. } = choice.query;
    let pending = Pending { user, redirect_uri, code_challenge, scope };
    stand_in.with(|inner| inner.codes.insert(code, pending));
    Redirect::to(location.as_str()).into_response()
}

async fn exchange(State(stand_in): State<StandIn>, Form(exchange): Form<Exchange>) -> Json<Value> {
    let refused = |error: &str, description: &str| {
        Json(json!({"error": error, "error_description": description,
            "error_uri": "https://docs.github.com/apps/oauth"}))
    };
    if exchange.client_id != CLIENT_ID || exchange.client_secret != CLIENT_SECRET {
        let description = "The client_id and/or client_secret passed are incorrect.";
        return refused("incorrect_client_credentials", description);
    }
    let pending = stand_in.with(|inner| inner.codes.remove(&exchange.code));
    let Some(pending) = pending.filter(|pending| proves(&exchange, pending)) else {
        let description = "The code passed is incorrect or expired.";
        return refused("bad_verification_code", description);
    };
    let token = format!("gho_{}", Uuid::new_v4().simple());
    let Pending { user, scope, .. } = pending;
    let answer = json!({"access_token": token, "scope": scope.replace(' ', ","),
        "token_type": "bearer"});
    stand_in.with(|inner| inner.tokens.insert(token, Authorized { user, scope }));
    Json(answer)
}

fn proves(exchange: &Exchange, pending: &Pending) -> bool {
    let digest = |verifier: &str| {
        use sha2::Digest;
        URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()))
    };
    let same_redirect =
        exchange.redirect_uri.as_ref().is_none_or(|uri| *uri == pending.redirect_uri);
    let proof = exchange.code_verifier.as_deref().map(digest);
    same_redirect && proof == pending.code_challenge
}

async fn user(State(stand_in): State<StandIn>, headers: HeaderMap) -> Response {
    match stand_in.authorized(&headers) {
        Ok(Authorized { user, .. }) => Json(json!({
            "id": user.id, "login": user.login, "name": user.name, "type": "User", "email": null,
            "avatar_url": format!("https://avatars.example.com/u/{}", user.id),
        }))
        .into_response(),
        Err((status, message)) => refusal(status, message),
    }
}

async fn emails(State(stand_in): State<StandIn>, headers: HeaderMap) -> Response {
    match stand_in.authorized(&headers) {
        Ok(Authorized { user, .. }) => Json(json!([
            {"email": format!("old-{}", user.email), "primary": false, "verified": false,
             "visibility": null},
            {"email": user.email, "primary": true, "verified": user.is_verified(),
             "visibility": "private"},
        ]))
        .into_response(),
        Err((status, message)) => refusal(status, message),
    }
}

/// Status and message of a refusal.
type Refusal = (StatusCode, &'static str);

/// A refusal in the shape of GitHub's API.
fn refusal(status: StatusCode, message: &str) -> Response {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com/rest",
        "status": status.as_str()});
    (status, Json(body)).into_response()
}

impl Default for StandIn {
    /// Nick Lucas is in the team `platform` of the organisation `acme`, everyone else in neither.
    fn default() -> Self {
        let stand_in = Self(Arc::default());
        stand_in.set_membership("nick-lucas", "acme", Membership::Active);
        stand_in.set_membership("nick-lucas", "acme/platform", Membership::Active);
        stand_in
    }
}

impl StandIn {
    /// Makes every request fail, or ends that.
    pub fn misbehave(&self, fault: Fault) {
        self.with(|inner| inner.fault = fault);
    }

    /// Suspends a user, or ends that. Their tokens read nothing meanwhile.
    pub fn suspend(&self, login: &str, is_suspended: bool) {
        self.with(|inner| {
            if is_suspended {
                inner.suspended.insert(login.to_owned());
            } else {
                inner.suspended.remove(login);
            }
        });
    }

    /// Ends the authorization that a user gave to this app, as they can in their settings.
    pub fn forget_tokens(&self, login: &str) {
        self.with(|inner| inner.tokens.retain(|_, authorized| authorized.user.login != login));
    }

    /// Whom the token of a request speaks for, or the answer to give instead.
    fn authorized(&self, headers: &HeaderMap) -> Result<Authorized, Refusal> {
        let header = headers.get("authorization").and_then(|header| header.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
        self.with(|inner| match inner.tokens.get(token) {
            Some(it) if inner.suspended.contains(&it.user.login) => {
                Err((StatusCode::FORBIDDEN, "Sorry. Your account was suspended."))
            }
            Some(authorized) => Ok(authorized.clone()),
            None => Err((StatusCode::UNAUTHORIZED, "Bad credentials")),
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
