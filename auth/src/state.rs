//! What every handler may use.

use std::sync::Arc;

use axum::extract::FromRef;
use keys::{Algorithm, Authenticator, MasterSecrets, Sealer};
use thiserror::Error;
use web::Brand;

use crate::{
    back_channel_logout,
    clients::RemoteClients,
    clock::Clock,
    config::{Config, ConfigError, Logo},
    key_ring::{KeyRingError, LiveKeyRing},
    oauth::{resource::Resource, trusted_issuer::TrustedIssuer},
    storage::{Database, OpenError},
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
    /// The signing keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
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
    /// A device page's request.
    pub device: Sealer,
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
    /// What comes of these secrets.
    pub fn new(secrets: &MasterSecrets) -> Self {
        Self {
            signing_key: secrets.sealer("signing-key"),
            registration: secrets.sealer("registration"),
            sign_in: secrets.sealer("sign-in"),
            consent: secrets.sealer("consent"),
            device: secrets.sealer("device"),
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
    pub keys: Arc<LiveKeyRing>,
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
        let longest = longest_token(&config, &resources);
        config.keys.check(longest)?;
        let (brand, logo) = config.brand.load()?;
        let seals = Seals::new(&config.secret.master_secrets()?);
        let db = Database::open(&config.database.url).await?;
        let rotation = config.keys.rotation(longest);
        let algorithms = algorithms(config.keys.signing_algorithm, &resources);
        let keys =
            LiveKeyRing::open(&db, &seals.signing_key, (algorithms, rotation), clock.now()).await?;
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

impl AppState {
    /// Whether this is the algorithm that answers to clients are signed with.
    pub fn signs_by(&self, algorithm: Option<&str>) -> bool {
        algorithm == Some(self.config.keys.signing_algorithm.as_str())
    }

    /// Seconds that no access token outlives.
    pub fn longest_token(&self) -> i64 {
        longest_token(&self.config, &self.resources)
    }
}

/// Seconds that no access token outlives.
fn longest_token(config: &Config, resources: &[Resource]) -> i64 {
    let own = resources.iter().filter_map(|resource| resource.access_token_lifetime);
    own.fold(config.access_token_lifetime, i64::max)
}

/// All that tokens are signed with, the default first.
fn algorithms(default: Algorithm, resources: &[Resource]) -> Vec<Algorithm> {
    let mut algorithms = vec![default];
    for algorithm in resources.iter().filter_map(|resource| resource.signing_algorithm) {
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    algorithms
}
