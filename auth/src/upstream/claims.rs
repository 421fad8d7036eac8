//! The claims of an OpenID provider that rules ask about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::access::facts::Questions;

/// Values of one claim that are kept.
const MAX_VALUES: usize = 1000;
/// Longest value that is kept, in bytes.
const MAX_VALUE_LENGTH: usize = 256;

/// What rules ask about at one provider.
#[derive(Clone, Debug)]
pub(crate) struct AskedClaims {
    provider: String,
    names: BTreeSet<String>,
    values: BTreeSet<String>,
}

impl AskedClaims {
    pub(crate) fn new(provider: &str, questions: &Questions) -> Self {
        Self {
            provider: provider.into(),
            names: questions.claims.get(provider).cloned().unwrap_or_default(),
            values: questions.values.clone(),
        }
    }

    /// Whether rules ask about nothing here.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether `claims` lacks one of them.
    pub(super) fn are_missing_from(&self, claims: &Map<String, Value>) -> bool {
        self.names.iter().any(|name| claims.get(name).is_none_or(Value::is_null))
    }

    /// Reads each claim from the first source that has it.
    pub(crate) fn read(
        &self,
        sources: &[&Map<String, Value>],
    ) -> BTreeMap<String, BTreeSet<String>> {
        let found = self.names.iter().filter_map(|name| {
            let mut values = sources.iter().filter_map(|source| source.get(name));
            let value = values.find(|value| !value.is_null())?;
            Some((name.clone(), self.kept(name, texts(value))?))
        });
        found.collect()
    }

    /// The values that are kept, those that rules name first: someone in 10,000 groups must neither fill
    /// the table nor lose the group that admits them.
    fn kept(&self, claim: &str, values: Option<BTreeSet<String>>) -> Option<BTreeSet<String>> {
        let provider = &self.provider;
        let Some(mut values) = values else {
            tracing::warn!(
                %provider, claim,
                "the claim counts as missing: it is neither a text, a number or a boolean, nor a list of these"
            );
            return None;
        };
        let sent = values.len();
        values.retain(|value| value.len() <= MAX_VALUE_LENGTH);
        let (named, others): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|value| self.values.contains(value));
        let kept: BTreeSet<_> = named.into_iter().chain(others).take(MAX_VALUES).collect();
        if kept.len() < sent {
            tracing::warn!(
                %provider, claim, sent, kept = kept.len(),
                "the claim has more or longer values than are kept"
            );
        }
        Some(kept)
    }
}

/// A claim as a set of texts. A claim that is one value is a set of one.
fn texts(value: &Value) -> Option<BTreeSet<String>> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => text(value).map(|text| [text].into()),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Option<BTreeSet<String>> {
        let questions = Questions {
            claims: [("id".into(), ["groups".into()].into())].into(),
            values: ["staff".into(), "zebras".into()].into(),
            ..Questions::default()
        };
        let claims = json!({ "groups": value });
        let claims = claims.as_object().unwrap();
        AskedClaims::new("id", &questions).read(&[claims]).remove("groups")
    }

    fn set(values: &[&str]) -> Option<BTreeSet<String>> {
        Some(values.iter().map(|&value| value.to_owned()).collect())
    }

    #[test]
    fn a_claim_is_one_value_or_a_list_and_all_else_is_missing() {
        assert_eq!(read(&json!("staff")), set(&["staff"]));
        assert_eq!(read(&json!(7)), set(&["7"]));
        assert_eq!(read(&json!(true)), set(&["true"]));
        assert_eq!(read(&json!(["staff", 7, false])), set(&["staff", "7", "false"]));
        assert_eq!(read(&json!([])), set(&[]));
        for odd in [json!(null), json!({"staff": true}), json!([["staff"]]), json!(["staff", null])]
        {
            assert_eq!(read(&odd), None, "{odd}");
        }
    }

    #[test]
    fn values_that_rules_name_are_kept_among_ten_thousand() {
        let groups: Vec<String> = (0..10_000).map(|number| format!("group-{number}")).collect();
        let mut groups = json!(groups);
        groups.as_array_mut().unwrap().push(json!("zebras"));
        let kept = read(&groups).unwrap();
        assert_eq!(kept.len(), MAX_VALUES);
        assert!(kept.contains("zebras"), "the last one in order is named by a rule");
        assert_eq!(read(&json!(["x".repeat(257), "y".repeat(256)])), set(&[&"y".repeat(256)]));
    }

    #[test]
    fn the_first_source_that_has_a_claim_is_believed() {
        let questions = Questions {
            claims: [("id".into(), ["groups".into(), "level".into()].into())].into(),
            ..Questions::default()
        };
        let asked = AskedClaims::new("id", &questions);
        let token = json!({"groups": ["a"], "level": null});
        let info = json!({"groups": ["b"], "level": 3, "other": "c"});
        let (token, info) = (token.as_object().unwrap(), info.as_object().unwrap());
        assert!(asked.are_missing_from(token) && !asked.are_missing_from(info));
        let expected = [("groups", "a"), ("level", "3")];
        let expected = expected.map(|(name, value)| (name.to_owned(), [value.to_owned()].into()));
        assert_eq!(asked.read(&[token, info]), expected.into());
    }
}
