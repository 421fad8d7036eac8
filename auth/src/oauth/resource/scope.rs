//! A scope of one resource, with its words for people in each of their languages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A scope, as configured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceScope {
    pub(crate) name: String,
    /// What it allows, as the consent page says it in every language without a translation.
    pub(crate) description: String,
    /// The same in further languages, by their tags (RFC 5646).
    #[serde(default)]
    pub(crate) translations: BTreeMap<String, String>,
    /// Whether the consent page marks it as one to think about.
    #[serde(default)]
    pub(crate) sensitive: bool,
    /// Whether a person may leave it out when they consent.
    #[serde(default)]
    pub(crate) optional: bool,
    /// Whether it is granted only to who asks for it by name.
    #[serde(default)]
    pub(crate) on_request: bool,
    /// Other scopes of the resource that are granted along with it.
    #[serde(default)]
    pub(crate) implies: Vec<String>,
}

impl ResourceScope {
    /// What it allows, in the language of this tag (RFC 5646).
    pub(crate) fn words(&self, tag: &str) -> &str {
        self.translations.get(tag).unwrap_or(&self.description)
    }

    /// Refuses a translation into a language that is not among those of the pages, where it would
    /// never be seen.
    pub(super) fn check_translations(&self, resource: &str, known: &[&str]) -> Result<(), String> {
        match self.translations.keys().find(|tag| !known.contains(&tag.as_str())) {
            None => Ok(()),
            Some(tag) => Err(format!(
                "the scope {:?} of {resource:?} has a translation into {tag:?}, but the pages \
                 speak {} only",
                self.name,
                known.join(" and ")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(json: &str) -> ResourceScope {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_scope_is_told_in_the_language_of_the_reader_or_else_as_it_is_described() {
        let read = scope(
            r#"{"name": "read", "description": "Read files", "translations": {"de": "Dateien lesen"}}"#,
        );
        assert_eq!(read.words("de"), "Dateien lesen");
        assert_eq!(read.words("en"), "Read files");
        let write = scope(r#"{"name": "write", "description": "Write files"}"#);
        assert_eq!(write.words("de"), "Write files");
    }

    #[test]
    fn a_translation_that_nobody_would_see_is_refused() {
        let klingon =
            scope(r#"{"name": "read", "description": "Read", "translations": {"tlh": "laD"}}"#);
        let refused =
            klingon.check_translations("https://mcp.example.com", &["en", "de"]).unwrap_err();
        assert!(refused.contains("\"tlh\"") && refused.contains("en and de"), "{refused}");
    }
}
