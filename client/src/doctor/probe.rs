//! Sends every request that needs no sign-in, and records the answers.

mod endpoints;
mod registration;

use http::{
    HeaderMap,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, ORIGIN},
};
use net::clock::Clock;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

use super::{
    evidence::{Evidence, Exchange, Probe},
    requests::{BROWSER_ORIGIN, FOREIGN_HOST, FOREIGN_PAGE, RESOURCE_PLACES, SERVER_PLACES},
};
use crate::{
    error::Error,
    http::{Fetch, FetchError, read_body, unreachable},
    terminal::output::Output,
};

const BOTH_TYPES: &str = "application/json, text/event-stream";
const REQUEST_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// Sends requests to one server and records its answers.
pub(super) struct Prober<'a> {
    pub(super) fetch: &'a Fetch,
    pub(super) clock: &'a Clock,
    pub(super) output: &'a Output,
    pub(super) evidence: Evidence,
}

impl Prober<'_> {
    /// Writes what is being done to stderr.
    fn tell(&self, words: &str) {
        if self.output.has_reader() && !self.output.is_json() {
            self.output.say(&format!("… {words}"));
        }
    }

    /// Reads what the server and its authorization server publish.
    pub(super) async fn read_metadata(&mut self) -> Result<(), Error> {
        self.tell("calling the server without a token");
        self.call().await?;
        self.tell("reading the metadata of the server");
        self.read_resource().await;
        self.tell("reading the metadata and the keys of its authorization server");
        self.read_authorization_server().await;
        Ok(())
    }

    /// Tries the endpoints of the authorization server with the client that was registered.
    pub(super) async fn try_endpoints(&mut self) {
        self.tell("asking for authorization, rightly and wrongly");
        self.authorize().await;
        self.tell("asking for tokens, wrongly");
        self.ask_for_tokens().await;
    }

    /// Sends what `build` makes of a client that reaches `url`, and keeps the answer as `probe`.
    pub(super) async fn ask(
        &mut self,
        probe: Probe,
        url: &Url,
        build: impl FnOnce(&Client) -> RequestBuilder,
    ) {
        let answer = self.send(url, build).await.map_err(|error| error.to_string());
        self.evidence.answers.insert(probe, answer);
    }

    /// Sends what `build` makes and reads the whole answer.
    pub(super) async fn send(
        &self,
        url: &Url,
        build: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Exchange, FetchError> {
        let request = build(self.fetch.client_for(url).await?).timeout(REQUEST_TIMEOUT);
        let response = request.send().await.map_err(|error| unreachable(url, &error))?;
        let status = response.status();
        let headers = response.headers().clone();
        // A stream of events may never end, and nothing in it is judged.
        let is_stream = headers.get("content-type").is_some_and(|kind| {
            kind.to_str().is_ok_and(|kind| kind.starts_with("text/event-stream"))
        });
        let body = if is_stream { Vec::new() } else { read_body(url, response).await? };
        let json = serde_json::from_slice(&body).ok();
        let received_at = self.clock.now();
        Ok(Exchange { url: url.clone(), status, headers, json, received_at })
    }

    async fn call(&mut self) -> Result<(), Error> {
        let server = self.evidence.server.clone();
        // Without an answer to this, there is nothing to examine.
        let first = self.send(&server, |http| initialize(http, &server)).await?;
        self.evidence.answers.insert(Probe::Post, Ok(first));
        self.ask(Probe::Get, &server, |http| {
            http.get(server.clone())
                .header(ACCEPT, "text/event-stream")
                .header("mcp-protocol-version", "2024-11-05")
        })
        .await;
        self.ask(Probe::Discover, &server, |http| discover(http, &server)).await;
        self.ask(Probe::BadToken, &server, |http| {
            initialize(http, &server).header(AUTHORIZATION, "Bearer doctor.checks.this")
        })
        .await;
        // Servers may refuse foreign origins everywhere, so only these requests name one.
        self.ask(Probe::McpCrossOrigin, &server, |http| {
            initialize(http, &server).header(ORIGIN, BROWSER_ORIGIN)
        })
        .await;
        let headers = "authorization, content-type, mcp-protocol-version, mcp-session-id";
        self.preflight(Probe::McpPreflight, &server, headers).await;
        self.attack(&server).await;
        Ok(())
    }

    /// Calls as an attacker would who has no token.
    async fn attack(&mut self, server: &Url) {
        self.ask(Probe::ToolCall, server, |http| {
            post(http, server, "tools/call", json!({"name": "portcullis-doctor", "arguments": {}}))
        })
        .await;
        // A rebound name is both the host and the origin of the page.
        let port = server.port().map_or(String::new(), |port| format!(":{port}"));
        let host = format!("{FOREIGN_HOST}{port}");
        let origin = format!("http://{host}");
        self.ask(Probe::ForeignHost, server, |http| {
            initialize(http, server).header(HOST, host).header(ORIGIN, origin)
        })
        .await;
        // Browsers ask nothing before they send plain text to another origin.
        let plain = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
        self.ask(Probe::ForeignPage, server, |http| {
            initialize(http, server).header(ORIGIN, FOREIGN_PAGE).headers(plain)
        })
        .await;
    }

    async fn read_resource(&mut self) {
        let server = self.evidence.server.clone();
        let announced = self.evidence.challenge_parameter("resource_metadata").ok().flatten();
        if let Some(place) = announced.and_then(|place| server.join(&place).ok()) {
            self.read(Probe::ResourceAnnounced, &place).await;
        }
        let path = server.path().trim_end_matches('/');
        for (probe, suffix) in [(Probe::ResourceInserted, path), (Probe::ResourceRoot, "")] {
            let mut place = server.clone();
            place.set_query(None);
            place.set_path(&format!("/.well-known/oauth-protected-resource{suffix}"));
            self.read(probe, &place).await;
        }
        self.read_as_page(Probe::ResourceCrossOrigin, &RESOURCE_PLACES).await;
    }

    async fn read_authorization_server(&mut self) {
        let Ok(Ok(base)) = self.evidence.announced_issuer().map(Url::parse) else { return };
        let path = base.path().trim_end_matches('/');
        let at = |place: String| {
            let mut url = base.clone();
            url.set_query(None);
            url.set_fragment(None);
            url.set_path(&place);
            url
        };
        let place = at(format!("/.well-known/oauth-authorization-server{path}"));
        self.read(Probe::ServerOauth, &place).await;
        self.read(Probe::ServerOpenid, &at(format!("/.well-known/openid-configuration{path}")))
            .await;
        let found = self.evidence.answer(Probe::ServerOpenid).is_ok_and(Exchange::is_document);
        if !found && !path.is_empty() {
            let place = at(format!("{path}/.well-known/openid-configuration"));
            self.read(Probe::ServerOpenid, &place).await;
        }
        self.read_as_page(Probe::ServerCrossOrigin, &SERVER_PLACES).await;
        if let Some(keys) = self.evidence.endpoint("jwks_uri") {
            self.read(Probe::Keys, &keys).await;
        }
    }

    async fn read(&mut self, probe: Probe, place: &Url) {
        self.ask(probe, place, |http| http.get(place.clone()).header(ACCEPT, "application/json"))
            .await;
    }

    /// Reads the document that was found at one of `places` as a page in a browser would.
    async fn read_as_page(&mut self, probe: Probe, places: &[Probe]) {
        let Some(place) = self.evidence.first_document(places).map(|one| one.url.clone()) else {
            return;
        };
        self.ask(probe, &place, |http| {
            http.get(place.clone())
                .header(ACCEPT, "application/json")
                .header(ORIGIN, BROWSER_ORIGIN)
        })
        .await;
    }

    /// Asks as a browser does before it lets a page `POST` there with `headers`.
    pub(super) async fn preflight(&mut self, probe: Probe, url: &Url, headers: &str) {
        self.ask(probe, url, |http| {
            http.request(http::Method::OPTIONS, url.clone())
                .header(ORIGIN, BROWSER_ORIGIN)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", headers)
        })
        .await;
    }
}

/// The first request of most clients.
pub(super) fn initialize(http: &Client, server: &Url) -> RequestBuilder {
    http.post(server.clone()).header(ACCEPT, BOTH_TYPES).json(&json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "portcullis-doctor", "version": env!("CARGO_PKG_VERSION")},
        },
    }))
}

/// A request of a client that has initialized, in the words of revision 2025-11-25.
pub(super) fn post(http: &Client, server: &Url, method: &str, parameters: Value) -> RequestBuilder {
    http.post(server.clone())
        .header(ACCEPT, BOTH_TYPES)
        .header("mcp-protocol-version", "2025-11-25")
        .json(&json!({"jsonrpc": "2.0", "id": 2, "method": method, "params": parameters}))
}

/// The first request of the newest clients.
fn discover(http: &Client, server: &Url) -> RequestBuilder {
    http.post(server.clone())
        .header(ACCEPT, BOTH_TYPES)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "server/discover")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {}}))
}
