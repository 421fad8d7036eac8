//! `[gate]` of the configuration file, `portcullis.toml`. The rest of the file is for `auth`.

use serde::{Deserialize, de::IgnoredAny};
use toml::Spanned;

use net::config_file::Mistake;

use crate::rules::{self, Rules, RulesSection};

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    gate: Option<Spanned<RulesSection>>,
    #[serde(rename = "resources")]
    _resources: IgnoredAny,
    #[serde(rename = "upstreams")]
    _upstreams: IgnoredAny,
    #[serde(rename = "trusted_issuers")]
    _trusted_issuers: IgnoredAny,
    #[serde(rename = "access")]
    _access: IgnoredAny,
    #[serde(rename = "clients")]
    _clients: IgnoredAny,
}

/// Checks the text of the file.
pub(crate) fn parse(text: &str) -> Result<Rules, Mistake> {
    let document: Document =
        toml::from_str(text).map_err(|error| Mistake::from_toml(text, &error))?;
    let Some(section) = document.gate else {
        return Ok(Rules::default());
    };
    rules::check(section).map_err(|(at, what)| Mistake::at(text, at, what))
}
