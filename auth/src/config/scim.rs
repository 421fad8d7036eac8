//! `[scim]` of the configuration file: a provisioning system that says who works here, and in which groups.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{secret_file, suggestion::suggestion};
use crate::{
    access::{GITHUB, MatchedBy, Provisioning},
    oauth::secret,
};

/// Shortest secret that is taken, in bytes.
const MIN_SECRET_LENGTH: usize = 32;
/// Secrets that are accepted at the same time: the current one, and the next while it is rolled out.
const MAX_SECRETS: usize = 2;

/// `[scim]` as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScimSection {
    /// File that holds the bearer secret of the provisioning system, of at least 32 characters. While
    /// the secret is replaced, a second line holds the next one.
    #[schemars(with = "PathBuf")]
    secret_file: Spanned<PathBuf>,
    /// Where the users of the provisioning system sign in: `github`, or the name of an upstream or
    /// trusted issuer. It may be left out if there is only one.
    #[schemars(with = "Option<String>")]
    upstream: Option<Spanned<String>>,
    /// How a user is matched with a person who signs in there.
    #[schemars(with = "Matching")]
    match_by: Spanned<Matching>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "write \"email\", \"login\", \"subject\" or { claim = \"…\" }")]
enum Matching {
    Word(Word),
    Claim(ClaimName),
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// `userName` is an address that the upstream has verified.
    Email,
    /// `userName` is the login name at GitHub.
    Login,
    /// `externalId` is the upstream's identifier of the person, the `sub` of its ID tokens.
    Subject,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClaimName {
    /// `externalId` is this claim of the upstream, such as `oid`.
    claim: String,
}

/// `[scim]`, checked.
#[derive(Clone, Debug)]
pub(crate) struct ScimSetting {
    pub(crate) provisioning: Provisioning,
    /// Hashes of the secrets.
    pub(crate) secret_hashes: Vec<String>,
}

/// Refuses a secret that can be guessed, and a match that no upstream can prove. The error is the place
/// in the text, and what to write instead.
pub(super) fn check(
    section: Spanned<ScimSection>,
    sources: &[&str],
) -> Result<ScimSetting, (usize, String)> {
    let start = section.span().start;
    let ScimSection { secret_file, upstream, match_by } = section.into_inner();
    let at = secret_file.span().start;
    let secret_hashes = read(&secret_file.into_inner()).map_err(|why| (at, why))?;
    let upstream = match (upstream, sources) {
        (Some(name), _) => check_upstream(&name, sources)?,
        (None, [only]) => (*only).to_owned(),
        (None, all) => {
            let all = all.join(" or ");
            return Err((start, format!("name the upstream where the users sign in: {all}")));
        }
    };
    let at = match_by.span().start;
    let matched_by = match match_by.into_inner() {
        Matching::Word(Word::Email) => MatchedBy::Email,
        Matching::Word(Word::Subject) => MatchedBy::Subject,
        Matching::Word(Word::Login) if upstream == GITHUB => MatchedBy::Login,
        Matching::Word(Word::Login) => {
            let why =
                "only GitHub proves login names; write \"email\", \"subject\" or { claim = \"…\" }";
            return Err((at, why.into()));
        }
        Matching::Claim(_) if upstream == GITHUB => {
            let why = "GitHub makes no claims; write \"login\", \"email\" or \"subject\"";
            return Err((at, why.into()));
        }
        Matching::Claim(ClaimName { claim }) => MatchedBy::Claim(claim),
    };
    Ok(ScimSetting { provisioning: Provisioning { upstream, matched_by }, secret_hashes })
}

fn check_upstream(name: &Spanned<String>, sources: &[&str]) -> Result<String, (usize, String)> {
    let text = name.get_ref();
    if sources.contains(&text.as_str()) {
        return Ok(text.clone());
    }
    let advice = suggestion(text, sources.iter().copied())
        .unwrap_or_else(|| format!("; write {}", sources.join(" or ")));
    Err((name.span().start, format!("people cannot sign in with {text:?}{advice}")))
}

fn read(path: &std::path::Path) -> Result<Vec<String>, String> {
    let file = path.display();
    let text = secret_file::read(path)
        .map_err(|error| format!("the secret_file {file} cannot be read: {error}"))?;
    let secrets: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_long = |secret: &&str| secret.len() >= MIN_SECRET_LENGTH;
    if !(1..=MAX_SECRETS).contains(&secrets.len()) || !secrets.iter().all(is_long) {
        return Err(format!(
            "the secret_file {file} must hold one or two lines of at least {MIN_SECRET_LENGTH} random \
             characters; `openssl rand -base64 33` makes one"
        ));
    }
    Ok(secrets.into_iter().map(secret::hash).collect())
}
