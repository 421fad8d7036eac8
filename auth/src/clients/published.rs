//! Documents and keys that clients and trusted issuers publish at their own addresses.

use std::sync::Arc;

use keys::PublishedKeys;
use net::clock::Clock;
use url::Url;

use super::{
    DocumentRules,
    guarded_fetch::{FetchError, GuardedFetch},
    metadata_document,
    remote::{Remote, RemoteError},
    well_known,
};
use crate::{
    config::MetadataDocuments,
    oauth::{Client, ErrorCode, OAuthError, client_id_url},
};

/// Largest set of keys at a `jwks_uri`, in bytes.
const MAX_KEY_SET: usize = 32 * 1024;
/// Seconds between two fetches of keys because none of the known ones fits.
const REFETCH_INTERVAL: i64 = 60;

/// Metadata documents of clients; keys of clients and of trusted issuers. Clones share one cache.
#[derive(Clone, Debug)]
pub(super) struct Published {
    documents: Remote<Client>,
    keys: Remote<PublishedKeys>,
    fetch: GuardedFetch,
    rules: DocumentRules,
    clock: Clock,
}

impl Published {
    pub(super) fn new(rules: DocumentRules, clock: Clock) -> Result<Self, reqwest::Error> {
        let fetch = GuardedFetch::new(rules.issuer.clone(), rules.allows_loopback)?;
        Ok(Self {
            documents: Remote::new(
                fetch.clone(),
                clock.clone(),
                metadata_document::MAX_DOCUMENT,
                metadata_document::read,
            ),
            keys: Remote::new(fetch.clone(), clock.clone(), MAX_KEY_SET, read_keys),
            fetch,
            rules,
            clock,
        })
    }

    /// Whether to advertise metadata documents. A client that sees them advertised uses its own, and
    /// fails if this server cannot fetch it. So `auto` advertises them neither on a developer's machine,
    /// which may be offline, nor while no origin can be reached.
    pub(super) fn advertise_documents(&self) -> bool {
        match self.rules.policy {
            MetadataDocuments::On => true,
            MetadataDocuments::Off => false,
            MetadataDocuments::Auto => {
                let may_be_offline = self.rules.is_local && !self.rules.allows_loopback;
                !may_be_offline && !self.fetch.is_cut_off(self.clock.now())
            }
        }
    }

    /// The client that the document at `id` describes, for a visitor of `network`.
    pub(super) async fn client(
        &self,
        id: &str,
        network: Option<&str>,
    ) -> Result<Client, OAuthError> {
        if self.rules.policy == MetadataDocuments::Off {
            return Err(ErrorCode::InvalidClient.error(
                "metadata_documents_off",
                "This server takes no client metadata documents. Register the client instead.",
            ));
        }
        let url = client_id_url::parse(id, self.rules.allows_loopback)?;
        self.check_host(&url)?;
        match self.documents.get(&url, network).await {
            Ok(client) => Ok(Client::clone(&client)),
            Err(error) => {
                let copy = if error.is_outage() { well_known::find(id) } else { None };
                copy.ok_or_else(|| refusal(error, &DOCUMENT))
            }
        }
    }

    /// Refuses a document at a host that the operator has not named, if any are named.
    fn check_host(&self, url: &Url) -> Result<(), OAuthError> {
        let host = url.host_str().unwrap_or_default();
        let hosts = &self.rules.rules.document_hosts;
        if hosts.as_ref().is_none_or(|hosts| hosts.contains(host)) {
            return Ok(());
        }
        Err(ErrorCode::InvalidClient.error(
            "metadata_document_host",
            format!(
                "This server takes client metadata documents of certain hosts only, and {host} is not one \
                 of them. Ask its operator to allow it."
            ),
        ))
    }

    /// The keys at `uri`. If none fits the assertion, they are fetched again, at most once per
    /// [`REFETCH_INTERVAL`].
    pub(super) async fn keys(
        &self,
        uri: &Url,
        assertion: &str,
        purpose: &Purpose,
        network: Option<&str>,
    ) -> Result<Arc<PublishedKeys>, OAuthError> {
        let refused = |error| refusal(error, purpose);
        let keys = self.keys.get(uri, network).await.map_err(refused)?;
        if keys.may_verify(assertion).unwrap_or(true) {
            return Ok(keys);
        }
        let oldest = self.clock.now() - REFETCH_INTERVAL;
        self.keys.newer_than(uri, oldest, network).await.map_err(refused)
    }
}

fn read_keys(_: &str, body: &[u8]) -> Result<PublishedKeys, RemoteError> {
    PublishedKeys::from_json(body)
        .map_err(|error| RemoteError::Unusable("client_keys_malformed", error.to_string()))
}

/// What is fetched, with the reason codes of its refusals.
pub(super) struct Purpose {
    what: &'static str,
    out_of_reach: &'static str,
    not_allowed: &'static str,
    not_usable: &'static str,
}

const DOCUMENT: Purpose = Purpose {
    what: "The client's metadata document",
    out_of_reach: "metadata_document_unreachable",
    not_allowed: "metadata_document_address",
    not_usable: "metadata_document_answer",
};

/// For the keys of a trusted issuer.
pub(super) const ISSUER_KEYS: Purpose = Purpose {
    what: "The jwks_uri of the assertion's issuer",
    out_of_reach: "issuer_keys_unreachable",
    not_allowed: "issuer_keys_address",
    not_usable: "issuer_keys_answer",
};

/// For the keys of a client.
pub(super) const CLIENT_KEYS: Purpose = Purpose {
    what: "The client's jwks_uri",
    out_of_reach: "client_keys_unreachable",
    not_allowed: "client_keys_address",
    not_usable: "client_keys_answer",
};

/// The refusal after a fetch that failed. It says enough to correct the document, and nothing about
/// networks that only this server can see. The log has the rest.
fn refusal(error: RemoteError, purpose: &Purpose) -> OAuthError {
    let what = purpose.what;
    let client = |reason, description: String| ErrorCode::InvalidClient.error(reason, description);
    match &error {
        RemoteError::Unusable(reason, why) => {
            client(reason, format!("{what} is not usable: {why}."))
        }
        RemoteError::Fetch(cause) => match cause.as_ref() {
            FetchError::NotPublic(_) => client(
                purpose.not_allowed,
                format!("{what} must be at an https address of the public Internet."),
            ),
            FetchError::Own => client(
                purpose.not_allowed,
                format!("{what} cannot be at an address of this server."),
            ),
            FetchError::Unusable(why) => {
                client(purpose.not_usable, format!("{what} cannot be used: {why}."))
            }
            FetchError::Unreachable(_) | FetchError::TooMany(_) => {
                ErrorCode::TemporarilyUnavailable.error(
                    purpose.out_of_reach,
                    format!("{what} could not be fetched just now. Try again in a moment."),
                )
            }
        },
    }
    .because(error)
}
