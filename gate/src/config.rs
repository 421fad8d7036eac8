//! The settings, read once at start and checked as a whole.

pub(crate) mod audit;
pub(crate) mod child;
pub(crate) mod network;
pub(crate) mod proxy;

use std::{fs, io, net::SocketAddr, path::PathBuf};

use axum::http::{HeaderValue, Uri};
use clap::{Parser, ValueEnum};
use guard::{Profile, Revocations};
use net::{config_file::Mistake, loopback::check_public_url};
use thiserror::Error;
use url::Url;

use self::{audit::AuditOptions, child::ChildOptions, proxy::ProxyOptions};
use crate::{config_file, rules::Rules};

/// Settings of the gate. Each can be an option or an environment variable.
#[derive(Clone, Debug, Parser)]
#[command(name = "gate", version, about = "Sign-in in front of any MCP server")]
pub struct Config {
    /// URL of the MCP server behind the gate, such as http://127.0.0.1:8000/mcp.
    #[arg(
        long,
        env = "GATE_UPSTREAM",
        value_name = "URL",
        required_unless_present_any = ["forward_auth", "command"]
    )]
    pub upstream: Option<Url>,
    /// The server behind the gate, if the gate starts it itself.
    #[command(flatten)]
    pub child: ChildOptions,
    /// The proxy that asks, if the gate passes no requests on.
    #[command(flatten)]
    pub proxy: ProxyOptions,
    /// Where calls are written down.
    #[command(flatten)]
    pub audit: AuditOptions,
    /// The configuration file, portcullis.toml: its section `gate` has the rules.
    #[arg(long = "config", env = "GATE_CONFIG_FILE", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// File with a token that the upstream demands of the gate itself. It is sent as a bearer token.
    #[arg(long, env = "GATE_UPSTREAM_TOKEN_FILE", value_name = "FILE")]
    pub upstream_token_file: Option<PathBuf>,
    /// Seconds until the upstream must have accepted a connection.
    #[arg(long, env = "GATE_CONNECT_TIMEOUT", default_value_t = 5, value_name = "SECONDS")]
    pub connect_timeout: u64,
    /// Seconds until the upstream must start to answer a request. A stream may then last as long as the
    /// token.
    #[arg(long, env = "GATE_ANSWER_TIMEOUT", default_value_t = 300, value_name = "SECONDS")]
    pub answer_timeout: u64,
    /// How the upstream is told who calls: a signed JWT, plain headers, both, or not at all.
    #[arg(long, env = "GATE_IDENTITY", default_value = "jwt")]
    pub identity: IdentityForm,
    /// File with the private keys that sign the JWT, which is made if it is not there. Without it, each
    /// start makes a new key.
    #[arg(long, env = "GATE_IDENTITY_KEY_FILE", value_name = "FILE")]
    pub identity_key_file: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, env = "GATE_LISTEN", default_value = "127.0.0.1:3002")]
    pub listen: SocketAddr,
    /// Resource identifier: the URL that people type, without a trailing slash.
    #[arg(long, env = "GATE_RESOURCE", default_value = "http://localhost:3002/mcp")]
    pub resource: String,
    /// Issuer identifiers of the authorization servers whose tokens are accepted, separated by
    /// commas and spelled as their metadata spells them; clients are sent to the first.
    #[arg(
        long = "issuer",
        env = "GATE_ISSUER",
        default_value = "http://localhost:3000",
        value_delimiter = ',',
        value_name = "ISSUER"
    )]
    pub issuers: Vec<String>,
    /// The identity provider that writes the tokens of the issuers, such as keycloak or entra.
    #[arg(long, env = "GATE_PROFILE", default_value = "rfc9068")]
    pub profile: Profile,
    /// Further audiences of accepted tokens, separated by commas, where a provider knows the resource by
    /// another name.
    #[arg(
        long = "audience",
        env = "GATE_AUDIENCES",
        value_delimiter = ',',
        value_name = "AUDIENCE"
    )]
    pub audiences: Vec<String>,
    /// What people call the server.
    #[arg(long, env = "GATE_NAME")]
    pub name: Option<String>,
    /// Scopes that a token needs, separated by commas.
    #[arg(long = "scope", env = "GATE_SCOPES", value_delimiter = ',', value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Further names that a proxy may put into `Host`, without port, separated by commas.
    #[arg(long, env = "GATE_ALLOWED_HOSTS", value_delimiter = ',', value_name = "HOST")]
    pub allowed_hosts: Vec<String>,
    /// Further origins whose pages may call, separated by commas.
    #[arg(long, env = "GATE_ALLOWED_ORIGINS", value_delimiter = ',', value_name = "ORIGIN")]
    pub allowed_origins: Vec<String>,
    /// How the deny lists of the issuers are used: while one cannot be read, tokens are accepted
    /// (fail-open) or refused (fail-closed), or lists are never read (off).
    #[arg(long, env = "GATE_REVOCATIONS", default_value = "fail-open")]
    pub revocations: Revocations,
    /// Whether clients of 2025-03-26 may sign in at the gate's own origin, which forwards their
    /// requests to the first issuer.
    #[arg(long, env = "GATE_FACADE", default_value = "true", value_name = "BOOL",
        action = clap::ArgAction::Set)]
    pub facade: bool,
    /// What to log, as `level` or `module=level,…`.
    #[arg(long, env = "GATE_LOG", default_value = "info")]
    pub log: String,
}

/// How the upstream is told who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IdentityForm {
    /// Not at all.
    Off,
    /// As a signed JWT in `X-Portcullis-Identity`.
    Jwt,
    /// In `X-Forwarded-User`, `-Preferred-Username` and `-Email`.
    Headers,
    /// In both ways.
    Both,
}

/// A setting is invalid.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The resource identifier or an issuer is invalid.
    #[error("{name} {value:?} is not usable: {why}")]
    Url {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file with the token cannot be read.
    #[error("GATE_UPSTREAM_TOKEN_FILE {} cannot be read: {cause}", path.display())]
    UnreadableToken {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The token cannot be sent in a header.
    #[error("GATE_UPSTREAM_TOKEN_FILE must hold one token of visible ASCII characters")]
    Token,
    /// `sub` names a user of one issuer only.
    #[error("plain headers cannot tell users of several issuers apart; set GATE_IDENTITY to jwt")]
    AmbiguousUsers,
    /// The configuration file cannot be read.
    #[error("GATE_CONFIG_FILE {} cannot be read: {cause}", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The configuration file has a mistake.
    #[error("{}:{mistake}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Where and what it is.
        mistake: Mistake,
    },
    /// The directory of the child is none.
    #[error("GATE_CHILD_DIRECTORY {} is not a directory", .0.display())]
    ChildDirectory(PathBuf),
    /// A variable that the child must have is not set.
    #[error("GATE_CHILD_ENV names {0}, which is not set; set it, or leave it out")]
    ChildVariable(String),
    /// This system cannot limit the child.
    #[error("this system cannot limit {0}; leave GATE_CHILD_MEMORY and GATE_CHILD_CPU out")]
    ChildLimit(&'static str),
    /// The TLS library cannot be used.
    #[error("certificates that this machine trusts cannot be read: {0}")]
    Certificates(String),
}

impl Config {
    /// Checks the settings together.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.resource.ends_with('/') {
            let why = "it must not end with a slash, because clients compare it exactly";
            return Err(ConfigError::url("GATE_RESOURCE", &self.resource, why));
        }
        check("GATE_RESOURCE", &self.resource)?;
        self.issuers.iter().try_for_each(|issuer| check("GATE_ISSUER", issuer))?;
        self.check_identity()?;
        self.child.check()?;
        let Some(upstream) = &self.upstream else {
            return Ok(());
        };
        let why = if !matches!(upstream.scheme(), "http" | "https") {
            "it must begin with http:// or https://"
        } else if !upstream.username().is_empty() || upstream.password().is_some() {
            "it must not hold a password; write a token into GATE_UPSTREAM_TOKEN_FILE"
        } else if upstream.query().is_some() || upstream.fragment().is_some() {
            "it must have neither query nor fragment"
        } else {
            return Ok(());
        };
        // The value may hold the password.
        Err(ConfigError::url("GATE_UPSTREAM", "", why))
    }

    fn check_identity(&self) -> Result<(), ConfigError> {
        let uses_headers = matches!(self.identity, IdentityForm::Headers | IdentityForm::Both);
        if uses_headers && self.issuers.len() > 1 {
            Err(ConfigError::AmbiguousUsers)
        } else {
            Ok(())
        }
    }

    /// The rules of the configuration file; none without a file.
    pub(crate) fn rules(&self) -> Result<Rules, ConfigError> {
        let Some(path) = &self.file else {
            return Ok(Rules::default());
        };
        let text = fs::read_to_string(path)
            .map_err(|cause| ConfigError::UnreadableFile { path: path.clone(), cause })?;
        config_file::parse(&text)
            .map_err(|mistake| ConfigError::File { path: path.clone(), mistake })
    }

    /// Names the upstream: its URL, the program that the gate starts, or the resource behind a proxy.
    pub(crate) fn upstream_name(&self) -> String {
        match (&self.upstream, self.child.program()) {
            (Some(url), _) => url.to_string(),
            (None, Some(program)) => format!("stdio:{program}"),
            (None, None) => self.resource.clone(),
        }
    }

    /// Scheme and host, with port, of the resource, for `X-Forwarded-Proto` and `-Host`.
    pub(crate) fn public_origin(&self) -> Result<[HeaderValue; 2], ConfigError> {
        let invalid = || ConfigError::url("GATE_RESOURCE", &self.resource, "it must be a URL");
        let url: Uri = self.resource.parse().map_err(|_| invalid())?;
        let parts = [url.scheme_str(), url.authority().map(|host| host.as_str())];
        let [Some(scheme), Some(host)] = parts else {
            return Err(invalid());
        };
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| invalid());
        Ok([value(scheme)?, value(host)?])
    }

    /// The header by which the gate proves itself to the upstream.
    pub(crate) fn upstream_authorization(&self) -> Result<Option<HeaderValue>, ConfigError> {
        let Some(path) = &self.upstream_token_file else {
            return Ok(None);
        };
        let token = fs::read_to_string(path)
            .map_err(|cause| ConfigError::UnreadableToken { path: path.clone(), cause })?;
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::Token);
        }
        let mut value =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ConfigError::Token)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl ConfigError {
    pub(crate) fn url(name: &'static str, value: &str, why: &'static str) -> Self {
        Self::Url { name, value: value.into(), why }
    }
}

fn check(name: &'static str, value: &str) -> Result<(), ConfigError> {
    check_public_url(value).map_err(|why| ConfigError::url(name, value, why))
}
