//! What a schema says about a value besides its kind: how large, how long, how many.

use serde_json::{Number, Value};

/// The bounds of one argument. Absent ones do not bind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    minimum: Option<Number>,
    maximum: Option<Number>,
    shortest: Option<u64>,
    longest: Option<u64>,
    fewest: Option<u64>,
    most: Option<u64>,
}

impl Limits {
    /// The bounds that `schema` declares.
    pub(super) fn read(schema: &Value) -> Self {
        let number = |name: &str| schema.get(name).and_then(Value::as_number).cloned();
        let count = |name: &str| schema.get(name).and_then(Value::as_u64);
        Self {
            minimum: number("minimum"),
            maximum: number("maximum"),
            shortest: count("minLength"),
            longest: count("maxLength"),
            fewest: count("minItems"),
            most: count("maxItems"),
        }
    }

    /// The bounds in words, like `from 1 to 20`; `None` if there are none.
    pub fn in_words(&self) -> Option<String> {
        let number = |bound: &Option<Number>| bound.as_ref().map(Number::to_string);
        let count = |bound: Option<u64>| bound.map(|bound| bound.to_string());
        let parts = [
            range(number(&self.minimum), number(&self.maximum), ""),
            range(count(self.shortest), count(self.longest), " characters"),
            range(count(self.fewest), count(self.most), " values"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether `value` keeps to the bounds.
    pub fn allow(&self, value: &Value) -> bool {
        let within = |value: u64, low: Option<u64>, high: Option<u64>| {
            low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high)
        };
        let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
        match value {
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                bound(&self.minimum).is_none_or(|low| number >= low)
                    && bound(&self.maximum).is_none_or(|high| number <= high)
            }
            Value::String(text) => within(text.chars().count() as u64, self.shortest, self.longest),
            Value::Array(items) => within(items.len() as u64, self.fewest, self.most),
            _ => true,
        }
    }
}

fn range(low: Option<String>, high: Option<String>, what: &str) -> Option<String> {
    match (low, high) {
        (Some(low), Some(high)) => Some(format!("from {low} to {high}{what}")),
        (Some(low), None) => Some(format!("at least {low}{what}")),
        (None, Some(high)) => Some(format!("at most {high}{what}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_are_told_and_kept() {
        let people = Limits::read(&json!({"minimum": 1, "maximum": 20}));
        assert_eq!(people.in_words().as_deref(), Some("from 1 to 20"));
        assert!(people.allow(&json!(1)) && people.allow(&json!(20)));
        assert!(!people.allow(&json!(0)) && !people.allow(&json!(20.5)));
        let name = Limits::read(&json!({"minLength": 2}));
        assert_eq!(name.in_words().as_deref(), Some("at least 2 characters"));
        assert!(name.allow(&json!("é!")) && !name.allow(&json!("é")));
        let tags = Limits::read(&json!({"maxItems": 1}));
        assert!(tags.allow(&json!(["a"])) && !tags.allow(&json!(["a", "b"])));
        assert_eq!(Limits::read(&json!({})).in_words(), None);
    }
}
