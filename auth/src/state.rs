//! What every handler may use.

use std::{error::Error, ops::Deref, sync::Arc, time::Duration};

use keys::Algorithm;
use net::clock::Clock;
use net::host::HostNames;
use web::Brand;

use crate::{
    access::AccessPolicy,
    clients::{Clients, DocumentRules},
    config::{Config, ConfigError, ConfigFile, ScimSetting},
    documents::Documents,
    key_ring::{KeyPlan, LiveKeyRing},
    limits::Limits,
    oauth::{Resource, TrustedIssuer},
    seals::Seals,
    storage::{Database, Readiness, StorageError, single_use},
    upstream::{Upstreams, http},
    verified_tokens::VerifiedTokens,
};

/// Longest time for a request to a client's own server.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Shared by all requests. A clone copies one pointer, because axum clones it for each layer of each
/// request.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What [`AppState`] points to.
#[derive(Debug)]
pub struct Shared {
    /// The database.
    pub db: Database,
    /// Whether it can be written.
    pub(crate) readiness: Readiness,
    /// Signing keys.
    pub keys: LiveKeyRing,
    /// Seals and tags.
    pub seals: Arc<Seals>,
    /// Settings.
    pub config: Config,
    /// The names by which requests may address this server.
    pub(crate) host_names: HostNames,
    /// The resources that tokens are issued for.
    pub resources: Vec<Resource>,
    /// Issuers whose assertions are accepted.
    pub trusted_issuers: Vec<TrustedIssuer>,
    pub(crate) upstreams: Upstreams,
    /// Who may come in.
    pub(crate) access: Arc<AccessPolicy>,
    /// The provisioning system, if there is one.
    pub(crate) scim: Option<ScimSetting>,
    /// Speaks to clients' own servers.
    pub(crate) http: reqwest::Client,
    /// The operator's brand on the pages.
    pub brand: Arc<Brand>,
    pub(crate) documents: Documents,
    pub(crate) clients: Clients,
    pub(crate) verified_tokens: VerifiedTokens,
    /// How often strangers may fail, prove and register.
    pub(crate) limits: Limits,
    /// The time.
    pub clock: Clock,
}

impl AppState {
    /// Checks the settings, opens the database and reads the keys, or says why it cannot.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, Box<dyn Error + Send + Sync>> {
        config.check()?;
        let host_names = HostNames::new(config.issuer_url()?, Vec::new());
        let ConfigFile { resources, upstreams, trusted_issuers, access, clients, scim } =
            config.file()?;
        let mut access = access.unwrap_or_else(AccessPolicy::everyone);
        access.provisioning = scim.as_ref().map(|scim| scim.provisioning.clone());
        let longest = longest_token(&config, &resources);
        config.keys.check(longest)?;
        let (brand, logo) = config.brand.load()?;
        let seals = Arc::new(Seals::new(&config.secret.master_secrets()?));
        let db = config.database.open().await?;
        let plan = KeyPlan {
            algorithms: algorithms(config.keys.signing_algorithm, &resources),
            rotation: config.keys.rotation(longest),
        };
        let keys = LiveKeyRing::open(&db, seals.clone(), plan, clock.now()).await?;
        let rules = DocumentRules {
            issuer: config.issuer_url()?,
            policy: clients.documents.unwrap_or(config.metadata_documents),
            rules: clients,
            allows_loopback: config.insecure_metadata_documents_on_loopback,
            is_local: config.is_local(),
        };
        let clients = Clients::new(db.clone(), seals.clone(), clock.clone(), rules)
            .map_err(ConfigError::HttpClient)?;
        Ok(Self(Arc::new(Shared {
            keys,
            seals,
            clients,
            upstreams: Upstreams::new(&config, upstreams, &access.questions())?,
            access: Arc::new(access),
            scim,
            limits: Limits::new(&config.limits),
            http: http::client(REQUEST_TIMEOUT, config.is_local())
                .map_err(ConfigError::HttpClient)?,
            host_names,
            verified_tokens: VerifiedTokens::new(
                config.issuer.clone(),
                resources.iter().map(|resource| resource.resource.clone()).collect(),
            ),
            resources,
            trusted_issuers,
            documents: Documents::new(&brand, logo),
            brand: Arc::new(brand),
            config,
            db,
            readiness: Readiness::default(),
            clock,
        })))
    }

    /// Spends a value that counts once: of all who present it, on any replica, one goes on.
    pub(crate) async fn spend<E: From<StorageError>>(
        &self,
        purpose: &str,
        value: &str,
        until: i64,
        refusal: impl FnOnce() -> E,
    ) -> Result<(), E> {
        let is_first = single_use::remember(self.db.connection(), purpose, value, until).await?;
        if is_first { Ok(()) } else { Err(refusal()) }
    }

    /// Whether this is the algorithm that answers to clients are signed with.
    pub(crate) fn signs_by(&self, algorithm: Option<&str>) -> bool {
        algorithm == Some(self.config.keys.signing_algorithm.as_str())
    }

    /// Seconds that no access token outlives.
    pub(crate) fn longest_token(&self) -> i64 {
        longest_token(&self.config, &self.resources)
    }
}

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
