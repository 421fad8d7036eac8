//! An OpenID provider for people to sign in at. It asks no questions: every visitor is the
//! person that the test has put there. A test can also make it misbehave, one thing at a time.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use axum::{
    Form, Json, Router,
    body::{Bytes, to_bytes},
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    middleware::map_response_with_state,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{Algorithm, SigningKey, TokenType};
use serde_json::{Value, json};
use sha2::Digest;
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;
use uuid::Uuid;

use crate::servers::document_server::gzip;

/// Who `auth` is at the provider.
const CLIENT_ID: &str = "portcullis at the provider";
/// Its secret, with characters that must be encoded in a header.
const CLIENT_SECRET: &str = "p@ss:w%rd +1";
/// What every access token of the provider begins with.
pub const ACCESS_TOKEN_PREFIX: &str = "upstream-access-token-";

/// A provider on a free port. It stops when it is dropped.
pub struct OpenIdProvider {
    pub issuer: String,
    shared: Shared,
    task: JoinHandle<()>,
}

/// What the provider does wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    None,
    /// The ID token says something else: a member and its value.
    Claim(&'static str, Value),
    /// The ID token is signed by an unpublished key with the same name.
    Signature,
    /// The ID token has another `typ`.
    Type,
    /// The browser comes back with another `iss`, or without.
    Issuer(Option<String>),
    /// The metadata is another issuer's.
    Metadata,
    /// The metadata is right, but where a redirect leads.
    MovedMetadata,
    /// Userinfo describes another user.
    UserInfo,
    /// The token endpoint answers with this.
    TokenAnswer(u16, &'static str),
    /// The token endpoint answers more than anybody wants to read.
    TooMuch,
    /// Nothing, but members of its metadata that can be done without are odd.
    OddMembers,
    /// Nothing, but every answer is compressed.
    Compression,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Inner>>);

struct Inner {
    issuer: String,
    key: SigningKey,
    person: Value,
    fault: Fault,
    codes: HashMap<String, HashMap<String, String>>,
    last_query: HashMap<String, String>,
    key_fetches: usize,
    holds: bool,
    refresh_token: Option<String>,
}

/// The key that each provider of this process signs with at first: an RSA key takes long to make.
fn rsa_key() -> SigningKey {
    static KEY: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::generate(Algorithm::RS256).expect("a key"));
    KEY.clone()
}

impl OpenIdProvider {
    /// Starts it with Nick Lucas at the keyboard.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let issuer = format!("http://localhost:{}", listener.local_addr().expect("one").port());
        let shared = Shared(Arc::new(Mutex::new(Inner {
            issuer: issuer.clone(),
            key: rsa_key(),
            person: person("7", "nick-lucas@example.com"),
            fault: Fault::None,
            codes: HashMap::new(),
            last_query: HashMap::new(),
            key_fetches: 0,
            holds: false,
            refresh_token: None,
        })));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/moved", get(moved_metadata))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(shared.clone())
            .layer(map_response_with_state(shared.clone(), compressed));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the provider serves");
        });
        Self { issuer, shared, task }
    }

    /// Puts a person at the keyboard: their claims.
    pub fn seat(&self, person: Value) {
        self.shared.with(|inner| inner.person = person);
    }

    /// Makes the provider misbehave.
    pub fn misbehave(&self, fault: Fault) {
        self.shared.with(|inner| inner.fault = fault);
    }

    /// Keeps browsers: they are shown where they would have been sent.
    pub fn hold(&self) {
        self.shared.with(|inner| inner.holds = true);
    }

    /// Begins to sign with a new key, the old one gone.
    pub fn rotate_key(&self) {
        self.sign_by(Algorithm::ES256);
    }

    /// Begins to sign by another algorithm.
    pub fn sign_by(&self, algorithm: Algorithm) {
        let key = SigningKey::generate(algorithm).expect("a key");
        self.shared.with(|inner| inner.key = key);
    }

    /// Ends the refresh token, as a user can at the provider.
    pub fn end_refresh_token(&self) {
        self.shared.with(|inner| inner.refresh_token = None);
    }

    /// How often its keys were fetched.
    pub fn key_fetches(&self) -> usize {
        self.shared.with(|inner| inner.key_fetches)
    }

    /// A parameter of the latest authorization request.
    pub fn last_query(&self, name: &str) -> Option<String> {
        self.shared.with(|inner| inner.last_query.get(name).cloned())
    }

    /// The entry under `[[upstreams]]` for this provider; the secret is written to `secret_file`.
    pub fn entry(&self, name: &str, secret_file: &std::path::Path) -> Value {
        std::fs::write(secret_file, format!("{CLIENT_SECRET}\n")).expect("a secret file");
        json!({"name": name, "label": "Example ID", "issuer": self.issuer,
            "client_id": CLIENT_ID, "client_secret_file": secret_file})
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The claims of a person with a verified address.
pub fn person(subject: &str, email: &str) -> Value {
    json!({"sub": subject, "name": "Nick Lucas", "preferred_username": "nick",
        "email": email, "email_verified": true})
}

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The answer as the provider sends it.
async fn compressed(State(shared): State<Shared>, response: Response) -> Response {
    if shared.with(|inner| inner.fault != Fault::Compression) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    parts.headers.remove("content-length");
    parts.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    Response::from_parts(parts, gzip(&body).into())
}

async fn metadata(State(shared): State<Shared>) -> Response {
    if shared.with(|inner| inner.fault == Fault::MovedMetadata) {
        return Redirect::temporary("/moved").into_response();
    }
    moved_metadata(State(shared)).await.into_response()
}

async fn moved_metadata(State(shared): State<Shared>) -> Json<Value> {
    shared.with(|inner| {
        let at = |path: &str| format!("{}{path}", inner.issuer);
        let issuer = if inner.fault == Fault::Metadata { at("/other") } else { at("") };
        let mut metadata = json!({"issuer": issuer, "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
            "userinfo_endpoint": at("/userinfo"),
            "authorization_response_iss_parameter_supported": true});
        if inner.fault == Fault::OddMembers {
            metadata["userinfo_endpoint"] = json!("");
            metadata["token_endpoint_auth_methods_supported"] = json!({});
            metadata["authorization_response_iss_parameter_supported"] = json!(null);
        }
        Json(metadata)
    })
}

async fn keys(State(shared): State<Shared>) -> Json<Value> {
    shared.with(|inner| {
        inner.key_fetches += 1;
        let mut key = serde_json::to_value(inner.key.public_jwk()).expect("a key");
        // As some large providers publish theirs.
        key.as_object_mut().expect("an object").remove("alg");
        Json(json!({"keys": [key]}))
    })
}

async fn authorize(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    shared.with(|inner| {
        inner.last_query = query.clone();
        if query.get("client_id").map(String::as_str) != Some(CLIENT_ID) {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let mut back = Url::parse(&query["redirect_uri"]).expect("a redirect URI");
        let code = Uuid::new_v4().to_string();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &query["state"]);
        let iss = match &inner.fault {
            Fault::Issuer(iss) => iss.clone(),
            _ => Some(inner.issuer.clone()),
        };
        if let Some(iss) = iss {
            back.query_pairs_mut().append_pair("iss", &iss);
        }
        inner.codes.insert(code, query);
        if inner.holds {
            String::from(back).into_response()
        } else {
            Redirect::to(back.as_str()).into_response()
        }
    })
}

async fn token(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    shared.with(|inner| {
        let encoded = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let pair = format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET));
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        if headers.get("authorization").is_none_or(|header| *header != basic) {
            return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"})))
                .into_response();
        }
        if let Fault::TokenAnswer(status, body) = inner.fault {
            let status = StatusCode::from_u16(status).expect("a status");
            return (status, [("content-type", "application/json")], body).into_response();
        }
        if inner.fault == Fault::TooMuch {
            return Bytes::from(vec![b' '; 2 * 1024 * 1024]).into_response();
        }
        if form.get("grant_type").is_some_and(|grant| grant == "refresh_token") {
            return inner.refreshed(form.get("refresh_token"));
        }
        let request = inner.codes.remove(form.get("code").map_or("", String::as_str));
        let Some(request) = request.filter(|request| proves(&form, request)) else {
            return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})))
                .into_response();
        };
        let access_token = format!("{ACCESS_TOKEN_PREFIX}{}", Uuid::new_v4());
        let id_token = inner.id_token(&request["nonce"], &access_token);
        inner.refresh_token = Some(Uuid::new_v4().to_string());
        Json(json!({"access_token": access_token, "token_type": "Bearer", "id_token": id_token,
            "refresh_token": inner.refresh_token}))
        .into_response()
    })
}

fn proves(form: &HashMap<String, String>, request: &HashMap<String, String>) -> bool {
    let verifier = form.get("code_verifier").map_or("", String::as_str);
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()));
    request.get("code_challenge") == Some(&challenge)
        && request.get("redirect_uri") == form.get("redirect_uri")
}

async fn user_info(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    if !bearer.is_some_and(|value| value.starts_with(&format!("Bearer {ACCESS_TOKEN_PREFIX}"))) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    shared.with(|inner| {
        let mut claims = inner.person.clone();
        if let Some(hidden) = claims.get("hidden_email").cloned() {
            claims["email"] = hidden;
        }
        if inner.fault == Fault::UserInfo {
            claims["sub"] = json!("somebody else");
        }
        Json(claims).into_response()
    })
}

impl Inner {
    /// Replaces the refresh token, which counts once. No ID token comes with it.
    fn refreshed(&mut self, presented: Option<&String>) -> Response {
        if presented.is_none() || self.refresh_token.as_ref() != presented {
            return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})))
                .into_response();
        }
        self.refresh_token = Some(Uuid::new_v4().to_string());
        let access_token = format!("{ACCESS_TOKEN_PREFIX}{}", Uuid::new_v4());
        Json(json!({"access_token": access_token, "token_type": "Bearer",
            "refresh_token": self.refresh_token}))
        .into_response()
    }

    fn id_token(&self, nonce: &str, access_token: &str) -> String {
        let mut claims = self.person.clone();
        // The stack's clock may have been moved, by hours at most.
        let now = 4_000_000_000_i64;
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!(CLIENT_ID);
        claims["exp"] = json!(now);
        claims["iat"] = json!(1_700_000_000);
        claims["nonce"] = json!(nonce);
        claims["at_hash"] = json!(self.key.algorithm().at_hash(access_token));
        if let Fault::Claim(member, value) = &self.fault {
            claims[member] = value.clone();
        }
        let typ =
            if self.fault == Fault::Type { TokenType::AccessToken } else { TokenType::IdToken };
        let signed = self.key.sign(typ, &claims).expect("a token");
        if self.fault != Fault::Signature {
            return signed;
        }
        let other = SigningKey::generate(Algorithm::RS256).expect("a key");
        let forged = other.sign(typ, &claims).expect("a token");
        let (content, _) = signed.rsplit_once('.').expect("a signature");
        let (_, signature) = forged.rsplit_once('.').expect("a signature");
        format!("{content}.{signature}")
    }
}
