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
    #[serde(rename = "scim")]
    _scim: IgnoredAny,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_of_auth_are_left_to_auth() {
        let sections =
            ["resources", "upstreams", "trusted_issuers"].map(|name| format!("[[{name}]]\n"));
        let sections = sections.concat() + "[access]\n[clients]\n[scim]\nsecret_file = \"x\"\n";
        assert!(parse(&sections).is_ok());
        assert!(parse("[scm]").is_err());
    }
}
