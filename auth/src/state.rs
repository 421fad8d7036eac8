//! What every handler may use.

use std::sync::Arc;

use axum::extract::FromRef;
use keys::{
    Algorithm, Authenticator, KeyError, KeyRing, MasterSecrets, RingEntry, SealError, Sealer,
    SigningKey,
};
use thiserror::Error;
use web::Brand;

use crate::{
    back_channel_logout,
    clients::RemoteClients,
    clock::Clock,
    config::{Config, ConfigError, Logo},
    oauth::{resource::Resource, trusted_issuer::TrustedIssuer},
    storage::{Database, OpenError, StorageError, signing_keys},
    upstream::{Upstreams, UpstreamsError},
};

/// The server could not be made ready.
#[derive(Debug, Error)]
pub enum StartError {
    /// The settings do not fit together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database is not usable.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database fails while starting.
    #[error("the database fails: {0}")]
    Storage(#[from] StorageError),
    /// The signing keys do not open.
    #[error(
        "the signing keys in the database do not open under the master secret file: {0}; put the \
         secret that sealed them back into AUTH_SECRET_FILE (it may stand on a second line)"
    )]
    WrongMasterSecret(SealError),
    /// A key cannot be made or read.
    #[error("the signing key is not usable: {0}")]
    Key(#[from] KeyError),
    /// The upstreams are not usable.
    #[error(transparent)]
    Upstreams(#[from] UpstreamsError),
    /// An HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// What the master secrets are used for, one key each.
#[derive(Clone, Debug)]
pub struct Seals {
    /// Private signing keys at rest.
    pub signing_key: Sealer,
    /// Open registrations, which travel as `client_id`.
    pub registration: Sealer,
    /// A sign-in on its way to the upstream and back.
    pub sign_in: Sealer,
    /// A consent page's request.
    pub consent: Sealer,
    /// Secrets of open registrations, derived from their `client_id`.
    pub client_secret: Authenticator,
    /// What lets a client manage its open registration, derived from its `client_id`.
    pub registration_access: Authenticator,
    /// Refresh tokens.
    pub refresh_token: Authenticator,
    /// Authorization requests that were pushed.
    pub pushed_request: Sealer,
    /// Nonces for proofs of possession.
    pub dpop_nonce: Authenticator,
    /// Proof that a form came from a page of this session.
    pub csrf: Authenticator,
}

impl Seals {
    fn new(secrets: &MasterSecrets) -> Self {
        Self {
            signing_key: secrets.sealer("signing-key"),
            registration: secrets.sealer("registration"),
            sign_in: secrets.sealer("sign-in"),
            consent: secrets.sealer("consent"),
            client_secret: secrets.authenticator("client-secret"),
            registration_access: secrets.authenticator("registration-access"),
            refresh_token: secrets.authenticator("refresh-token"),
            pushed_request: secrets.sealer("pushed-request"),
            dpop_nonce: secrets.authenticator("dpop-nonce"),
            csrf: secrets.authenticator("csrf"),
        }
    }
}

/// Shared by all requests; cheap to clone.
#[derive(Clone, Debug, FromRef)]
pub struct AppState {
    /// The database.
    pub db: Database,
    /// Signing keys.
    pub keys: Arc<KeyRing>,
    /// Seals and tags.
    pub seals: Arc<Seals>,
    /// Settings.
    pub config: Arc<Config>,
    /// What tokens are issued for.
    pub resources: Arc<[Resource]>,
    /// Whose assertions are believed.
    pub trusted_issuers: Arc<[TrustedIssuer]>,
    /// Where people sign in.
    pub upstreams: Upstreams,
    /// Speaks to clients' own servers.
    pub http: reqwest::Client,
    /// Whose pages these are.
    pub brand: Arc<Brand>,
    /// The operator's logo, if there is one.
    pub logo: Option<Arc<Logo>>,
    /// Documents and keys of clients, at addresses that they name.
    pub remote_clients: RemoteClients,
    /// The time.
    pub clock: Clock,
}

impl AppState {
    /// Checks the settings, opens the database and reads the keys, or says why it cannot.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        config.check()?;
        let resources = config.resources()?;
        let trusted_issuers = config.trusted_issuers()?;
        let (brand, logo) = config.brand.load()?;
        let seals = Seals::new(&config.secret.master_secrets()?);
        let db = Database::open(&config.database.url).await?;
        let keys = open_key_ring(&db, &seals.signing_key, clock.now()).await?;
        Ok(Self {
            keys: Arc::new(keys),
            seals: Arc::new(seals),
            remote_clients: RemoteClients::new(
                config.insecure_metadata_documents_on_loopback,
                clock.clone(),
            )?,
            upstreams: Upstreams::new(&config)?,
            http: back_channel_logout::http_client(config.is_local())?,
            resources: resources.into(),
            trusted_issuers: trusted_issuers.into(),
            brand: Arc::new(brand),
            logo: logo.map(Arc::new),
            config: Arc::new(config),
            db,
            clock,
        })
    }
}

/// Reads the keys. The first start makes one; later a key that does not open stops the start,
/// because a fresh key would quietly void every token there is.
async fn open_key_ring(db: &Database, sealer: &Sealer, now: i64) -> Result<KeyRing, StartError> {
    let transaction = db.begin().await?;
    let mut rows = signing_keys::all(&transaction).await?;
    if rows.is_empty() {
        let key = SigningKey::generate(Algorithm::default())?;
        let row = signing_keys::Model {
            kid: key.kid().into(),
            algorithm: key.algorithm().to_string(),
            sealed_private_jwk: sealer
                .seal(&key.private_jwk())
                .map_err(StartError::WrongMasterSecret)?,
            activates_at: now,
            retires_at: None,
        };
        signing_keys::add(&transaction, row.clone()).await?;
        rows.push(row);
    }
    transaction.commit().await?;
    rows.iter().map(|row| open_key(row, sealer)).collect::<Result<_, _>>().map(KeyRing::new)
}

fn open_key(row: &signing_keys::Model, sealer: &Sealer) -> Result<RingEntry, StartError> {
    let jwk: String =
        sealer.open(&row.sealed_private_jwk).map_err(StartError::WrongMasterSecret)?;
    Ok(RingEntry {
        key: SigningKey::from_json(jwk.as_bytes())?,
        activates_at: row.activates_at,
        retires_at: row.retires_at,
    })
}
