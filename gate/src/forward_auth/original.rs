//! The request that a proxy asks about, as its headers describe it.

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, Uri,
        header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
        uri::PathAndQuery,
    },
};
use percent_encoding::percent_decode_str;

use crate::config::proxy::Proxy;

/// A request that the proxy holds back until it has its answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OriginalRequest {
    method: Method,
    host: HeaderValue,
    target: PathAndQuery,
}

impl OriginalRequest {
    /// Reads the headers of this proxy and no others, because a caller can send those of another
    /// proxy. The error is for the operator of the proxy.
    pub(super) fn read(proxy: Proxy, headers: &HeaderMap) -> Result<Self, &'static str> {
        if proxy == Proxy::Nginx {
            let wrong =
                "The proxy must send the headers X-Original-URL and X-Original-Method once.";
            let url: Uri = parse(headers, "x-original-url").ok_or(wrong)?;
            let host = url.authority().ok_or(wrong)?.as_str();
            let host = HeaderValue::from_str(host).map_err(|_| wrong)?;
            let target = url.path_and_query().cloned().ok_or(wrong)?;
            let method = parse(headers, "x-original-method").ok_or(wrong)?;
            return Ok(Self { method, host, target });
        }
        let wrong = "The proxy must send the headers X-Forwarded-Method, X-Forwarded-Host and \
                     X-Forwarded-Uri once.";
        let host = single(headers, "x-forwarded-host").ok_or(wrong)?.clone();
        let method = parse(headers, "x-forwarded-method").ok_or(wrong)?;
        let target: Uri = parse(headers, "x-forwarded-uri").ok_or(wrong)?;
        let target = target.path_and_query().cloned().ok_or(wrong)?;
        Ok(Self { method, host, target })
    }

    /// Whether the path is that of the resource or below it, however a server resolves it.
    pub(super) fn is_below(&self, resource_path: &str) -> bool {
        let path = self.target.path();
        let base = resource_path.trim_end_matches('/');
        let rest = path.strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && !has_dot_segment(path)
    }

    /// The request, with those of `asked` that the proxy has copied from it.
    pub(super) fn into_request(self, asked: &HeaderMap) -> Request {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method;
        *request.uri_mut() = Uri::from(self.target);
        let headers = request.headers_mut();
        *headers = asked.clone();
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        headers.insert(HOST, self.host);
        request
    }
}

/// Whether a server that decodes the path before it resolves `..` would leave it.
fn has_dot_segment(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|segment| segment == "." || segment == "..")
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn parse<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    single(headers, name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let all = all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        all.for_each(|(name, value): (axum::http::HeaderName, HeaderValue)| {
            headers.append(name, value);
        });
        headers
    }

    const NGINX: [(&str, &str); 2] =
        [("x-original-url", "https://mcp.test:8443/mcp?a=b"), ("x-original-method", "POST")];
    const CADDY: [(&str, &str); 3] = [
        ("x-forwarded-method", "DELETE"),
        ("x-forwarded-host", "mcp.test"),
        ("x-forwarded-uri", "/mcp/x?y"),
    ];

    #[test]
    fn each_proxy_is_believed_in_its_own_headers_only() {
        let both = headers(&[&NGINX[..], &CADDY[..]].concat());
        let nginx = OriginalRequest::read(Proxy::Nginx, &both).unwrap();
        assert_eq!((nginx.method.as_str(), nginx.host.as_bytes()), ("POST", &b"mcp.test:8443"[..]));
        assert_eq!(nginx.target, "/mcp?a=b");
        for proxy in [Proxy::Caddy, Proxy::Traefik] {
            let original = OriginalRequest::read(proxy, &both).unwrap();
            assert_eq!(
                (original.method.as_str(), original.host.as_bytes()),
                ("DELETE", &b"mcp.test"[..])
            );
            assert_eq!(original.target, "/mcp/x?y");
            assert!(OriginalRequest::read(proxy, &headers(&NGINX)).is_err());
        }
        assert!(OriginalRequest::read(Proxy::Nginx, &headers(&CADDY)).is_err());
    }

    #[test]
    fn what_is_missing_repeated_or_malformed_is_refused() {
        for left_out in 0..CADDY.len() {
            let mut some = CADDY.to_vec();
            let (name, _) = some.remove(left_out);
            assert!(OriginalRequest::read(Proxy::Caddy, &headers(&some)).is_err(), "{name}");
            let twice = [&CADDY[..], &CADDY[left_out..=left_out]].concat();
            assert!(OriginalRequest::read(Proxy::Caddy, &headers(&twice)).is_err(), "{name}");
        }
        for url in ["/mcp", "mcp.test", "", "https://", "https://mcp.test/a b"] {
            let changed = headers(&[("x-original-url", url), NGINX[1]]);
            assert!(OriginalRequest::read(Proxy::Nginx, &changed).is_err(), "{url}");
        }
    }

    #[test]
    fn a_path_is_below_that_of_the_resource_however_it_is_resolved() {
        let is_below = |path: &str, resource: &str| {
            let target = path.parse().unwrap();
            let host = HeaderValue::from_static("mcp.test");
            OriginalRequest { method: Method::GET, host, target }.is_below(resource)
        };
        for path in ["/mcp", "/mcp/", "/mcp/messages?x=../y", "/mcp/a..b"] {
            assert!(is_below(path, "/mcp"), "{path}");
        }
        for path in [
            "/",
            "/mcpx",
            "/admin",
            "/mcp/../admin",
            "/mcp/%2e%2E/admin",
            "/mcp/..%2fadmin",
            "/mcp/%2e",
        ] {
            assert!(!is_below(path, "/mcp"), "{path}");
        }
        assert!(is_below("/any", "/") && !is_below("/any/..", "/"));
    }
}
