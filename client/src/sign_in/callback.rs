//! The loopback listener that the browser comes back to, open only while a sign-in waits
//! (RFC 8252 §7.3 and §8.3).

use std::{
    future::IntoFuture,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use http::{
    HeaderMap, Method, StatusCode, Uri,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    oauth::{
        OAuthError,
        authorization_request::AuthorizationRequest,
        authorization_response::{Callback, validate},
        pkce::random_text,
    },
    secret::Secret,
};

const PATH: &str = "/callback";
/// How the path of the short address begins.
const SHORT_PATH: &str = "/go/";
/// Characters of the short address that only this terminal shows: 48 random bits.
const SHORT_NAME_CHARS: usize = 8;
const PAGE: &str = include_str!("callback/page.html");
/// How long a browser may take to read the page once it is written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A listener on 127.0.0.1 that waits for one answer.
#[derive(Debug)]
pub(crate) struct CallbackListener {
    listener: TcpListener,
    address: SocketAddr,
    /// The path that redirects to the authorization server. It cannot be guessed, because its
    /// answer holds the `state`.
    short_path: String,
}

impl CallbackListener {
    /// Binds a port that is free.
    pub(crate) async fn bind() -> Result<Self, OAuthError> {
        Self::bind_port(0).await
    }

    /// Binds the port that `redirect_uri` was registered with, so that it still fits.
    pub(crate) async fn bind_again(redirect_uri: &str) -> Result<Self, OAuthError> {
        let port = Url::parse(redirect_uri).ok().and_then(|uri| uri.port()).unwrap_or(0);
        Self::bind_port(port).await
    }

    /// Binds `port`, which a registration names.
    pub(crate) async fn bind_port(port: u16) -> Result<Self, OAuthError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(OAuthError::Listener)?;
        let address = listener.local_addr().map_err(OAuthError::Listener)?;
        let name: String = random_text()?.chars().take(SHORT_NAME_CHARS).collect();
        Ok(Self { listener, address, short_path: format!("{SHORT_PATH}{name}") })
    }

    /// A short address for a browser on this machine. It leads to the authorization server.
    pub(crate) fn short_address(&self) -> String {
        format!("http://{}{}", self.address, self.short_path)
    }

    /// Where the browser must be sent.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits for the answer to `request`, and shows a page that repeats nothing of it. Any other
    /// request gets 404, except for the short address.
    pub(crate) async fn answer(
        self,
        request: Arc<AuthorizationRequest>,
    ) -> Result<Secret, OAuthError> {
        let (sender, mut answers) = mpsc::channel(1);
        let (host, short_path) = (self.address.to_string(), self.short_path);
        let desk = Desk { host, short_path, request, answers: sender };
        let router = Router::new().fallback(receive).with_state(desk);
        let closing = CancellationToken::new();
        let server = axum::serve(self.listener, router)
            .with_graceful_shutdown(closing.clone().cancelled_owned());
        let mut server = pin!(server.into_future());
        let answer = tokio::select! {
            answer = answers.recv() => answer,
            _ = &mut server => None,
        };
        closing.cancel();
        // The browser has its page, or will not fetch it any more.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, server).await;
        answer.unwrap_or_else(|| Err(OAuthError::Listener(std::io::ErrorKind::NotConnected.into())))
    }
}

/// What the listener knows while it waits.
#[derive(Clone)]
struct Desk {
    host: String,
    short_path: String,
    request: Arc<AuthorizationRequest>,
    answers: mpsc::Sender<Result<Secret, OAuthError>>,
}

async fn receive(
    State(desk): State<Desk>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    // Another name for this address would mean that a web page rebound its own name to it.
    let is_for_us = headers.get(HOST).is_some_and(|host| host.as_bytes() == desk.host.as_bytes());
    if method != Method::GET || !is_for_us {
        return StatusCode::NOT_FOUND.into_response();
    }
    if uri.path() == desk.short_path {
        let headers = [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
        return (headers, Redirect::to(desk.request.url.as_str())).into_response();
    }
    if uri.path() != PATH {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Callback::Answer(outcome) = validate(&desk.request, uri.query().unwrap_or_default()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let page = match &outcome {
        Ok(_) => page("Back to the terminal", "It goes on there. You can close this page."),
        Err(_) => page("Nothing was allowed", "The terminal says why. You can close this page."),
    };
    match desk.answers.try_send(outcome) {
        Ok(()) => page,
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn page(title: &str, text: &str) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONNECTION, "close"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(PAGE.replace("{title}", title).replace("{text}", text))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorization_request::tests::request;

    /// A listener that waits, the address it listens at, and what will come of it.
    async fn waiting() -> (String, tokio::task::JoinHandle<Result<Secret, OAuthError>>) {
        let listener = CallbackListener::bind().await.expect("a port");
        let (address, mut request) = (listener.redirect_uri(), request(serde_json::json!({}), "a"));
        request.state = "s1".to_owned();
        (address, tokio::spawn(listener.answer(Arc::new(request))))
    }

    fn http() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().expect("HTTP")
    }

    async fn status(request: reqwest::RequestBuilder) -> StatusCode {
        request.send().await.expect("an answer").status()
    }

    #[tokio::test]
    async fn nothing_but_the_answer_to_this_sign_in_ends_the_wait() {
        let (address, outcome) = waiting().await;
        let (good, http) = (format!("{address}?code=c&state=s1"), http());
        let place = good.replace("/callback", "/other");
        assert_eq!(status(http.get(&place)).await, StatusCode::NOT_FOUND);
        assert_eq!(status(http.post(&good)).await, StatusCode::NOT_FOUND);
        assert_eq!(status(http.head(&good)).await, StatusCode::NOT_FOUND);
        assert_eq!(status(http.get(&good).header(HOST, "evil.test")).await, StatusCode::NOT_FOUND);
        let port = Url::parse(&address).expect("a URL").port().expect("a port");
        let named = format!("localhost:{port}");
        assert_eq!(status(http.get(&good).header(HOST, named)).await, StatusCode::NOT_FOUND);
        for query in ["", "?code=c", "?code=c&state=s2", "?state=s2&code=c&state=s1"] {
            assert_eq!(status(http.get(format!("{address}{query}"))).await, StatusCode::NOT_FOUND);
        }
        assert!(!outcome.is_finished());
        assert_eq!(status(http.get(&good)).await, StatusCode::OK);
        assert_eq!(outcome.await.expect("ended").expect("a code").reveal(), "c");
        assert!(http.get(&good).send().await.is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn the_short_address_leads_on_and_cannot_be_guessed() {
        let listener = CallbackListener::bind().await.expect("a port");
        let (short, address) = (listener.short_address(), listener.redirect_uri());
        let wanted = request(serde_json::json!({}), "a");
        let target = wanted.url.to_string();
        let waiting = tokio::spawn(listener.answer(Arc::new(wanted)));
        let http = reqwest::Client::builder().no_proxy();
        let http = http.redirect(reqwest::redirect::Policy::none()).build().expect("HTTP");
        let answer = http.get(&short).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[http::header::LOCATION], target);
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert!(short.len() < 45, "{short}");
        let guessed = address.replace("/callback", "/go/aaaaaaaa");
        for other in
            [guessed, address.replace("/callback", "/go/"), address.replace("callback", "")]
        {
            assert_eq!(status(http.get(&other)).await, StatusCode::NOT_FOUND, "{other}");
        }
        let rebound = http.get(&short).header(HOST, "evil.test");
        assert_eq!(status(rebound).await, StatusCode::NOT_FOUND);
        assert!(!waiting.is_finished());
    }

    #[tokio::test]
    async fn the_page_repeats_nothing_and_lets_no_script_run() {
        let (address, outcome) = waiting().await;
        let hostile =
            "?error=<script>alert(1)</script>&error_description=%3Cimg%20src=x%3E&state=s1";
        let page = http().get(format!("{address}{hostile}")).send().await.expect("an answer");
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
        assert!(!page.headers().contains_key("access-control-allow-origin"));
        let text = page.text().await.expect("a page");
        assert!(!text.contains("alert(1)") && !text.contains("<img"), "{text}");
        assert!(matches!(
            outcome.await.expect("ended"),
            Err(OAuthError::AuthorizationRefused { .. })
        ));
    }

    #[tokio::test]
    async fn only_this_machine_can_reach_the_listener() {
        let listener = CallbackListener::bind().await.expect("a port");
        assert!(listener.address.ip().is_loopback() && listener.address.port() != 0);
        let redirect_uri = listener.redirect_uri();
        assert!(redirect_uri.starts_with("http://127.0.0.1:"), "{redirect_uri}");
        let taken = CallbackListener::bind_again(&redirect_uri).await;
        assert!(taken.is_err(), "a port is never shared");
    }
}
