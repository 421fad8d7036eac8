//! The content of the credentials file: registrations, pinned issuers and grants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::oauth::{grant::Grant, registration::ClientRegistration};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    version: u32,
    /// Which grant each server's address leads to: what its metadata said at the last sign-in.
    #[serde(default)]
    servers: BTreeMap<String, GrantKey>,
    #[serde(default)]
    registrations: BTreeMap<String, ClientRegistration>,
    /// At which issuer each client that was registered beforehand was first used.
    #[serde(default)]
    pinned_issuers: BTreeMap<String, String>,
    #[serde(default)]
    grants: BTreeMap<String, BTreeMap<String, Grant>>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct GrantKey {
    issuer: String,
    resource: String,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            version: VERSION,
            servers: BTreeMap::new(),
            registrations: BTreeMap::new(),
            pinned_issuers: BTreeMap::new(),
            grants: BTreeMap::new(),
        }
    }
}

impl Stored {
    /// Which version of the format it is in, if it is another than this program's.
    pub(super) fn other_version(&self) -> Option<u32> {
        (self.version != VERSION).then_some(self.version)
    }

    /// The grant for the server at `server`.
    pub(crate) fn grant(&self, server: &Url) -> Option<&Grant> {
        let key = self.servers.get(server.as_str())?;
        self.grants.get(&key.issuer)?.get(&key.resource)
    }

    /// Stores `grant` for `server`. Returns the earlier grant if it had another issuer or resource
    /// and no other server uses it: nothing would find it again, so it should be revoked.
    pub(crate) fn keep_grant(&mut self, server: &Url, grant: Grant) -> Option<Grant> {
        let key = GrantKey { issuer: grant.issuer.clone(), resource: grant.resource.clone() };
        let before = self.servers.insert(server.to_string(), key);
        self.grants.entry(grant.issuer.clone()).or_default().insert(grant.resource.clone(), grant);
        let before = before.filter(|key| !self.servers.values().any(|other| other == key))?;
        let orphan = self.grants.get_mut(&before.issuer)?.remove(&before.resource);
        self.grants.retain(|_, grants| !grants.is_empty());
        orphan
    }

    /// Marks the access token for `server` as expired, if it still is the one that was `refused`.
    pub(crate) fn mark_refused(&mut self, server: &Url, refused: &Grant, now: i64) {
        if self.grant(server) == Some(refused) {
            self.keep_grant(server, Grant { expires_at: Some(now), ..refused.clone() });
        }
    }

    pub(crate) fn forget_grant(&mut self, server: &Url) {
        let Some(key) = self.servers.remove(server.as_str()) else { return };
        if let Some(grants) = self.grants.get_mut(&key.issuer) {
            grants.remove(&key.resource);
        }
        self.grants.retain(|_, grants| !grants.is_empty());
    }

    /// The issuer that the client `client_id`, registered beforehand, was first used at.
    pub(crate) fn pinned_issuer(&self, client_id: &str) -> Option<&str> {
        self.pinned_issuers.get(client_id).map(String::as_str)
    }

    /// Remembers that `client_id` belongs to `issuer`.
    pub(crate) fn pin_issuer(&mut self, client_id: &str, issuer: &str) {
        self.pinned_issuers.insert(client_id.to_owned(), issuer.to_owned());
    }

    /// Removes the registration at `issuer`. A sign-in stores it again when it succeeds, so that a
    /// registration that fails is not tried twice.
    pub(crate) fn take_registration(&mut self, issuer: &str) -> Option<ClientRegistration> {
        self.registrations.remove(issuer)
    }

    pub(crate) fn keep_registration(&mut self, issuer: &str, registration: ClientRegistration) {
        self.registrations.insert(issuer.to_owned(), registration);
    }
}
