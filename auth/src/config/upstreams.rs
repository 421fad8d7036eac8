//! OpenID providers, as the configuration file describes them.

use std::{collections::HashSet, path::PathBuf};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{Config, secret_file};
use crate::access::{GITHUB, SCIM};

/// Longest name, in bytes.
const MAX_NAME_LENGTH: usize = 32;

/// An OpenID provider where people can sign in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upstream {
    /// Its name in URLs. Accounts are stored under it, so it must never change.
    name: String,
    /// What people call it.
    label: String,
    /// Its issuer identifier, exactly as its metadata has it.
    issuer: String,
    /// The client_id of this server there.
    client_id: String,
    /// File that holds the client secret of this server there.
    client_secret_file: PathBuf,
    /// Scopes to ask for there.
    #[serde(default = "usual_scope")]
    scope: String,
}

fn usual_scope() -> String {
    "openid profile email".into()
}

/// An OpenID provider, ready to be used.
#[derive(Clone, Debug)]
pub(crate) struct OpenIdSetting {
    /// Its name in paths and in `identities`: it must never change.
    pub(crate) name: String,
    pub(crate) label: String,
    /// Its issuer identifier, compared exactly.
    pub(crate) issuer: String,
    /// The same as a URL.
    pub(crate) issuer_url: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) scope: String,
}

/// Refuses upstreams that could not be used, or not told apart. The error is the place in the list, and
/// what to write there instead.
pub(super) fn check(
    upstreams: Vec<Upstream>,
    config: &Config,
) -> Result<Vec<OpenIdSetting>, (usize, String)> {
    let mut taken = HashSet::from([SCIM.to_owned()]);
    if config.github_client_id.is_some() {
        taken.insert(GITHUB.to_owned());
    }
    let checked = upstreams.into_iter().enumerate().map(|(at, upstream)| {
        if !taken.insert(upstream.name.clone()) {
            return Err((at, format!("the name {:?} is taken", upstream.name)));
        }
        upstream.check(config).map_err(|why| (at, why))
    });
    checked.collect()
}

impl Upstream {
    fn check(self, config: &Config) -> Result<OpenIdSetting, String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=MAX_NAME_LENGTH).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err(format!(
                "the name {:?} must be 1 to {MAX_NAME_LENGTH} small letters, digits and hyphens",
                self.name
            ));
        }
        let issuer = Url::parse(&self.issuer)
            .map_err(|_| format!("the issuer of {} must be a URL", self.name))?;
        if !config.may_be_reached(&issuer) {
            return Err(format!(
                "the issuer of {} must use https, or http on loopback with AUTH_ISSUER and \
                 AUTH_LISTEN on loopback too",
                self.name
            ));
        }
        if !self.scope.split(' ').any(|scope| scope == "openid") {
            return Err(format!("the scope of {} must hold openid", self.name));
        }
        let secret = secret_file::read(&self.client_secret_file)
            .map_err(|error| format!("the client_secret_file of {}: {error}", self.name))?;
        Ok(OpenIdSetting {
            name: self.name,
            label: self.label,
            issuer: self.issuer,
            issuer_url: issuer,
            client_id: self.client_id,
            client_secret: SecretString::from(secret.trim()),
            scope: self.scope,
        })
    }
}
