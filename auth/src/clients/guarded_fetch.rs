//! Fetches from addresses that strangers name: only public ones, resolved once and connected to as
//! resolved, without redirects, with limits on size and time. Failures reveal little, so that callers do not learn
//! about networks that only this server can see.

use std::{error::Error, iter::successors, net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use net::{
    addresses::is_public,
    body::{self, BodyError},
    https::client_builder,
    loopback::is_loopback,
    resolver::{self, Judge, JudgedResolver, Lookup},
};
use reqwest::{Client, Response, redirect::Policy};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::{Host, Url};

use super::{freshness::Freshness, reach::Reach};
use crate::rate_limit::RateLimit;

/// From the name to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// More than one network can start within [`FETCH_TIMEOUT`].
const MAX_CONCURRENT_FETCHES: usize = 256;
/// Fetches per minute: in total, from one origin, and for visitors of one network.
const MAX_PER_MINUTE: u32 = 600;
const MAX_PER_MINUTE_AND_ORIGIN: u32 = 30;
const MAX_PER_MINUTE_AND_NETWORK: u32 = 60;

/// The value of `CDN-Loop` (RFC 8586) in each fetch, which proxies pass on. A request with it causes no
/// further fetch, here or at any other such server.
pub(super) const LOOP_MARKER: &str = "portcullis";
const CDN_LOOP: &str = "cdn-loop";

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The address is not public. Nothing was sent.
    #[error("the address is not public: {0}")]
    NotPublic(String),
    /// The address is this server's own: a document there would describe no client, and reading it
    /// could cause the next fetch. Nothing was sent.
    #[error("the address is this server's own")]
    Own,
    /// The origin could not be reached or failed. Another attempt may succeed.
    #[error("the origin cannot be reached: {0}")]
    Unreachable(String),
    /// Too many fetches are running or were made recently. Another attempt may succeed.
    #[error("too many fetches {0}")]
    TooMany(&'static str),
    /// The origin answered, and the answer is not a document.
    #[error("the answer is not usable: {0}")]
    Unusable(String),
}

impl FetchError {
    /// Whether another attempt may succeed.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TooMany(_))
    }
}

pub(super) struct Fetched {
    /// The body; `None` if the cached one is still valid.
    pub(super) body: Option<Vec<u8>>,
    pub(super) freshness: Freshness,
    /// For the next conditional request.
    pub(super) etag: Option<HeaderValue>,
}

/// The only way to fetch from an address that a stranger named. Clones share the limits.
#[derive(Clone, Debug)]
pub(super) struct GuardedFetch {
    http: Client,
    issuer: Url,
    allows_loopback: bool,
    at_once: Arc<Semaphore>,
    total: RateLimit,
    by_origin: RateLimit,
    by_network: RateLimit,
    reach: Arc<Reach>,
}

impl GuardedFetch {
    /// `issuer` is the address of this server. `allows_loopback` allows fetches from this machine, over
    /// plain http too, for development and tests.
    pub(super) fn new(issuer: Url, allows_loopback: bool) -> Result<Self, reqwest::Error> {
        Self::resolving_by(resolver::system(), issuer, allows_loopback)
    }

    fn resolving_by(
        lookup: Arc<Lookup>,
        issuer: Url,
        allows_loopback: bool,
    ) -> Result<Self, reqwest::Error> {
        let resolver = JudgedResolver::new(lookup, PublicOnly { allows_loopback });
        let http = client_builder()
            .user_agent(concat!("portcullis-auth/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            // A proxy would resolve the name again, unchecked.
            .no_proxy()
            .timeout(FETCH_TIMEOUT)
            // A pooled connection could be used after its name points elsewhere.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(resolver))
            .build()?;
        Ok(Self {
            http,
            issuer,
            allows_loopback,
            at_once: Arc::new(Semaphore::new(MAX_CONCURRENT_FETCHES)),
            total: RateLimit::new(MAX_PER_MINUTE, 60),
            by_origin: RateLimit::new(MAX_PER_MINUTE_AND_ORIGIN, 60),
            by_network: RateLimit::new(MAX_PER_MINUTE_AND_NETWORK, 60),
            reach: Arc::new(Reach::unknown()),
        })
    }

    /// Counts a fetch for a visitor of `network`, so that no network uses up the total.
    pub(super) fn admit_visitor(&self, network: &str, now: i64) -> Result<(), FetchError> {
        let admitted = self.by_network.admit(network, now);
        admitted.map_err(|_| FetchError::TooMany("for this network recently"))
    }

    /// Fetches a JSON document of at most `largest` bytes. `etag` is that of the cached one.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        largest: usize,
        etag: Option<HeaderValue>,
        now: i64,
    ) -> Result<Fetched, FetchError> {
        self.check_address(url)?;
        let _permit = self.admit(url, now)?;
        let mut request = self
            .http
            .get(url.clone())
            .header(header::ACCEPT, "application/json")
            .header(CDN_LOOP, LOOP_MARKER);
        let is_conditional = etag.is_some();
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                if !is_refused_name(&error) {
                    self.reach.note_failure(now);
                }
                return Err(out_of_reach(error));
            }
        };
        self.reach.note_success(now);
        let freshness = Freshness::of(response.headers());
        let etag = response.headers().get(header::ETAG).cloned();
        if response.status() == StatusCode::NOT_MODIFIED && is_conditional {
            return Ok(Fetched { body: None, freshness, etag });
        }
        check_answer(response.status(), response.headers())?;
        let body = Some(read(response, largest).await?);
        Ok(Fetched { body, freshness, etag })
    }

    /// Whether no origin can be reached at the moment.
    pub(super) fn is_cut_off(&self, now: i64) -> bool {
        self.reach.is_cut_off(now)
    }

    /// Checks addresses in the URL. Names are checked when they are resolved.
    fn check_address(&self, url: &Url) -> Result<(), FetchError> {
        if is_same_server(&self.issuer, url) {
            return Err(FetchError::Own);
        }
        if self.allows_loopback && is_loopback(url) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(FetchError::NotPublic(format!("{} is not https", url.scheme())));
        }
        match url.host() {
            Some(Host::Ipv4(address)) if is_public(address.into()) => Ok(()),
            Some(Host::Ipv6(address)) if is_public(address.into()) => Ok(()),
            Some(Host::Domain(name)) if is_public_name(name) => Ok(()),
            _ => Err(FetchError::NotPublic(url.host_str().unwrap_or_default().to_owned())),
        }
    }

    fn admit(&self, url: &Url, now: i64) -> Result<SemaphorePermit<'_>, FetchError> {
        let origin = url.origin().ascii_serialization();
        self.by_origin
            .admit(&origin, now)
            .map_err(|_| FetchError::TooMany("from this origin recently"))?;
        self.total.admit("", now).map_err(|_| FetchError::TooMany("recently"))?;
        // Refused at once, because a queue would only grow.
        self.at_once.try_acquire().map_err(|_| FetchError::TooMany("at once"))
    }
}

/// Whether a URL leads to the server at `issuer`: to its host at any port, or, on this machine with its
/// many servers, to its port by any loopback name.
fn is_same_server(issuer: &Url, url: &Url) -> bool {
    if is_loopback(issuer) {
        is_loopback(url) && url.port_or_known_default() == issuer.port_or_known_default()
    } else {
        url.host() == issuer.host()
    }
}

/// Whether a request is itself a fetch, by this server or another Portcullis.
pub(crate) fn is_fetch(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CDN_LOOP).iter().filter_map(|value| value.to_str().ok());
    let mut entries = values.flat_map(|value| value.split(','));
    entries.any(|entry| {
        let name = entry.split(';').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case(LOOP_MARKER)
    })
}

/// Whether the public DNS can have a name: it has a dot, and no domain of private networks.
fn is_public_name(name: &str) -> bool {
    const PRIVATE: [&str; 6] =
        [".localhost", ".internal", ".local", ".home.arpa", ".onion", ".alt"];
    name.contains('.')
        && !name.ends_with('.')
        && !PRIVATE.iter().any(|domain| name.ends_with(domain))
}

fn check_answer(status: StatusCode, headers: &HeaderMap) -> Result<(), FetchError> {
    let unusable = |why: String| Err(FetchError::Unusable(why));
    match status.as_u16() {
        200 => {}
        // A bot filter in front of the origin may refuse servers. That does not mean that the client has
        // removed its document.
        401 | 403 | 408 | 425 | 429 | 500..=599 => {
            return Err(FetchError::Unreachable(format!("it answered {status}")));
        }
        _ => return unusable(format!("it answered {status}")),
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !media_type.is_some_and(is_json) {
        return unusable("it is not application/json in UTF-8".into());
    }
    // Gzip is decoded by now; no other encoding was requested.
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => unusable(format!("it is in {encoding:?}")),
        _ => Ok(()),
    }
}

fn is_json(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json");
    is_json
        && parts.all(|part| match part.strip_prefix("charset=") {
            Some(charset) => charset.trim_matches('"') == "utf-8",
            None => true,
        })
}

async fn read(response: Response, max_bytes: usize) -> Result<Vec<u8>, FetchError> {
    body::read(response, max_bytes).await.map_err(|error| match error {
        BodyError::TooLarge => FetchError::Unusable(format!("it is larger than {max_bytes} bytes")),
        BodyError::Failed(error) if error.is_decode() => {
            FetchError::Unusable("it cannot be decompressed".into())
        }
        BodyError::Failed(error) => out_of_reach(error),
    })
}

/// A name resolved to an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
struct NotPublicName;

/// Whether the request only failed because its name was refused, which says nothing about the network.
fn is_refused_name(error: &reqwest::Error) -> bool {
    successors(error.source(), |&cause| cause.source()).any(|cause| cause.is::<NotPublicName>())
}

fn out_of_reach(error: reqwest::Error) -> FetchError {
    let chain = successors(Some(&error as &dyn Error), |&cause| cause.source());
    FetchError::Unreachable(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// Refuses a name if any of its addresses is not public.
struct PublicOnly {
    allows_loopback: bool,
}

impl Judge for PublicOnly {
    type Refusal = NotPublicName;

    async fn judge(&self, name: &str, addresses: &[IpAddr]) -> Result<(), NotPublicName> {
        let is_this_machine = self.allows_loopback && name == "localhost";
        let is_allowed = |address: &IpAddr| {
            if is_this_machine { address.is_loopback() } else { is_public(*address) }
        };
        if !addresses.is_empty() && addresses.iter().all(is_allowed) {
            Ok(())
        } else {
            Err(NotPublicName)
        }
    }
}

#[cfg(test)]
mod tests;
