//! What a schema says about a value besides its kind: how large, how long, how many.

use serde_json::{Number, Value};

/// The bounds of one argument. Absent ones do not bind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    minimum: Option<Number>,
    maximum: Option<Number>,
    shortest: Option<u64>,
    longest: Option<u64>,
    fewest: Option<u64>,
    most: Option<u64>,
    /// Whether the bounds themselves are excluded.
    excludes: (bool, bool),
    step: Option<Number>,
    is_set: bool,
    each: Option<Box<Limits>>,
}

impl Limits {
    /// The bounds that `schema` declares, and those of each value if it is a list of `items`.
    pub(super) fn parse(schema: &Value, items: Option<&Value>) -> Self {
        let number = |name: &str| schema.get(name).and_then(Value::as_number).cloned();
        let count = |name: &str| schema.get(name).and_then(Value::as_u64);
        let above = number("exclusiveMinimum");
        let below = number("exclusiveMaximum");
        // In old schemas these are flags next to the bound.
        let is_flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        let excludes = (
            above.is_some() || is_flag("exclusiveMinimum"),
            below.is_some() || is_flag("exclusiveMaximum"),
        );
        let each =
            items.map(|items| Self::parse(items, None)).filter(|each| *each != Self::default());
        Self {
            minimum: above.or_else(|| number("minimum")),
            maximum: below.or_else(|| number("maximum")),
            shortest: count("minLength"),
            longest: count("maxLength"),
            fewest: count("minItems"),
            most: count("maxItems"),
            excludes,
            step: number("multipleOf"),
            is_set: is_flag("uniqueItems"),
            each: each.map(Box::new),
        }
    }

    /// The bounds in words, like `from 1 to 20`; `None` if there are none.
    pub(crate) fn in_words(&self) -> Option<String> {
        let number = |bound: &Option<Number>, excluded: bool, word: &str| {
            let bound = bound.as_ref()?;
            Some(if excluded { format!("{word} {bound}") } else { bound.to_string() })
        };
        let count = |bound: Option<u64>| bound.map(|bound| bound.to_string());
        let parts = [
            range(
                number(&self.minimum, self.excludes.0, "more than"),
                number(&self.maximum, self.excludes.1, "less than"),
                "",
            ),
            self.step.as_ref().map(|step| format!("a multiple of {step}")),
            range(count(self.shortest), count(self.longest), " characters"),
            range(count(self.fewest), count(self.most), " values"),
            self.is_set.then(|| "no value twice".to_owned()),
            self.each.as_ref().and_then(|each| Some(format!("each {}", each.in_words()?))),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether `value` keeps to the bounds.
    pub(crate) fn allow(&self, value: &Value) -> bool {
        let within = |value: u64, low: Option<u64>, high: Option<u64>| {
            low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high)
        };
        match value {
            Value::Number(number) => self.allow_number(number.as_f64().unwrap_or_default()),
            Value::String(text) => within(text.chars().count() as u64, self.shortest, self.longest),
            Value::Array(items) => {
                within(items.len() as u64, self.fewest, self.most)
                    && !(self.is_set && has_duplicates(items))
                    && self.each.as_ref().is_none_or(|each| items.iter().all(|one| each.allow(one)))
            }
            _ => true,
        }
    }

    fn allow_number(&self, number: f64) -> bool {
        let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
        let (no_low, no_high) = self.excludes;
        bound(&self.minimum).is_none_or(|low| number > low || number == low && !no_low)
            && bound(&self.maximum).is_none_or(|high| number < high || number == high && !no_high)
            && bound(&self.step).is_none_or(|step| is_multiple(number, step))
    }
}

/// Decimal steps such as 0.1 have no exact form, so a little is forgiven.
fn is_multiple(number: f64, step: f64) -> bool {
    let steps = number / step;
    step <= 0.0 || (steps - steps.round()).abs() < 1e-9
}

fn has_duplicates(items: &[Value]) -> bool {
    items
        .iter()
        .enumerate()
        .any(|(index, item)| items.iter().skip(index + 1).any(|other| other == item))
}

/// A range in words. A bound that is excluded says so itself.
fn range(low: Option<String>, high: Option<String>, what: &str) -> Option<String> {
    let in_words = |bound: String, word: &str| {
        let is_said = bound.contains(" than ");
        if is_said { bound } else { format!("{word} {bound}") }
    };
    match (low, high) {
        (Some(low), Some(high)) if low.contains(" than ") || high.contains(" than ") => {
            Some(format!("{} and {}", in_words(low, "at least"), in_words(high, "at most")))
        }
        (Some(low), Some(high)) => Some(format!("from {low} to {high}{what}")),
        (Some(low), None) => Some(format!("{}{what}", in_words(low, "at least"))),
        (None, Some(high)) => Some(format!("{}{what}", in_words(high, "at most"))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: Value) -> Limits {
        Limits::parse(&schema, schema.get("items"))
    }

    #[test]
    fn bounds_that_exclude_themselves_steps_and_bounds_of_each_value_are_kept() {
        let share = read(json!({"exclusiveMinimum": 0, "maximum": 1}));
        assert_eq!(share.in_words().as_deref(), Some("more than 0 and at most 1"));
        assert!(share.allow(&json!(0.5)) && share.allow(&json!(1)) && !share.allow(&json!(0)));
        let old = read(json!({"maximum": 5, "exclusiveMaximum": true}));
        assert_eq!(old.in_words().as_deref(), Some("less than 5"));
        assert!(old.allow(&json!(4)) && !old.allow(&json!(5)));
        let price = read(json!({"multipleOf": 0.1}));
        assert!(price.allow(&json!(0.3)) && !price.allow(&json!(0.35)));
        let tags = read(json!({"uniqueItems": true, "items": {"maxLength": 2}}));
        assert_eq!(tags.in_words().as_deref(), Some("no value twice, each at most 2 characters"));
        assert!(tags.allow(&json!(["a", "bc"])));
        assert!(!tags.allow(&json!(["a", "a"])) && !tags.allow(&json!(["abc"])));
        assert!(read(json!({"multipleOf": 0})).allow(&json!(1)), "an odd schema forbids nothing");
    }

    #[test]
    fn bounds_are_told_and_kept() {
        let people = read(json!({"minimum": 1, "maximum": 20}));
        assert_eq!(people.in_words().as_deref(), Some("from 1 to 20"));
        assert!(people.allow(&json!(1)) && people.allow(&json!(20)));
        assert!(!people.allow(&json!(0)) && !people.allow(&json!(20.5)));
        let name = read(json!({"minLength": 2}));
        assert_eq!(name.in_words().as_deref(), Some("at least 2 characters"));
        assert!(name.allow(&json!("é!")) && !name.allow(&json!("é")));
        let tags = read(json!({"maxItems": 1}));
        assert!(tags.allow(&json!(["a"])) && !tags.allow(&json!(["a", "b"])));
        assert_eq!(read(json!({})).in_words(), None);
    }
}
