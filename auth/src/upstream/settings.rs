//! The file of OpenID providers.

use std::{collections::HashSet, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::github;
use crate::config::{Config, ConfigError, read_json, secret_file};

/// Longest name, in bytes.
const MAX_NAME_LENGTH: usize = 32;

/// An OpenID provider as the file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    label: String,
    issuer: String,
    client_id: String,
    client_secret_file: PathBuf,
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

/// Reads and checks the file, if there is one.
pub(crate) fn read(config: &Config) -> Result<Vec<OpenIdSetting>, ConfigError> {
    let Some(file) = &config.upstreams_file else {
        return Ok(Vec::new());
    };
    let unusable = |why| ConfigError::Upstreams(file.display().to_string(), why);
    let entries: Vec<Entry> = read_json(file).map_err(unusable)?;
    let mut taken = HashSet::new();
    if config.github_client_id.is_some() {
        taken.insert(github::PROVIDER.to_owned());
    }
    let checked = entries.into_iter().map(|entry| {
        if !taken.insert(entry.name.clone()) {
            return Err(unusable(format!("the name {:?} is taken", entry.name)));
        }
        entry.check(config).map_err(unusable)
    });
    checked.collect()
}

impl Entry {
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
