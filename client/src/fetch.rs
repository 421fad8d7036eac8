//! HTTP towards servers that are not trusted: only https or this machine, never redirected, never
//! sent into a private network from outside, bounded in size and time.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, HeaderMap},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use self::guard::{Guard, Lookup, leads_here, points_inward};
use crate::{exit::Exit, explain::Explanation};

mod guard;

pub use self::guard::NameRefused;

/// Metadata and token answers are a few kilobytes; nobody needs more than this.
const LARGEST_BODY: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("portcullis-client/", env!("CARGO_PKG_VERSION"));

/// The HTTP clients of one run.
#[derive(Clone)]
pub struct Fetch {
    remote: Client,
    loopback: Client,
    guard: Guard,
    timeout: Duration,
    /// Who is told about every request.
    pub explanation: Explanation,
}

/// An answer whose body has been read in full.
#[derive(Debug)]
pub struct Answer {
    /// Where it came from.
    pub url: Url,
    /// Its HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Vec<u8>,
}

/// Why a server gave no usable answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is neither https nor on this machine.
    #[error("refused to talk to {url}: it is neither https nor on this machine")]
    Insecure {
        /// The address.
        url: Url,
    },
    /// A remote server pointed at an address of this machine or of a private network.
    #[error("refused to talk to {url}: a remote server may not send this client there")]
    Inward {
        /// The address.
        url: Url,
    },
    /// The name in an address leads where this client does not go.
    #[error("refused to talk to {url}: {reason}")]
    Name {
        /// The address.
        url: Url,
        /// Where it leads.
        reason: NameRefused,
    },
    /// Nobody answered.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The address.
        url: Url,
        /// Why, as the operating system or TLS says.
        reason: String,
    },
    /// The answer is larger than any honest one.
    #[error("{url} answered with more than {LARGEST_BODY} bytes")]
    TooLarge {
        /// The address.
        url: Url,
    },
    /// The body is not the JSON it should be.
    #[error("{url} did not answer with the expected JSON: {reason}")]
    NotJson {
        /// The address.
        url: Url,
        /// What the parser stumbled over.
        reason: String,
    },
    /// The HTTP client could not be set up, which only a broken TLS installation causes.
    #[error("cannot set up HTTP: {0}")]
    SetUp(Arc<reqwest::Error>),
}

impl FetchError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unreachable,
            _ => Exit::Failure,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Insecure { .. } | Self::Inward { .. } | Self::Name { .. } => "refused_address",
            Self::Unreachable { .. } => "unreachable",
            Self::TooLarge { .. } | Self::NotJson { .. } => "unusable_answer",
            Self::SetUp(_) => "http",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { url, .. } if leads_here(url) => {
                Some("start it, for example with `make dev`, then try again".to_owned())
            }
            Self::Unreachable { .. } => {
                Some("check the address and the network, then try again".to_owned())
            }
            _ => None,
        }
    }
}

impl Fetch {
    /// Clients for talking to `server` and whatever it points to. Addresses on this machine or in
    /// a private network, and names that lead to them, are allowed only if `server` is there too.
    ///
    /// # Errors
    /// [`FetchError::SetUp`] when TLS cannot be initialised.
    pub fn new(server: &Url, explanation: Explanation) -> Result<Self, FetchError> {
        Self::resolving_by(guard::system(), server, explanation)
    }

    fn resolving_by(
        lookup: Arc<Lookup>,
        server: &Url,
        explanation: Explanation,
    ) -> Result<Self, FetchError> {
        let guard = Guard::new(server, lookup);
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .dns_resolver(Arc::new(guard.clone()))
        };
        Ok(Self {
            remote: builder().build().map_err(set_up)?,
            // A proxy cannot reach this machine's own servers.
            loopback: builder().no_proxy().build().map_err(set_up)?,
            guard,
            timeout: REQUEST_TIMEOUT,
            explanation,
        })
    }

    /// The client that reaches `url`. Names are judged when it looks them up.
    ///
    /// # Errors
    /// [`FetchError::Insecure`] or [`FetchError::Inward`] when nothing may be sent there.
    pub async fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        self.check(url).await?;
        self.guard.expect(url);
        Ok(if leads_here(url) { &self.loopback } else { &self.remote })
    }

    /// Whether this client may be sent to `url` at all (OAuth 2.1 §1.5, RFC 9728 §7.7).
    ///
    /// # Errors
    /// [`FetchError::Insecure`] or [`FetchError::Inward`].
    pub async fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !is_secure(url) {
            return Err(FetchError::Insecure { url: url.clone() });
        }
        if points_inward(url) && !self.guard.is_inside().await {
            return Err(FetchError::Inward { url: url.clone() });
        }
        Ok(())
    }

    /// `GET url`.
    ///
    /// # Errors
    /// [`FetchError`] when no answer came; an HTTP error status is an answer.
    pub async fn get(&self, url: &Url) -> Result<Answer, FetchError> {
        self.get_with(url, HeaderMap::new()).await
    }

    /// `GET url` with `headers`, such as those that carry an access token.
    ///
    /// # Errors
    /// As [`Fetch::get`].
    pub async fn get_with(&self, url: &Url, headers: HeaderMap) -> Result<Answer, FetchError> {
        self.explanation.request("GET", url, &[]);
        self.send(url, self.client_for(url).await?.get(url.clone()).headers(headers)).await
    }

    /// `POST url` with a form and `headers`, such as those that authenticate the client.
    ///
    /// # Errors
    /// As [`Fetch::get`].
    pub async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        headers: HeaderMap,
    ) -> Result<Answer, FetchError> {
        self.explanation.request("POST", url, form);
        self.send(url, self.client_for(url).await?.post(url.clone()).form(form).headers(headers))
            .await
    }

    /// `POST url` with a JSON body.
    ///
    /// # Errors
    /// As [`Fetch::get`].
    pub async fn post_json(
        &self,
        url: &Url,
        body: &serde_json::Value,
    ) -> Result<Answer, FetchError> {
        self.explanation.request_with("POST", url, body);
        self.send(url, self.client_for(url).await?.post(url.clone()).json(body)).await
    }

    async fn send(&self, url: &Url, request: RequestBuilder) -> Result<Answer, FetchError> {
        let request = request.timeout(self.timeout).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| unreachable(url, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.explanation.answer(status);
        let body = read_bounded(url, &mut response).await?;
        Ok(Answer { url: url.clone(), status, headers, body })
    }
}

impl Answer {
    /// The body as `T`.
    ///
    /// # Errors
    /// [`FetchError::NotJson`] when it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        serde_json::from_slice(&self.body).map_err(|error| FetchError::NotJson {
            url: self.url.clone(),
            reason: error.to_string(),
        })
    }
}

/// https anywhere, http on this machine only (OAuth 2.1 §1.5).
pub fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether `url` means this machine by one of the names that the standards give it: `localhost`,
/// `127.0.0.1` or `[::1]` (RFC 8252 §7.3 and §8.3). Others may lead here too, but neither do they
/// everywhere, nor does any server of this project take them for its own.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// Describes a request that got no answer by its innermost cause, which is the one that helps.
pub(crate) fn unreachable(url: &Url, error: &reqwest::Error) -> FetchError {
    let mut innermost: &dyn std::error::Error = error;
    loop {
        if let Some(refused) = innermost.downcast_ref::<NameRefused>() {
            return FetchError::Name { url: url.clone(), reason: refused.clone() };
        }
        let Some(source) = innermost.source() else { break };
        innermost = source;
    }
    let reason = match error.is_timeout() {
        true => "it did not answer in time".to_owned(),
        false => innermost.to_string(),
    };
    FetchError::Unreachable { url: url.clone(), reason }
}

fn set_up(error: reqwest::Error) -> FetchError {
    FetchError::SetUp(Arc::new(error))
}

async fn read_bounded(url: &Url, response: &mut Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(url, &error))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(FetchError::TooLarge { url: url.clone() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture as _;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for allowed in
            ["https://a.example", "http://localhost:1", "http://[::1]:1", "http://127.0.0.1:1"]
        {
            assert!(is_secure(&url(allowed)), "{allowed}");
        }
        for refused in [
            "http://a.example",
            "http://localhost.evil.example",
            "http://evil.localhost",
            "http://localhost.",
            "http://127.9.9.9",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0",
            "ftp://localhost",
            "data:x",
        ] {
            assert!(!is_secure(&url(refused)), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_remote_server_cannot_send_the_client_to_this_machine() {
        let remote =
            Fetch::new(&url("https://93.184.216.34/mcp"), Explanation::default()).expect("set up");
        for inward in [
            "http://localhost:6379",
            "https://127.0.0.1",
            "https://169.254.169.254",
            "https://[::ffff:127.0.0.1]",
            "https://10.0.0.1",
            "https://100.64.0.1",
            "https://2130706433",
            "https://[fd00::1]",
            "https://[64:ff9b::7f00:1]",
        ] {
            assert!(
                matches!(remote.check(&url(inward)).await, Err(FetchError::Inward { .. })),
                "{inward}"
            );
        }
        let local =
            Fetch::new(&url("http://localhost:3001/mcp"), Explanation::default()).expect("set up");
        assert!(local.check(&url("http://localhost:3000")).await.is_ok());
    }

    #[tokio::test]
    async fn a_server_that_redirects_is_not_followed() {
        use axum::{Router, response::Redirect, routing::get};

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .route("/old", get(|| async { Redirect::temporary("/new") }))
            .route("/new", get(|| async { "{}" }));
        tokio::spawn(axum::serve(listener, router).into_future());
        let old = url(&format!("http://{address}/old"));
        let fetch = Fetch::new(&old, Explanation::default()).expect("set up");
        let answer = fetch.get(&old).await.expect("an answer");
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_end_is_given_up() {
        use axum::{Router, body::Body, routing::get};
        use futures::{StreamExt as _, stream};

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let one_byte = || stream::once(async { Ok::<_, std::io::Error>("{") });
        let router = Router::new().route(
            "/",
            get(move || async move { Body::from_stream(one_byte().chain(stream::pending())) }),
        );
        tokio::spawn(axum::serve(listener, router).into_future());
        let url = url(&format!("http://{address}/"));
        let fetch = Fetch::new(&url, Explanation::default()).expect("set up");
        assert_eq!(fetch.timeout, REQUEST_TIMEOUT);
        let impatient = Fetch { timeout: Duration::from_millis(50), ..fetch };
        let answer = tokio::time::timeout(Duration::from_secs(10), impatient.get(&url)).await;
        assert!(matches!(answer.expect("given up"), Err(FetchError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_off() {
        use axum::{Router, routing::get};

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", get(|| async { vec![b' '; LARGEST_BODY + 1] }));
        tokio::spawn(axum::serve(listener, router).into_future());
        let url = url(&format!("http://{address}/"));
        let fetch = Fetch::new(&url, Explanation::default()).expect("set up");
        assert!(matches!(fetch.get(&url).await, Err(FetchError::TooLarge { .. })));
    }
}
