//! The configuration file, `portcullis.toml`: every setting that is a list or a table.

use std::{fs, path::Path};

use net::config_file::Mistake;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, de::IgnoredAny};
use toml::Spanned;

use super::{
    Config, ConfigError,
    access::{self, AccessSection, Surroundings},
    clients::{self, ClientRules, ClientsSection},
    languages,
    scim::{self, ScimSection, ScimSetting},
    upstreams::{self, OpenIdSetting, Upstream},
};
use crate::{
    access::{AccessPolicy, GITHUB, SCIM},
    oauth::{
        resource::{self, Resource},
        trusted_issuer::{self, TrustedIssuer},
    },
};

/// The file as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "portcullis.toml")]
pub(crate) struct Document {
    /// The MCP servers that tokens are for; the demo server if there are none.
    #[schemars(with = "Vec<Resource>")]
    resources: Vec<Spanned<Resource>>,
    /// OpenID providers where people can sign in, besides GitHub or instead of it.
    #[schemars(with = "Vec<Upstream>")]
    upstreams: Vec<Spanned<Upstream>>,
    /// Issuers whose assertions are believed: of people, or of workloads.
    #[schemars(with = "Vec<TrustedIssuer>")]
    trusted_issuers: Vec<Spanned<TrustedIssuer>>,
    /// Who may sign in, and which groups may have what.
    #[schemars(with = "Option<AccessSection>")]
    access: Option<Spanned<AccessSection>>,
    /// Which clients this server takes.
    clients: ClientsSection,
    /// What concerns the gate, which checks it.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    #[serde(rename = "gate")]
    _gate: IgnoredAny,
    /// The provisioning system, if there is one.
    #[schemars(with = "Option<ScimSection>")]
    scim: Option<Spanned<ScimSection>>,
}

/// The file, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) resources: Vec<Resource>,
    pub(crate) upstreams: Vec<OpenIdSetting>,
    pub(crate) trusted_issuers: Vec<TrustedIssuer>,
    /// Who may sign in; `None` where the file does not say.
    pub(crate) access: Option<AccessPolicy>,
    pub(crate) clients: ClientRules,
    /// The provisioning system; `None` where SCIM is off.
    pub(crate) scim: Option<ScimSetting>,
}

impl ConfigFile {
    /// Reads and checks the file at `path`. Without resources in it, they are `usual_resources`.
    pub(super) fn read(
        path: &Path,
        config: &Config,
        usual_resources: Vec<Resource>,
    ) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|cause| ConfigError::UnreadableFile(name.clone(), cause))?;
        Self::parse(&text, config, usual_resources)
            .map_err(|mistake| ConfigError::File(name, mistake))
    }

    /// The JSON schema of the file.
    pub(crate) fn schema() -> Schema {
        schema_for!(Document)
    }

    pub(super) fn parse(
        text: &str,
        config: &Config,
        usual_resources: Vec<Resource>,
    ) -> Result<Self, Mistake> {
        let document: Document =
            toml::from_str(text).map_err(|error| Mistake::from_toml(text, &error))?;
        let resources = checked(text, document.resources, |resources| {
            resource::check(&resources, &languages()).map(|()| resources)
        })?;
        let resources = if resources.is_empty() { usual_resources } else { resources };
        let upstreams = checked(text, document.upstreams, |all| upstreams::check(all, config))?;
        let trusted_issuers = checked(text, document.trusted_issuers, |issuers| {
            let reserved = issuers.iter().position(|issuer| issuer.provider() == SCIM);
            if let Some(at) = reserved {
                return Err((at, format!("the provider {SCIM:?} is taken by [scim]")));
            }
            trusted_issuer::check(&issuers).map(|()| issuers)
        })?;
        let providers = upstreams.iter().map(|upstream| upstream.name.as_str());
        let people = trusted_issuers.iter().filter(|issuer| issuer.people.is_some());
        let around = Surroundings {
            resources: &resources,
            claim_sources: providers.chain(people.map(TrustedIssuer::provider)).collect(),
            has_github: config.github_client_id.is_some(),
            has_scim: document.scim.is_some(),
        };
        let github = around.has_github.then_some(GITHUB);
        let sources: Vec<&str> = github.into_iter().chain(around.claim_sources.clone()).collect();
        let scim = document.scim.map(|section| scim::check(section, &sources)).transpose();
        let access = document.access.map(|section| access::check(section, &around)).transpose();
        let mistake = |(offset, what)| Mistake::at(text, offset, what);
        let access = access.map_err(mistake)?;
        let scim = scim.map_err(mistake)?;
        let clients = clients::check(document.clients, config).map_err(mistake)?;
        Ok(Self { resources, upstreams, trusted_issuers, access, clients, scim })
    }
}

/// Checks a list, and finds the place of what does not pass.
fn checked<T, R>(
    text: &str,
    items: Vec<Spanned<T>>,
    check: impl FnOnce(Vec<T>) -> Result<R, (usize, String)>,
) -> Result<R, Mistake> {
    let places: Vec<usize> = items.iter().map(|item| item.span().start).collect();
    let items = items.into_iter().map(Spanned::into_inner).collect();
    check(items)
        .map_err(|(at, what)| Mistake::at(text, places.get(at).copied().unwrap_or_default(), what))
}
