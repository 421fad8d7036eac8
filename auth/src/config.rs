//! The settings, read once at start and checked as a whole.

mod access;
mod brand;
mod clients;
mod demo;
mod file;
mod limits;
mod scim;
pub mod secret_file;
mod signing;
mod suggestion;
mod upstreams;

use std::{io, net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, Parser, ValueEnum, builder::BoolishValueParser};
use keys::{MasterSecrets, SecretError};
use net::{config_file::Mistake, loopback::is_loopback};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;
use web::Language;

pub use self::brand::{BrandSetting, Logo};
pub(crate) use self::clients::{ClientRules, Registration};
pub(crate) use self::file::ConfigFile;
pub use self::limits::LimitSetting;
pub(crate) use self::scim::ScimSetting;
pub use self::signing::{KeySetting, RELOAD};
pub(crate) use self::upstreams::OpenIdSetting;
pub(crate) use crate::access::GITHUB;
use crate::oauth::resource::{self, MAX_ACCESS_TOKEN_LIFETIME};
use crate::storage::{Database, OpenError};

/// Longest lifetime of all else, in seconds: times are added to others.
const A_CENTURY: i64 = 100 * 365 * 86_400;
/// Longest grace, in seconds: for so long, a stolen refresh token works alongside its owner's.
const MAX_GRACE: i64 = 600;

/// Where everything is kept. The server and its commands share this setting.
#[derive(Clone, Debug, Args)]
pub struct DatabaseSetting {
    /// SQLite file or PostgreSQL server.
    #[arg(
        long,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite://data/auth.db",
        value_parser = secret_text
    )]
    pub database_url: SecretString,
}

impl DatabaseSetting {
    /// Opens the database.
    pub async fn open(&self) -> Result<Database, OpenError> {
        Database::open(self.database_url.expose_secret()).await
    }
}

/// What seals and opens. The server and its commands share this setting.
#[derive(Clone, Debug, Args)]
pub struct SecretSetting {
    /// File of master secrets, one a line: the first seals, all of them open.
    #[arg(long, value_name = "FILE", env = "AUTH_SECRET_FILE", default_value = "data/auth.secret")]
    pub secret_file: PathBuf,
}

impl SecretSetting {
    /// The master secrets of the file.
    pub(crate) fn master_secrets(&self) -> Result<MasterSecrets, ConfigError> {
        let path = self.secret_file.display().to_string();
        let text = secret_file::read(&self.secret_file)
            .map_err(|cause| ConfigError::SecretFile(path.clone(), cause))?;
        MasterSecrets::parse(&text).map_err(|error| ConfigError::Secret(path, error))
    }
}

/// Where the story of each request is kept. The server and `auth explain` share this setting.
#[derive(Clone, Debug, Args)]
pub struct StorySetting {
    /// File of what happened in each request, on each replica its own.
    #[arg(long, value_name = "FILE", env = "AUTH_STORY_FILE", default_value = "data/auth.stories")]
    pub story_file: PathBuf,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Whether clients may be known by a metadata document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MetadataDocuments {
    /// They may. The metadata says so unless documents are out of reach: on a server for this
    /// machine alone, and while no origin can be connected to.
    Auto,
    /// They may, and the metadata says so.
    On,
    /// They may not.
    Off,
}

/// Settings of the authorization server. Each can be given as an option or in the environment.
#[derive(Clone, Debug, Parser)]
#[command(name = "auth", version, about = "The OAuth 2.1 and OpenID Connect authorization server")]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "AUTH_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Issuer identifier: the public URL, without a trailing slash.
    #[arg(long, env = "AUTH_ISSUER", default_value = "http://localhost:3000")]
    pub issuer: String,
    /// Where everything is kept.
    #[command(flatten)]
    pub database: DatabaseSetting,
    /// What seals it.
    #[command(flatten)]
    pub secret: SecretSetting,
    /// What signs.
    #[command(flatten)]
    pub keys: KeySetting,
    /// The configuration file, portcullis.toml: resources, upstreams and trusted issuers.
    #[arg(long = "config", env = "AUTH_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Identifier of the MCP server that tokens are for, when the configuration file names no resources.
    #[arg(long, env = "AUTH_RESOURCE", default_value = "http://localhost:3001/mcp")]
    pub resource: String,
    /// Advertise the scope offline_access. It is accepted either way; several clients that see it
    /// advertised ask for consent at every sign-in.
    #[arg(
        long,
        env = "AUTH_ADVERTISE_OFFLINE_ACCESS",
        action = ArgAction::Set,
        default_value_t = false,
        value_parser = BoolishValueParser::new()
    )]
    pub advertise_offline_access: bool,
    /// Seconds that an access token lives.
    #[arg(long, env = "AUTH_ACCESS_TOKEN_LIFETIME", default_value_t = 900)]
    pub access_token_lifetime: i64,
    /// Demand a nonce of this server in every DPoP proof.
    #[arg(long, env = "AUTH_DPOP_NONCE_REQUIRED")]
    pub dpop_nonce_required: bool,
    /// Seconds that an unused refresh token lives.
    #[arg(long, env = "AUTH_REFRESH_TOKEN_LIFETIME", default_value_t = 30 * 86_400)]
    pub refresh_token_lifetime: i64,
    /// Seconds that a grant lives, however busy it is.
    #[arg(long, env = "AUTH_GRANT_LIFETIME", default_value_t = 180 * 86_400)]
    pub grant_lifetime: i64,
    /// Seconds in which a refresh token that was just rotated may be sent again.
    #[arg(long, env = "AUTH_REFRESH_GRACE", default_value_t = 120)]
    pub refresh_grace: i64,
    /// Seconds that a browser stays signed in.
    #[arg(long, env = "AUTH_SESSION_LIFETIME", default_value_t = 12 * 3600)]
    pub session_lifetime: i64,
    /// Reverse proxies in front of this server, whose `X-Forwarded-For` is believed.
    #[arg(long, env = "AUTH_TRUSTED_PROXIES", default_value_t = 0)]
    pub trusted_proxies: usize,
    /// How often strangers may fail, prove and register.
    #[command(flatten)]
    pub limits: LimitSetting,
    /// Where people sign in: GitHub, or a GitHub Enterprise server.
    #[arg(long, env = "GITHUB_BASE_URL", default_value = "https://github.com")]
    pub github_base_url: Url,
    /// GitHub's API.
    #[arg(long, env = "GITHUB_API_URL", default_value = "https://api.github.com")]
    pub github_api_url: Url,
    /// Client id of the GitHub OAuth app. Needed unless people sign in elsewhere.
    #[arg(long, env = "GITHUB_CLIENT_ID", requires = "github_client_secret")]
    pub github_client_id: Option<String>,
    /// Client secret of the GitHub OAuth app.
    #[arg(
        long,
        env = "GITHUB_CLIENT_SECRET",
        hide_env_values = true,
        requires = "github_client_id",
        value_parser = secret_text
    )]
    pub github_client_secret: Option<SecretString>,
    /// How the pages look.
    #[command(flatten)]
    pub brand: BrandSetting,
    /// Whether clients may be known by the metadata document at their client_id: on, off, or auto,
    /// which advertises it only where documents can be fetched.
    #[arg(long, env = "AUTH_METADATA_DOCUMENTS", default_value = "auto")]
    pub metadata_documents: MetadataDocuments,
    /// For development and tests only: fetch metadata documents and keys of clients from this
    /// machine, by plain http. Needs AUTH_ISSUER and AUTH_LISTEN on loopback.
    #[arg(
        long,
        env = "AUTH_INSECURE_METADATA_DOCUMENTS_ON_LOOPBACK",
        action = ArgAction::Set,
        default_value_t = false,
        value_parser = BoolishValueParser::new()
    )]
    pub insecure_metadata_documents_on_loopback: bool,
    /// Where the story of each request is kept.
    #[command(flatten)]
    pub story: StorySetting,
    /// Most MiB of stories that are kept; 0 keeps none.
    #[arg(long, env = "AUTH_STORY_SIZE", default_value_t = 64)]
    pub story_size: u64,
    /// Keep the whole story of one successful request in this many, and only the answer of the
    /// others; 0 keeps none whole. Refusals and errors are always kept whole.
    #[arg(long, env = "AUTH_STORY_SAMPLE", default_value_t = 1)]
    pub story_sample: u32,
    /// How to log: text, or one JSON object a line, which `auth explain --stdin` reads.
    #[arg(long, env = "AUTH_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What to log, as `level` or `module=level,…`.
    #[arg(long, env = "AUTH_LOG", default_value = "info,sea_orm_migration=warn,sqlx=warn")]
    pub log: String,
}

/// Tags of the languages that the pages speak.
fn languages() -> [&'static str; Language::ALL.len()] {
    Language::ALL.map(Language::tag)
}

fn secret_text(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// The settings do not fit together.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("AUTH_ISSUER {0:?} is not usable: {1}")]
    Issuer(String, &'static str),
    #[error(
        "GITHUB_BASE_URL and GITHUB_API_URL may use http only on loopback, with AUTH_ISSUER and \
         AUTH_LISTEN on loopback too: a stand-in for GitHub signs anybody in"
    )]
    StandInBeyondLoopback,
    #[error(
        "AUTH_INSECURE_METADATA_DOCUMENTS_ON_LOOPBACK is for development: it needs AUTH_ISSUER and \
         AUTH_LISTEN on loopback"
    )]
    DocumentsOnLoopback,
    #[error(
        "the master secret file {0} cannot be read: {1}; `make dev` creates one, or write 32 random \
         bytes in base64url to it with mode 0600"
    )]
    SecretFile(String, io::Error),
    #[error("the master secret file {0} is not usable: {1}")]
    Secret(String, SecretError),
    #[error("AUTH_RESOURCE is not usable: {0}")]
    Resource(String),
    #[error("the configuration file {0} cannot be read: {1}; check AUTH_CONFIG_FILE")]
    UnreadableFile(String, io::Error),
    #[error("{0}:{1}")]
    File(String, Mistake),
    #[error(
        "people have nowhere to sign in: set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, or describe \
         an OpenID provider under [[upstreams]] in the configuration file"
    )]
    NoUpstream,
    #[error(
        "nothing says who may sign in, and this server is not for this machine alone: describe groups \
         under [access.groups] in the configuration file and name them in allow under [access] \
         (docs/configuration.md shows how), or write anyone = true under [access] to admit every \
         account of its upstreams"
    )]
    NoAccessPolicy,
    #[error("the logo {0} is not usable: {1}; check AUTH_BRAND_LOGO_FILE")]
    Logo(String, String),
    #[error("AUTH_JWKS_MAX_AGE must be from 10 seconds to a day")]
    JwksMaxAge,
    #[error("AUTH_KEY_ROTATION must be 0, or {0} seconds or more with these lifetimes")]
    KeyRotation(i64),
    #[error("{0} must be from {1} to {2} seconds")]
    Lifetime(&'static str, i64, i64),
    #[error("the HTTP client cannot be made: {0}")]
    HttpClient(#[from] reqwest::Error),
}

impl Config {
    /// Checks what one setting demands of another.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refused = |why| ConfigError::Issuer(self.issuer.clone(), why);
        let issuer = self.issuer_url()?;
        if self.issuer.ends_with('/') {
            return Err(refused(
                "it must not end with a slash, because clients compare it exactly",
            ));
        }
        if issuer.query().is_some() || issuer.fragment().is_some() {
            return Err(refused("it must have neither query nor fragment"));
        }
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && is_loopback(&issuer)) {
            return Err(refused("it must use https, or http on loopback"));
        }
        if !self.may_be_reached(&self.github_base_url) || !self.may_be_reached(&self.github_api_url)
        {
            return Err(ConfigError::StandInBeyondLoopback);
        }
        if self.insecure_metadata_documents_on_loopback && !self.is_local() {
            return Err(ConfigError::DocumentsOnLoopback);
        }
        self.check_lifetimes()
    }

    /// The issuer identifier, taken apart.
    pub(crate) fn issuer_url(&self) -> Result<Url, ConfigError> {
        Url::parse(&self.issuer)
            .map_err(|_| ConfigError::Issuer(self.issuer.clone(), "it must be a URL"))
    }

    /// Whether an upstream may be spoken to at this address: by https, or all on this machine.
    pub(crate) fn may_be_reached(&self, url: &Url) -> bool {
        url.scheme() == "https" || is_loopback(url) && self.is_local()
    }

    /// Whether this server is for this machine alone.
    pub(crate) fn is_local(&self) -> bool {
        let issuer = Url::parse(&self.issuer).is_ok_and(|issuer| is_loopback(&issuer));
        issuer && self.listen.ip().is_loopback()
    }

    /// Whether people sign in at a stand-in on this machine instead of GitHub.
    pub(crate) fn uses_stand_in(&self) -> bool {
        is_loopback(&self.github_base_url)
    }

    /// Whether browsers reach this server by https, so that cookies can demand it.
    pub(crate) fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// The lists and tables of the configuration file, checked; what it leaves out has its default.
    pub(crate) fn file(&self) -> Result<ConfigFile, ConfigError> {
        let demo = vec![demo::resource(self.resource.clone())];
        let file = match &self.config_file {
            Some(path) => ConfigFile::read(path, self, demo)?,
            None => ConfigFile { resources: demo, ..ConfigFile::default() },
        };
        if file.upstreams.is_empty() && self.github_client_id.is_none() {
            return Err(ConfigError::NoUpstream);
        }
        if file.access.is_none() && !self.is_local() {
            return Err(ConfigError::NoAccessPolicy);
        }
        resource::check(&file.resources, &languages())
            .map_err(|(_, why)| ConfigError::Resource(why))?;
        Ok(file)
    }

    fn check_lifetimes(&self) -> Result<(), ConfigError> {
        let lifetimes = [
            (
                "AUTH_ACCESS_TOKEN_LIFETIME",
                self.access_token_lifetime,
                1,
                MAX_ACCESS_TOKEN_LIFETIME,
            ),
            ("AUTH_REFRESH_TOKEN_LIFETIME", self.refresh_token_lifetime, 1, A_CENTURY),
            ("AUTH_GRANT_LIFETIME", self.grant_lifetime, 1, A_CENTURY),
            ("AUTH_SESSION_LIFETIME", self.session_lifetime, 1, A_CENTURY),
            ("AUTH_REFRESH_GRACE", self.refresh_grace, 0, MAX_GRACE),
        ];
        let is_off =
            |(_, seconds, least, most): &(_, i64, i64, i64)| !(*least..=*most).contains(seconds);
        match lifetimes.into_iter().find(is_off) {
            Some((name, _, least, most)) => Err(ConfigError::Lifetime(name, least, most)),
            None => self.keys.check(self.access_token_lifetime),
        }
    }
}
