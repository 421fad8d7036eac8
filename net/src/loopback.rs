//! URLs that point to this machine.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether the host of `url` is one of the three standard names of this machine: `localhost`,
/// `127.0.0.1` or `[::1]` (RFC 8252 §7.3 and §8.3).
///
/// Other spellings, such as `127.0.0.2` or `app.localhost`, usually lead here too. They do not on
/// every system, and no server of this project answers to them, so they are not loopback.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// Checks that `text` can be the URL of a server that others know by it, and compare with theirs: https, or
/// http on loopback, with neither query nor fragment.
///
/// # Errors
/// What is wrong with it, after "it".
pub fn check_public_url(text: &str) -> Result<(), &'static str> {
    let Ok(url) = Url::parse(text) else {
        return Err("it must be a URL");
    };
    if url.fragment().is_some() || url.query().is_some() {
        return Err("it must have neither query nor fragment");
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err("it must use https, or http on loopback");
    }
    Ok(())
}
