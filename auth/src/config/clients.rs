//! `[clients]` of the configuration file: which clients this server takes.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{Config, MetadataDocuments};

/// `[clients]` as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClientsSection {
    /// Which clients may register themselves: `open` for all, `loopback-only` for programs that get the
    /// answer on the person's own machine, `off` for none.
    registration: Registration,
    /// Whether clients may be known by a metadata document: `on`, `off`, or the hosts where the documents
    /// may be.
    #[schemars(with = "Option<Documents>")]
    metadata_documents: Option<Spanned<Documents>>,
}

/// Which clients may register themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Registration {
    /// All.
    #[default]
    Open,
    /// Those whose every redirect URI is on loopback.
    LoopbackOnly,
    /// None. Those that have registered before are not taken any more either.
    Off,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "write \"on\", \"off\" or a list of hosts")]
enum Documents {
    Word(Word),
    Hosts(Vec<String>),
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Word {
    On,
    Off,
}

/// Which clients this server takes, besides those that an operator entered.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientRules {
    pub(crate) registration: Registration,
    /// What the file says of metadata documents, if anything.
    pub(crate) documents: Option<MetadataDocuments>,
    /// The hosts where they may be; anywhere if `None`.
    pub(crate) document_hosts: Option<BTreeSet<String>>,
}

/// Refuses hosts that are none, and two places that say whether documents are taken. The error is the
/// place in the text, and what to write instead.
pub(super) fn check(
    section: ClientsSection,
    config: &Config,
) -> Result<ClientRules, (usize, String)> {
    let registration = section.registration;
    let Some(documents) = section.metadata_documents else {
        return Ok(ClientRules { registration, ..ClientRules::default() });
    };
    let at = documents.span().start;
    if config.metadata_documents != MetadataDocuments::Auto {
        let why = "AUTH_METADATA_DOCUMENTS says it already; leave that setting at auto, or remove \
                   metadata_documents";
        return Err((at, why.into()));
    }
    let mut rules = ClientRules { registration, ..ClientRules::default() };
    match documents.into_inner() {
        Documents::Word(Word::On) => rules.documents = Some(MetadataDocuments::On),
        Documents::Word(Word::Off) => rules.documents = Some(MetadataDocuments::Off),
        Documents::Hosts(hosts) => {
            if hosts.is_empty() {
                let why = "name hosts, as in [\"claude.ai\"], or write \"off\"";
                return Err((at, why.into()));
            }
            if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
                let why = format!(
                    "write the host {host:?} without scheme, port and path, as in \"claude.ai\""
                );
                return Err((at, why));
            }
            rules.document_hosts = Some(hosts.into_iter().collect());
        }
    }
    Ok(rules)
}

/// A host name in the canonical spelling, which URLs have too.
fn is_host(text: &str) -> bool {
    let url = url::Url::parse(&format!("https://{text}/"));
    url.is_ok_and(|url| url.host_str() == Some(text))
}
