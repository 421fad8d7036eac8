//! Which addresses a host name may resolve to: resolved once, checked, and connected to as checked.
//!
//! Metadata may name any host, including one that resolves into the user's private network: a
//! router, or the metadata service of a cloud. So the addresses of every name are checked where the
//! connection is made, without a second look-up that could answer differently (DNS rebinding). Only
//! a server in a private network may name a host there.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use net::{
    addresses::is_public,
    resolver::{Judge, Lookup},
};
use url::{Host, Url};

/// Why the addresses of a name are not connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// The name resolves to a private address, and the server is public.
    #[error("its name leads to {0}, and a remote server may not send this client there")]
    Inward(IpAddr),
    /// The server's own name resolves to public and to private addresses, which looks like an
    /// attack.
    #[error("its name leads to public addresses and to {0} as well")]
    BothWays(IpAddr),
    /// The server's own name resolved to the other side when it was first looked up.
    #[error("its name leads to {0} now; a moment ago it led elsewhere")]
    Changed(IpAddr),
    /// Requests to the name, which may be plain http, must not leave this machine (RFC 6761 §6.3).
    #[error("it is a name of this machine, and leads to {0}")]
    NotThisMachine(IpAddr),
    #[error("its name has no address")]
    Nowhere,
}

/// Which side of this network the server is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Outside,
    /// On this machine or in a private network.
    Inside,
}

/// Checks the names for one server; clones share what was learnt.
#[derive(Clone)]
pub(super) struct Guard(Arc<Shared>);

struct Shared {
    server: Option<String>,
    lookup: Arc<Lookup>,
    learnt: Mutex<Learnt>,
}

#[derive(Default)]
struct Learnt {
    side: Option<Side>,
    targets: BTreeSet<String>,
}

impl Guard {
    /// A guard for whatever `server` points at.
    pub(super) fn new(server: &Url, lookup: Arc<Lookup>) -> Self {
        let name = match server.host() {
            Some(Host::Domain(name)) if !is_this_machine(name) => Some(name.to_owned()),
            _ => None,
        };
        let side = match (&name, points_inward(server)) {
            (Some(_), _) => None,
            (None, true) => Some(Side::Inside),
            (None, false) => Some(Side::Outside),
        };
        let learnt = Mutex::new(Learnt { side, targets: BTreeSet::new() });
        Self(Arc::new(Shared { server: name, lookup, learnt }))
    }

    /// Expects requests to `url`. Any other name that is looked up belongs to a proxy, which the
    /// user has configured and which decides by itself what it connects to.
    pub(super) fn expect(&self, url: &Url) {
        if let Some(Host::Domain(name)) = url.host() {
            self.learnt(|learnt| learnt.targets.insert(name.to_owned()));
        }
    }

    /// Whether the server is on this machine or in a private network itself. If its name has not
    /// been looked up yet, that is done now.
    pub(super) async fn is_inside(&self) -> bool {
        let known = self.learnt(|learnt| learnt.side);
        let side = match (known, &self.0.server) {
            (Some(side), _) => Some(side),
            (None, Some(name)) => match (self.0.lookup)(name.clone()).await {
                Ok(addresses) => self.judge_server(&addresses).ok(),
                Err(_) => None,
            },
            (None, None) => None,
        };
        side == Some(Side::Inside)
    }

    async fn judge_target(&self, name: &str, addresses: &[IpAddr]) -> Result<(), NameRefused> {
        let inward = addresses.iter().find(|address| !is_public(**address));
        if addresses.is_empty() {
            return Err(NameRefused::Nowhere);
        }
        if is_this_machine(name) {
            let elsewhere = addresses.iter().find(|address| !address.is_loopback());
            return elsewhere.map_or(Ok(()), |address| Err(NameRefused::NotThisMachine(*address)));
        }
        if self.0.server.as_deref() == Some(name) {
            return self.judge_server(addresses).map(drop);
        }
        match inward {
            Some(address) if !self.is_inside().await => Err(NameRefused::Inward(*address)),
            _ => Ok(()),
        }
    }

    /// The side that the server is on. The first answer counts: otherwise a name could first be
    /// trusted as private and then name targets from outside.
    fn judge_server(&self, addresses: &[IpAddr]) -> Result<Side, NameRefused> {
        let first = *addresses.first().ok_or(NameRefused::Nowhere)?;
        let inward = addresses.iter().find(|address| !is_public(**address));
        let side = match inward {
            None => Side::Outside,
            Some(_) if addresses.iter().all(|address| !is_public(*address)) => Side::Inside,
            Some(inward) => return Err(NameRefused::BothWays(*inward)),
        };
        match self.learnt(|learnt| *learnt.side.get_or_insert(side)) {
            known if known == side => Ok(side),
            _ => Err(NameRefused::Changed(first)),
        }
    }

    fn learnt<T>(&self, with: impl FnOnce(&mut Learnt) -> T) -> T {
        with(&mut self.0.learnt.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Judge for Guard {
    type Refusal = NameRefused;

    async fn judge(&self, name: &str, addresses: &[IpAddr]) -> Result<(), NameRefused> {
        if self.learnt(|learnt| learnt.targets.contains(name)) {
            self.judge_target(name, addresses).await
        } else {
            Ok(())
        }
    }
}

/// Whether `name` is one of this machine's own (RFC 6761 §6.3).
fn is_this_machine(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether the host of `url` is this machine by its spelling alone.
pub(super) fn leads_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_this_machine(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the host of `url` is this machine or a private address by its spelling alone.
pub(super) fn points_inward(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_this_machine(name),
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        None => false,
    }
}

#[cfg(test)]
mod tests;
