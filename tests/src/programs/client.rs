//! A program that asks for tokens, one message at a time, so that a test can change one thing.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use net::https::client_builder;
use reqwest::{RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use sha2::Digest;
use url::Url;

use crate::{
    people::browser::{Browser, Page},
    programs::operator,
    stack::Stack,
    waiting::before_retry,
};

/// The redirect URI. No server listens there, so the browser stops at it.
pub const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";
/// The verifier of every request.
pub const VERIFIER: &str = "a-code-verifier-of-sufficient-length-0123456789";

pub struct Client {
    pub id: String,
    /// `client_secret`, if it has one.
    pub secret: Option<String>,
    issuer: String,
    resource: String,
    http: reqwest::Client,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The JSON; `null` where there was none.
    pub json: Value,
}

impl Answer {
    /// Sends a request and reads its answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let headers = answer.headers().clone();
        let text = answer.text().await.expect("text");
        // Of a stream of events, the last message.
        let event = || text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
        let json = serde_json::from_str(&text).ok();
        let json = json.or_else(|| event().and_then(|text| serde_json::from_str(text).ok()));
        Self { status, headers, json: json.unwrap_or_default() }
    }

    /// A string member; empty where there is none.
    pub fn text(&self, member: &str) -> &str {
        self.json.get(member).and_then(Value::as_str).unwrap_or_default()
    }
}

/// An HTTP client for tests.
pub fn http() -> reqwest::Client {
    http_builder().build().expect("an HTTP client")
}

fn http_builder() -> reqwest::ClientBuilder {
    client_builder().redirect(Policy::none()).no_proxy().timeout(Duration::from_secs(20))
}

impl Client {
    /// Registers a public client.
    pub async fn register(stack: &Stack) -> Self {
        Self::register_as(stack, json!({"token_endpoint_auth_method": "none"})).await
    }

    /// Registers with other metadata on top of the usual.
    pub async fn register_as(stack: &Stack, metadata: Value) -> Self {
        Self::register_with(&stack.issuer, &stack.audience, metadata).await
    }

    /// Registers a public client with servers that are no stack.
    pub async fn register_at(issuer: &str, resource: &str) -> Self {
        Self::register_with(issuer, resource, json!({"token_endpoint_auth_method": "none"})).await
    }

    async fn register_with(issuer: &str, resource: &str, metadata: Value) -> Self {
        let mut request = json!({
            "client_name": "Test client",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
        });
        for (name, value) in metadata.as_object().expect("an object") {
            request[name] = value.clone();
        }
        let request = http().post(format!("{issuer}/register")).json(&request);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        let secret = answer.json["client_secret"].as_str().map(Into::into);
        Self { secret, ..Self::at(issuer, resource, answer.text("client_id")) }
    }

    /// A public client that was registered before, as it speaks to one address of `auth`.
    pub fn at(address: &str, resource: &str, id: &str) -> Self {
        Self {
            id: id.into(),
            secret: None,
            issuer: address.into(),
            resource: resource.into(),
            http: http(),
        }
    }

    /// The same client with a connection of its own for each message, so that replicas behind one
    /// address take turns.
    pub fn without_keep_alive(self) -> Self {
        let http = http_builder().pool_max_idle_per_host(0).build().expect("an HTTP client");
        Self { http, ..self }
    }

    /// A client that `auth` knows by other ways, such as a metadata document.
    pub fn known_as(stack: &Stack, id: &str, secret: Option<String>) -> Self {
        Self {
            id: id.into(),
            secret,
            issuer: stack.issuer.clone(),
            resource: stack.audience.clone(),
            http: http(),
        }
    }

    /// A client that an operator entered by `auth clients add` with these options.
    pub async fn pre_registered(stack: &Stack, options: &[&str]) -> Self {
        let arguments = ["clients", "add", "--name", "Entered client", "--json"];
        let added = operator::carry_out(stack, &[&arguments, options].concat()).await;
        let client: Value = serde_json::from_str(&added.expect("a client")).expect("a client");
        let id = client["client_id"].as_str().unwrap_or_default();
        Self::known_as(stack, id, client["client_secret"].as_str().map(Into::into))
    }

    /// A valid authorization request.
    pub fn authorize_parameters(&self) -> Vec<(&'static str, String)> {
        let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(VERIFIER.as_bytes()));
        vec![
            ("response_type", "code".into()),
            ("client_id", self.id.clone()),
            ("redirect_uri", REDIRECT_URI.into()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".into()),
            ("resource", self.resource.clone()),
            ("scope", "mcp:tools profile email".into()),
            ("state", "the-state".into()),
        ]
    }

    /// The URL of an authorization request.
    pub fn authorize_url(&self, parameters: &[(&'static str, String)]) -> String {
        let url = format!("{}/authorize", self.issuer);
        Url::parse_with_params(&url, parameters).expect("a URL").into()
    }

    /// Opens the request and signs in as the default user, up to the consent page.
    pub async fn reach_consent(&self, browser: &mut Browser, url: &str) -> Page {
        let page = browser.open(url).await;
        if page.url.path() != "/sign-in" {
            return page;
        }
        let page = browser.send_form(&page, "/sign-in/github").await;
        browser.press(&page, "user", "nick-lucas").await
    }

    /// Signs in and consents; the code that comes back.
    pub async fn obtain_code(&self, browser: &mut Browser) -> String {
        let url = self.authorize_url(&self.authorize_parameters());
        let page = self.reach_consent(browser, &url).await;
        let page = browser.press(&page, "decision", "allow").await;
        page.query("code").unwrap_or_else(|| panic!("no code at {}: {}", page.url, page.text()))
    }

    /// A valid exchange of a code.
    pub fn code_form(&self, code: &str) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "authorization_code".into()),
            ("client_id", self.id.clone()),
            ("code", code.into()),
            ("code_verifier", VERIFIER.into()),
            ("redirect_uri", REDIRECT_URI.into()),
            ("resource", self.resource.clone()),
        ]
    }

    /// Sends a form with a proof of possession.
    pub async fn post_with_proof(
        &self,
        path: &str,
        form: &[(&'static str, String)],
        proof: &str,
    ) -> Answer {
        Answer::of(self.authenticated(path, form).header("dpop", proof)).await
    }

    /// Sends a form to an endpoint of `auth`, with the client's secret where it has one.
    pub async fn post_authenticated(&self, path: &str, form: &[(&'static str, String)]) -> Answer {
        Answer::of(self.authenticated(path, form)).await
    }

    fn authenticated(&self, path: &str, form: &[(&'static str, String)]) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.issuer)).form(form);
        match &self.secret {
            Some(secret) => request.basic_auth(&self.id, Some(secret)),
            None => request,
        }
    }

    /// Sends a form to an endpoint of `auth`.
    pub async fn post(&self, path: &str, form: &[(&'static str, String)]) -> Answer {
        Answer::of(self.http.post(format!("{}{path}", self.issuer)).form(form)).await
    }

    /// Signs in and exchanges the code; the token response.
    pub async fn obtain_tokens(&self, browser: &mut Browser) -> Answer {
        let code = self.obtain_code(browser).await;
        let answer = self.post("/token", &self.code_form(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        answer
    }

    /// The tokens of a sign-in that asks for `scope` only.
    pub async fn obtain_tokens_for(&self, scope: &str) -> Answer {
        let mut browser = Browser::default();
        let request = with(self.authorize_parameters(), "scope", scope);
        let page = self.reach_consent(&mut browser, &self.authorize_url(&request)).await;
        let page = browser.press(&page, "decision", "allow").await;
        let code = page.query("code").expect("a code");
        self.post("/token", &self.code_form(&code)).await
    }

    /// Sends a form; `None` if there is no answer, or one that tells of trouble at the server.
    pub async fn try_post(&self, path: &str, form: &[(&'static str, String)]) -> Option<Answer> {
        try_send(self.http.post(format!("{}{path}", self.issuer)).form(form)).await
    }

    /// Sends a form until there is an answer, and says whether one was lost before, which `lost`
    /// counts.
    pub async fn post_until_answered(
        &self,
        path: &str,
        form: &[(&'static str, String)],
        lost: &AtomicUsize,
    ) -> (Answer, bool) {
        let mut is_repeated = false;
        loop {
            if let Some(answer) = self.try_post(path, form).await {
                return (answer, is_repeated);
            }
            is_repeated = true;
            lost.fetch_add(1, Ordering::Relaxed);
            before_retry().await;
        }
    }

    /// Asks who is behind an access token.
    pub async fn user_info(&self, access_token: &str) -> Answer {
        let request = self.http.get(format!("{}/userinfo", self.issuer));
        Answer::of(request.bearer_auth(access_token)).await
    }

    /// The same; `None` as for [`Self::try_post`].
    pub async fn try_user_info(&self, access_token: &str) -> Option<Answer> {
        let request = self.http.get(format!("{}/userinfo", self.issuer));
        try_send(request.bearer_auth(access_token)).await
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/token", &self.refresh_form(refresh_token)).await
    }

    /// The form that uses a refresh token.
    pub fn refresh_form(&self, refresh_token: &str) -> [(&'static str, String); 3] {
        [
            ("grant_type", "refresh_token".into()),
            ("client_id", self.id.clone()),
            ("refresh_token", refresh_token.into()),
        ]
    }
}

async fn try_send(request: RequestBuilder) -> Option<Answer> {
    let answer = request.send().await.ok().filter(|it| !it.status().is_server_error())?;
    let status = answer.status();
    let headers = answer.headers().clone();
    let json = serde_json::from_slice(&answer.bytes().await.ok()?).unwrap_or_default();
    Some(Answer { status, headers, json })
}

/// Replaces or adds one parameter.
pub fn with(
    mut parameters: Vec<(&'static str, String)>,
    name: &'static str,
    value: &str,
) -> Vec<(&'static str, String)> {
    parameters.retain(|(known, _)| *known != name);
    parameters.push((name, value.into()));
    parameters
}

/// Leaves one parameter out.
pub fn without(
    mut parameters: Vec<(&'static str, String)>,
    name: &str,
) -> Vec<(&'static str, String)> {
    parameters.retain(|(known, _)| *known != name);
    parameters
}
