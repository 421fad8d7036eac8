//! What is known of the browser or program at the other end: enough for its owner to recognise
//! it, and no more.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, header::USER_AGENT, request::Parts},
};
use uuid::Uuid;

use crate::{
    state::AppState,
    storage::{EventKind, security_events},
};

/// Browsers by the word in `User-Agent` that no other has; the more particular come first.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems, in the same manner.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Who sends a request, as far as a request tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// The address, behind the proxies that the settings trust.
    pub(crate) address: Option<IpAddr>,
    /// The browser, as in "Firefox on Linux"; empty where it did not say.
    pub(crate) device: String,
    /// Whether the request comes from a page of this site, or of a click or an address that the
    /// person typed. Another site's page can send a browser here without either.
    pub(crate) is_deliberate: bool,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let Parts { extensions, headers, .. } = parts;
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self {
            address: address_of(extensions, headers, state.config.trusted_proxies),
            device: device(agent.unwrap_or_default()),
            is_deliberate: is_deliberate(headers),
        })
    }
}

impl Visitor {
    /// The address as limits count it.
    pub(crate) fn limited_address(&self) -> String {
        limited_address(self.address)
    }

    /// The network that the address is in: the first 24 bits of IPv4, the first 48 of IPv6. Empty
    /// where no address is known.
    pub(crate) fn network(&self) -> String {
        match self.address.map(|address| address.to_canonical()) {
            None => String::new(),
            Some(address) if address.is_loopback() => "localhost".into(),
            Some(IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            Some(IpAddr::V6(address)) => {
                let [a, b, c, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        }
    }

    pub(crate) fn event(
        &self,
        user_id: Uuid,
        kind: EventKind,
        subject: &str,
        now: i64,
    ) -> security_events::Model {
        security_events::Model {
            subject: subject.into(),
            device: self.device.clone(),
            network: self.network(),
            ..security_events::Model::new(user_id, kind, now)
        }
    }
}

/// The address that a request comes from, behind so many trusted proxies.
pub(crate) fn address_of(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted_proxies: usize,
) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    address(peer, headers, trusted_proxies)
}

/// An address as limits count it: an IPv4 address, or the 64 bits of IPv6 that one host can choose
/// its address from. All whose address is not known are one.
pub(crate) fn limited_address(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".into(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Each trusted proxy has appended whom it was talking to, so the visitor is that many entries
/// from the end. Earlier entries were written by the visitor and are ignored.
fn address(peer: Option<IpAddr>, headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    if trusted_proxies == 0 {
        return peer;
    }
    let entries: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let entry = entries.len().checked_sub(trusted_proxies).and_then(|at| entries.get(at))?;
    entry.trim().parse().ok()
}

/// Reads Fetch Metadata, which no page can forge. A browser so old that it sends none is not
/// believed to be sent here by a click.
fn is_deliberate(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_of_this_site = ["same-origin", "same-site", "none"].contains(&text("sec-fetch-site"));
    is_of_this_site || text("sec-fetch-user") == "?1"
}

/// Browser and system in words. Anything else about a `User-Agent` is the visitor's own text, and
/// is not kept.
fn device(agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.into(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_and_its_system_are_named() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                    Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(device(firefox), "Firefox on Linux");
        assert_eq!(device(edge), "Edge on Windows");
        assert_eq!(device(safari), "Safari on iPhone");
    }

    #[test]
    fn nothing_that_a_visitor_wrote_is_kept() {
        assert_eq!(device("<script>alert(1)</script>"), "");
        assert_eq!(device(""), "");
    }

    #[test]
    fn another_site_sends_a_browser_here_by_a_click_or_not_at_all() {
        let is_deliberate = |headers: &[(&'static str, &'static str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            is_deliberate(&headers.collect())
        };
        for site in ["same-origin", "same-site", "none"] {
            assert!(is_deliberate(&[("sec-fetch-site", site)]), "{site}");
        }
        let cross_site = ("sec-fetch-site", "cross-site");
        assert!(is_deliberate(&[cross_site, ("sec-fetch-user", "?1")]));
        for headers in [&[][..], &[cross_site], &[cross_site, ("sec-fetch-user", "?0")]] {
            assert!(!is_deliberate(headers), "{headers:?}");
        }
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.9".parse().unwrap());
        let peer = "10.0.0.1".parse().ok();
        assert_eq!(address(peer, &headers, 0), peer);
        assert_eq!(address(peer, &headers, 1), "203.0.113.9".parse().ok());
        assert_eq!(address(peer, &headers, 3), None);
    }

    #[test]
    fn limits_count_the_addresses_that_one_host_can_choose_as_one() {
        let counted = |address: &str| {
            Visitor { address: address.parse().ok(), ..Visitor::default() }.limited_address()
        };
        assert_eq!(counted("2001:db8:1:2::3"), counted("2001:db8:1:2:ffff::4"));
        assert!(counted("2001:db8:1:2::3") != counted("2001:db8:1:3::3"));
        assert!(counted("203.0.113.9") != counted("203.0.113.10"));
        assert_eq!(counted("::ffff:203.0.113.9"), counted("203.0.113.9"));
        assert_eq!(counted(""), "unknown");
    }

    #[test]
    fn a_network_is_not_an_address() {
        let network = |address: &str| {
            Visitor { address: address.parse().ok(), ..Visitor::default() }.network()
        };
        assert_eq!(network("203.0.113.9"), "203.0.113.0/24");
        assert_eq!(network("::ffff:203.0.113.9"), "203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(network("127.0.0.1"), "localhost");
        assert_eq!(network(""), "");
    }
}
