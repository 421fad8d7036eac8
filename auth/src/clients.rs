//! Finds the client that a `client_id` names.

mod freshness;
mod guarded_fetch;
mod metadata_document;
mod published;
mod reach;
pub(crate) mod registration;
mod remote;
mod well_known;

use std::sync::Arc;

use keys::PublishedKeys;
use net::clock::Clock;
use url::Url;

pub(crate) use self::guarded_fetch::is_fetch;
use self::{
    published::{CLIENT_KEYS, ISSUER_KEYS, Published},
    registration::Registration,
};
use crate::{
    config::{ClientRules, MetadataDocuments, Registration as RegistrationRule},
    oauth::{Client, ClientMetadata, ErrorCode, OAuthError, Provenance, client_id_url},
    seals::Seals,
    storage::{Database, blocked_clients, clients, registrations},
    story,
};

/// Rules for documents and keys that clients publish at their own addresses.
#[derive(Clone, Debug)]
pub(crate) struct DocumentRules {
    /// The address of this server, so that it never fetches from itself.
    pub(crate) issuer: Url,
    /// Whether clients may be known by a metadata document.
    pub(crate) policy: MetadataDocuments,
    /// Which clients may register, and at which hosts documents may be.
    pub(crate) rules: ClientRules,
    /// Allows fetches from this machine, for development and tests.
    pub(crate) allows_loopback: bool,
    /// Whether this server is for this machine alone, so that it may have no network.
    pub(crate) is_local: bool,
}

/// All clients, however they are known. Clones share what they fetch.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    db: Database,
    seals: Arc<Seals>,
    published: Published,
    registration: RegistrationRule,
    clock: Clock,
}

impl Clients {
    pub(crate) fn new(
        db: Database,
        seals: Arc<Seals>,
        clock: Clock,
        documents: DocumentRules,
    ) -> Result<Self, reqwest::Error> {
        let registration = documents.rules.registration;
        let published = Published::new(documents, clock.clone())?;
        Ok(Self { db, seals, published, registration, clock })
    }

    /// Whether to tell clients that they may be known by a metadata document.
    pub(crate) fn advertise_documents(&self) -> bool {
        self.published.advertise_documents()
    }

    /// Whether any client may register itself.
    pub(crate) fn takes_registrations(&self) -> bool {
        self.registration != RegistrationRule::Off
    }

    /// Refuses a registration that the operator does not want. What was registered before is judged by
    /// the same rule whenever it is used, with the code that a client which is not known gets.
    pub(crate) fn check_registration(
        &self,
        metadata: &ClientMetadata,
        code: ErrorCode,
    ) -> Result<(), OAuthError> {
        match self.registration {
            RegistrationRule::Open => Ok(()),
            RegistrationRule::LoopbackOnly if metadata.is_on_loopback() => Ok(()),
            RegistrationRule::LoopbackOnly => Err(code.error(
                "registration_loopback_only",
                "Only programs on the user's own machine may register here: every redirect_uri must be \
                 http on loopback, as in http://127.0.0.1/callback. Ask the operator to enter other \
                 clients.",
            )),
            RegistrationRule::Off => Err(code.error(
                "registration_off",
                "Clients cannot register themselves at this server. Ask its operator to enter the \
                 client, or use a client_id that the operator has given you.",
            )),
        }
    }

    /// Finds a client that this server has a record of, such as a grant.
    pub(crate) async fn find(&self, id: &str) -> Result<Client, OAuthError> {
        self.look_up(id, None).await
    }

    /// Finds the client that a visitor of `network` names. If its document must be fetched for the
    /// first time, that is counted for the network.
    pub(crate) async fn find_for(&self, id: &str, network: &str) -> Result<Client, OAuthError> {
        self.look_up(id, Some(network)).await
    }

    /// Finds a client. The `client_id` of an open registration carries its metadata, a URL leads to a
    /// document, and any other names a row that an operator entered.
    async fn look_up(&self, id: &str, network: Option<&str>) -> Result<Client, OAuthError> {
        let client = self.read(id, network).await?;
        tracing::debug!(
            client_id = story::shown_client_id(id),
            name = client.metadata.client_name,
            provenance = ?client.provenance,
            "client found"
        );
        Ok(client)
    }

    async fn read(&self, id: &str, network: Option<&str>) -> Result<Client, OAuthError> {
        if blocked_clients::is_blocked(self.db.connection(), id).await? {
            return Err(blocked());
        }
        if registration::is_registered_id(id) {
            let found = self.find_registration(id).await?;
            let client =
                found.map(|found| found.into_client(&self.seals, id)).ok_or_else(unknown)?;
            self.check_registration(&client.metadata, ErrorCode::InvalidClient)?;
            return Ok(client);
        }
        if client_id_url::is_url(id) {
            return self.published.client(id, network).await;
        }
        // PostgreSQL accepts no text with a zero byte, and no identifier has one.
        if id.contains('\0') {
            return Err(unknown());
        }
        match clients::find(self.db.connection(), id).await? {
            Some(row) => Ok(pre_registered(row, self.clock.now())),
            None => Err(unknown()),
        }
    }

    /// The registration that a `client_id` carries, as it is now; `None` if it was deleted (RFC 7592).
    pub(crate) async fn find_registration(
        &self,
        id: &str,
    ) -> Result<Option<Registration>, OAuthError> {
        let first =
            Registration::open(&self.seals, id).map_err(|error| unknown().because(error))?;
        Ok(match registrations::find(self.db.connection(), first.id).await? {
            None => Some(first),
            Some(row) => row.metadata.map(|latest| Registration { metadata: latest.0, ..first }),
        })
    }

    /// The public keys that the client registered, for a visitor of `network`.
    pub(crate) async fn public_keys(
        &self,
        client: &Client,
        assertion: &str,
        network: &str,
    ) -> Result<Arc<PublishedKeys>, OAuthError> {
        let unusable = || {
            ErrorCode::InvalidClient
                .error("client_keys_unusable", "The client has registered no usable public key.")
        };
        if let Some(jwks) = &client.metadata.jwks {
            return PublishedKeys::from_json(jwks.to_string().as_bytes())
                .map(Arc::new)
                .map_err(|error| unusable().because(error));
        }
        match &client.metadata.jwks_uri {
            Some(uri) => self.published.keys(uri, assertion, &CLIENT_KEYS, Some(network)).await,
            None => Err(unusable()),
        }
    }

    /// The keys of a trusted issuer, at the address that an operator gave.
    pub(crate) async fn issuer_keys(
        &self,
        uri: &Url,
        assertion: &str,
    ) -> Result<Arc<PublishedKeys>, OAuthError> {
        let keys = self.published.keys(uri, assertion, &ISSUER_KEYS, None).await;
        // They are not the fault of the client that presents the assertion.
        keys.map_err(|error| match error.code {
            ErrorCode::InvalidClient => OAuthError { code: ErrorCode::InvalidGrant, ..error },
            _ => error,
        })
    }
}

fn pre_registered(row: clients::Model, now: i64) -> Client {
    Client {
        secret_hashes: row.live_secret_hashes(now),
        id: row.id,
        provenance: Provenance::PreRegistered,
        metadata: row.metadata.0,
        registration_id: None,
    }
}

/// Not `invalid_client`, because programs register again where they hear that.
fn blocked() -> OAuthError {
    ErrorCode::AccessDenied.error(
        "client_blocked",
        "The operator of this server has blocked this client. Ask the operator, or use another client.",
    )
}

fn unknown() -> OAuthError {
    ErrorCode::InvalidClient
        .error("client_unknown", "This server does not know the client. Register it again.")
}
