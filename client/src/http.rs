//! HTTP to servers that are not trusted: https only (or this machine), no redirects, no requests
//! from a public server into a private network, bounded size and time.

use std::{sync::Arc, time::Duration};

use net::{
    body::{self, BodyError},
    https::client_builder,
    loopback::is_loopback,
    resolver::{self, JudgedResolver, Lookup},
};
use reqwest::{
    Client, RequestBuilder, Response,
    header::{ACCEPT, HeaderMap},
    redirect::Policy,
};
use url::Url;

use self::guard::{Guard, leads_here, points_inward};
use crate::terminal::explain::Explanation;

mod answer;
mod error;
pub(crate) mod excerpt;
mod guard;
pub(crate) mod server_address;

pub(crate) use self::{
    answer::{Answer, foreign_encoding, is_trouble},
    error::{FetchError, retry_in_words, unreachable},
};

/// Largest body in bytes, after decompression. Metadata and token responses have a few kilobytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("portcullis-client/", env!("CARGO_PKG_VERSION"));

/// The HTTP clients of one run.
#[derive(Clone)]
pub(crate) struct Fetch {
    remote: Client,
    loopback: Client,
    guard: Guard,
    timeout: Duration,
    pub(crate) explanation: Explanation,
}

impl Fetch {
    /// HTTP clients for `server` and everything that its metadata names. Addresses on this machine
    /// or in a private network are only allowed if `server` is there too.
    pub(crate) fn new(server: &Url, explanation: Explanation) -> Result<Self, FetchError> {
        Self::resolving_by(resolver::system(), server, explanation)
    }

    fn resolving_by(
        lookup: Arc<Lookup>,
        server: &Url,
        explanation: Explanation,
    ) -> Result<Self, FetchError> {
        let guard = Guard::new(server, lookup.clone());
        let resolver = Arc::new(JudgedResolver::new(lookup, guard.clone()));
        let builder = || {
            client_builder()
                .user_agent(USER_AGENT)
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .dns_resolver(resolver.clone())
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

    /// The HTTP client for `url`. It checks the addresses of the host when it resolves the name.
    pub(crate) async fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        self.check(url).await?;
        self.guard.expect(url);
        Ok(if leads_here(url) { &self.loopback } else { &self.remote })
    }

    /// Whether this client may be sent to `url` at all (OAuth 2.1 §1.5, RFC 9728 §7.7).
    pub(crate) async fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !is_secure(url) {
            return Err(FetchError::Insecure { url: url.clone() });
        }
        if points_inward(url) && !self.guard.is_inside().await {
            return Err(FetchError::Inward { url: url.clone() });
        }
        Ok(())
    }

    /// `GET url`. An HTTP error status is an answer, not an error.
    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, FetchError> {
        self.get_with(url, HeaderMap::new()).await
    }

    /// `GET url` with `headers`, such as those that carry an access token.
    pub(crate) async fn get_with(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Answer, FetchError> {
        self.explanation.request("GET", url, &[]);
        self.send(url, self.client_for(url).await?.get(url.clone()).headers(headers)).await
    }

    /// `POST url` with a form and `headers`, such as those that authenticate the client. Parameters
    /// without a value are left out, because they count as absent (RFC 6749 §3.1).
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        headers: HeaderMap,
    ) -> Result<Answer, FetchError> {
        let form: Vec<_> = form.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
        self.explanation.request("POST", url, &form);
        self.send(url, self.client_for(url).await?.post(url.clone()).form(&form).headers(headers))
            .await
    }

    /// `POST url` with a JSON body.
    pub(crate) async fn post_json(
        &self,
        url: &Url,
        body: &serde_json::Value,
    ) -> Result<Answer, FetchError> {
        self.explanation.request_with("POST", url, body);
        self.send(url, self.client_for(url).await?.post(url.clone()).json(body)).await
    }

    async fn send(&self, url: &Url, request: RequestBuilder) -> Result<Answer, FetchError> {
        let request = request.timeout(self.timeout).header(ACCEPT, "application/json");
        let response = request.send().await.map_err(|error| unreachable(url, &error))?;
        let status = response.status();
        let headers = response.headers().clone();
        self.explanation.answer(status);
        let body = read_body(url, response).await?;
        Ok(Answer::new(url.clone(), status, headers, body))
    }
}

/// https anywhere, http on this machine only (OAuth 2.1 §1.5).
pub(crate) fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether `url` is http or https and has no character that means something to a shell, in case the
/// program that opens it is a script that quotes badly. `&` is allowed: every query has it, and
/// such scripts do quote it.
pub(crate) fn is_safe_to_open(url: &Url) -> bool {
    let mut bytes = url.as_str().bytes();
    matches!(url.scheme(), "http" | "https")
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!*+,=&%".contains(&byte))
}

fn set_up(error: reqwest::Error) -> FetchError {
    FetchError::SetUp(Arc::new(error))
}

/// Reads the whole body of a response, unless it has an encoding that was not requested.
pub(crate) async fn read_body(url: &Url, response: Response) -> Result<Vec<u8>, FetchError> {
    if let Some(encoding) = foreign_encoding(response.headers()) {
        return Err(FetchError::Encoded { url: url.clone(), encoding });
    }
    body::read(response, MAX_BODY).await.map_err(|error| match error {
        BodyError::TooLarge => FetchError::TooLarge { url: url.clone() },
        BodyError::Failed(error) => unreachable(url, &error),
    })
}

#[cfg(test)]
mod tests;
