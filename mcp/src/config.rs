//! The settings, read once at start and checked as a whole.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use guard::{GuardError, Revocations};
use net::loopback::check_public_url;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;

/// Settings of the MCP server. Each can be an option or an environment variable.
#[derive(Clone, Debug, Parser)]
#[command(name = "mcp", version, about = "An MCP server behind the guard")]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "MCP_LISTEN", default_value = "127.0.0.1:3001")]
    pub listen: SocketAddr,
    /// Resource identifier: the URL that people type, without a trailing slash.
    #[arg(long, env = "MCP_RESOURCE", default_value = "http://localhost:3001/mcp")]
    pub resource: String,
    /// Issuer identifiers of the authorization servers whose tokens are accepted, separated by
    /// commas and spelled as their metadata spells them; clients are sent to the first.
    #[arg(
        long = "issuer",
        env = "MCP_ISSUER",
        default_value = "http://localhost:3000",
        value_delimiter = ',',
        value_name = "ISSUER"
    )]
    pub issuers: Vec<String>,
    /// Further names that a proxy may put into `Host`, without port, separated by commas.
    #[arg(long, env = "MCP_ALLOWED_HOSTS", value_delimiter = ',', value_name = "HOST")]
    pub allowed_hosts: Vec<String>,
    /// Further origins whose pages may call, separated by commas.
    #[arg(long, env = "MCP_ALLOWED_ORIGINS", value_delimiter = ',', value_name = "ORIGIN")]
    pub allowed_origins: Vec<String>,
    /// How the deny lists of the issuers are used: while one cannot be read, tokens are accepted
    /// (fail-open) or refused (fail-closed), or lists are never read (off).
    #[arg(long, env = "MCP_REVOCATIONS", default_value = "fail-open")]
    pub revocations: Revocations,
    /// Whether tokens must be bound to a key (DPoP): `accepted` allows both, `required` only bound
    /// tokens.
    #[arg(long, env = "MCP_DPOP", default_value = "accepted")]
    pub dpop: Dpop,
    /// Whether each DPoP proof must contain a nonce of this server.
    #[arg(long, env = "MCP_DPOP_NONCES", default_value = "false", value_name = "BOOL",
        action = clap::ArgAction::Set)]
    pub dpop_nonces: bool,
    /// Whether clients of 2025-03-26 may sign in at this server's own origin, which forwards their
    /// requests to the first issuer.
    #[arg(long, env = "MCP_FACADE", default_value = "true", value_name = "BOOL",
        action = clap::ArgAction::Set)]
    pub facade: bool,
    /// The claim of tokens that holds the groups of the person, for tools that need one.
    #[arg(long, env = "MCP_GROUPS_CLAIM", default_value = "groups", value_name = "NAME")]
    pub groups_claim: String,
    /// Client id for introspection. Without it, opaque tokens are refused.
    #[arg(long, env = "MCP_INTROSPECTION_CLIENT_ID")]
    pub introspection_client_id: Option<String>,
    /// Client secret for introspection.
    #[arg(long, env = "MCP_INTROSPECTION_CLIENT_SECRET", hide_env_values = true,
        value_parser = secret_text)]
    pub introspection_client_secret: Option<SecretString>,
    /// What to log, as `level` or `module=level,…`.
    #[arg(long, env = "MCP_LOG", default_value = "info,rmcp=warn")]
    pub log: String,
}

/// Whether tokens must be bound to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dpop {
    /// Both kinds are accepted. Bound tokens need a proof.
    Accepted,
    /// Only bound tokens are accepted.
    Required,
}

fn secret_text(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
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
    /// Only one of the two introspection credentials is set.
    #[error("set both MCP_INTROSPECTION_CLIENT_ID and MCP_INTROSPECTION_CLIENT_SECRET, or neither")]
    HalfIntrospection,
}

impl ConfigError {
    fn invalid(name: &'static str, value: &str, why: &'static str) -> Self {
        Self::Url { name, value: value.into(), why }
    }
}

impl Config {
    /// Checks the settings together.
    ///
    /// # Errors
    /// The first [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.resource.ends_with('/') {
            let why = "it must not end with a slash, because clients compare it exactly";
            return Err(ConfigError::invalid("MCP_RESOURCE", &self.resource, why));
        }
        check_url("MCP_RESOURCE", &self.resource)?;
        self.issuers.iter().try_for_each(|issuer| check_url("MCP_ISSUER", issuer))?;
        if self.introspection_client_id.is_some() != self.introspection_client_secret.is_some() {
            return Err(ConfigError::HalfIntrospection);
        }
        Ok(())
    }

    /// The page where users manage their grants: the account page of the first issuer.
    pub(crate) fn account(&self) -> Result<Url, GuardError> {
        let issuer = self.issuers.first().map(String::as_str).unwrap_or_default();
        let page = format!("{}/account", issuer.trim_end_matches('/'));
        Url::parse(&page).map_err(|_| GuardError::NoIssuer)
    }

    pub(crate) fn introspection_secret(&self) -> Option<&str> {
        self.introspection_client_secret.as_ref().map(|secret| secret.expose_secret())
    }
}

fn check_url(name: &'static str, value: &str) -> Result<(), ConfigError> {
    check_public_url(value).map_err(|why| ConfigError::invalid(name, value, why))
}
