//! An upstream that speaks MCP over HTTP.

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        HeaderName, HeaderValue, StatusCode, Uri, Version,
        header::{AUTHORIZATION, LOCATION},
        request::Parts,
        uri::PathAndQuery,
    },
    response::Response,
};
use bytes::Bytes;
use guard::Caller;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use net::https;
use tokio::time::timeout;
use url::Url;

use crate::{
    config::{Config, ConfigError},
    failure::Failure,
    headers::{clean_request, clean_response},
    identity::Identity,
};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How long a connection is kept without a request. Node closes them after five seconds, and a request
/// that meets the end of its connection could not be repeated.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The upstream. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct HttpUpstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Origin and path, to which the query of a request is added.
    url: Uri,
    authorization: Option<HeaderValue>,
    public_host: HeaderValue,
    public_scheme: HeaderValue,
    answer_timeout: Duration,
    identity: Identity,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl HttpUpstream {
    pub(super) fn new(config: &Config, url: &Url, identity: Identity) -> Result<Self, ConfigError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(config.connect_timeout)));
        let tls = https::tls().map_err(|error| ConfigError::Certificates(error.to_string()))?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        let why = "it must be a URL with a host";
        let url = url.as_str().parse().map_err(|_| ConfigError::url("GATE_UPSTREAM", "", why))?;
        let [public_scheme, public_host] = config.public_origin()?;
        Ok(Self(Arc::new(Inner {
            url,
            authorization: config.upstream_authorization()?,
            public_host,
            public_scheme,
            answer_timeout: Duration::from_secs(config.answer_timeout),
            identity,
            http,
        })))
    }

    /// Passes a request that the guard has admitted, and the response as it comes.
    pub(super) async fn pass(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        // The guard has read the body, within its limit.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        match self.ask(parts, body.clone()).await {
            Ok(response) => response,
            Err(failure) => failure.answer(&body),
        }
    }

    async fn ask(&self, mut parts: Parts, body: Bytes) -> Result<Response, Failure> {
        let Inner { identity, http, answer_timeout, .. } = &*self.0;
        clean_request(&mut parts.headers);
        parts.headers.extend(self.0.authorization.clone().map(|token| (AUTHORIZATION, token)));
        parts.headers.insert(FORWARDED_HOST, self.0.public_host.clone());
        parts.headers.insert(FORWARDED_PROTO, self.0.public_scheme.clone());
        if let Some(caller) = parts.extensions.remove::<Caller>() {
            identity.tell(&caller, &mut parts.headers).map_err(|error| {
                tracing::error!(%error, "an identity cannot be signed");
                Failure::Unsigned
            })?;
        }
        parts.uri = self.target(&parts.uri);
        parts.version = Version::HTTP_11;
        let asked = http.request(Request::from_parts(parts, Full::new(body)));
        let response = timeout(*answer_timeout, asked).await.map_err(|_| Failure::TooSlow)?;
        let response = response.map_err(|error| {
            let cause = chain(&error);
            tracing::error!(upstream = %self.0.url, cause, "the upstream cannot be reached");
            Failure::Unreachable
        })?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // The caller would take it for a refusal of their token, and sign in again and again.
            return Err(Failure::GateRefused);
        }
        if response.status().is_redirection() {
            let to = response.headers().get(LOCATION);
            tracing::error!(upstream = %self.0.url, ?to, "the upstream redirects; set GATE_UPSTREAM to that");
            return Err(Failure::Moved);
        }
        let mut response = response.map(Body::new);
        clean_response(response.headers_mut());
        Ok(response)
    }

    /// The URL of the upstream, with the query of the request.
    fn target(&self, asked: &Uri) -> Uri {
        let Some(query) = asked.query() else {
            return self.0.url.clone();
        };
        let mut parts = self.0.url.clone().into_parts();
        let path = format!("{}?{query}", self.0.url.path());
        parts.path_and_query = PathAndQuery::try_from(path).ok();
        Uri::from_parts(parts).unwrap_or_else(|_| self.0.url.clone())
    }
}

/// An error and what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
