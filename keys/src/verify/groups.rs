//! The groups of a user, as claims of tokens and answers name them.

use super::unique_json::{Object, Value};

/// Most groups that count. An issuer with more for one user should send those that matter.
const MAX_GROUPS: usize = 1_000;

/// The groups in the claim `name`: a list of texts, or one text. Anything else, and a list with more than
/// a thousand groups, counts as none: what a group allows is refused rather than given to someone who may
/// not be in it.
pub fn groups(claims: &Object<'_>, name: &str) -> Vec<String> {
    match claims.get(name) {
        Some(Value::String(group)) => vec![group.to_string()],
        Some(Value::Array(groups)) if groups.len() <= MAX_GROUPS => {
            let texts = groups.iter().map(|group| group.as_text().map(ToString::to_string));
            texts.collect::<Option<_>>().unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::unique_json::parse;

    fn read(claim: &Value) -> Vec<String> {
        let claims = json!({"groups": claim, "sub": "nick"}).to_string();
        groups(&parse(claims.as_bytes()).unwrap(), "groups")
    }

    #[test]
    fn groups_are_a_list_of_texts_or_one_text_and_nothing_else() {
        assert_eq!(read(&json!(["staff", "platform"])), ["staff", "platform"]);
        assert_eq!(read(&json!("staff")), ["staff"]);
        for none in [json!([]), json!(null), json!(7), json!({"staff": true}), json!(["staff", 7])]
        {
            assert!(read(&none).is_empty(), "{none}");
        }
        assert!(groups(&parse(b"{}").unwrap(), "groups").is_empty());
    }

    #[test]
    fn of_ten_thousand_groups_none_counts() {
        let many = |count: usize| json!((0..count).map(|at| format!("g{at}")).collect::<Vec<_>>());
        assert_eq!(read(&many(MAX_GROUPS)).len(), MAX_GROUPS);
        for count in [MAX_GROUPS + 1, 10_000] {
            assert!(read(&many(count)).is_empty(), "{count}");
        }
    }
}
