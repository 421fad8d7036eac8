//! Members of the JSON objects that other servers write, each read on its own.
//!
//! A document is written by one server for many clients. A member that this client does not use
//! must not stop it, so a wrong value is kept as such and only refused where it is needed.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::terminal::printable::shortened;

/// Longer values are cut when they are shown.
pub(super) const MAX_SHOWN: usize = 80;

/// One member of a JSON object. `null` and `""` count as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Member<T> {
    #[default]
    Absent,
    /// It is what it should be.
    Usable(T),
    /// It is something else: its value as it was sent, cut to a length that can be shown.
    Unusable(String),
}

impl<T> Member<T> {
    /// The value, if it can be used.
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Usable(value) => Some(value),
            Self::Absent | Self::Unusable(_) => None,
        }
    }
}

/// Reads a member that may be missing. If it has a wrong value, it counts as missing.
pub(super) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(match Member::deserialize(deserializer)? {
        Member::Usable(value) => Some(value),
        Member::Absent | Member::Unusable(_) => None,
    })
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let is_absent = value.is_null() || value.as_str().is_some_and(str::is_empty);
        if is_absent {
            return Ok(Self::Absent);
        }
        Ok(T::deserialize(&value).map_or_else(|_| Self::Unusable(shown(&value)), Self::Usable))
    }
}

/// Several texts. A single text counts as a list of its words, as in `scope` (RFC 6749 §3.3); what
/// is not a text is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Items(Vec<Value>),
            Words(String),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Items(items) => items
                .iter()
                .filter_map(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .collect(),
            Form::Words(words) => words.split_ascii_whitespace().map(str::to_owned).collect(),
        }))
    }
}

/// Yes or no. The text `"true"` counts as yes; everything else that is not `true` is no.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == Value::Bool(true) || value.as_str() == Some("true"))
}

/// A length of time in whole seconds. Some servers send it with a fraction or as text. A negative
/// one counts as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) i64);

impl Seconds {
    pub(super) fn whole(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = value.as_str().map(|text| text.trim().parse().ok());
        let seconds: Option<f64> = text.unwrap_or_else(|| value.as_f64());
        seconds
            .filter(|seconds| seconds.is_finite())
            // A cast of a float saturates; the bounds keep later sums in range.
            .map(|seconds| Self((seconds as i64).clamp(0, i64::from(u32::MAX))))
            .ok_or_else(|| serde::de::Error::custom("not a number of seconds"))
    }
}

/// A member that the flow needs and that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` in the metadata of {owner} is {value}, which is not {expected}")]
pub struct WrongMember {
    pub(crate) owner: String,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) expected: &'static str,
}

/// The address in `member`, the member `name` of the metadata of `owner`; `None` if it is absent.
pub(super) fn address<'a>(
    member: &'a Member<Url>,
    owner: &str,
    name: &'static str,
) -> Result<Option<&'a Url>, WrongMember> {
    match member {
        Member::Absent => Ok(None),
        Member::Usable(url) => Ok(Some(url)),
        Member::Unusable(value) => Err(WrongMember {
            owner: owner.to_owned(),
            name,
            value: value.clone(),
            expected: "an address",
        }),
    }
}

fn shown(value: &Value) -> String {
    shortened(&value.to_string(), MAX_SHOWN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: DeserializeOwned>(value: Value) -> Member<T> {
        Member::deserialize(value).expect("a member is never an error")
    }

    #[test]
    fn null_and_empty_text_are_absent_and_a_wrong_value_is_kept_to_be_named() {
        for absent in [json!(null), json!("")] {
            assert_eq!(read::<Url>(absent), Member::Absent);
        }
        assert_eq!(read::<Url>(json!("/token")), Member::Unusable("\"/token\"".to_owned()));
        assert_eq!(read::<Url>(json!([1])), Member::Unusable("[1]".to_owned()));
        let Member::Unusable(shown) = read::<Url>(json!("é".repeat(500))) else {
            panic!("usable")
        };
        assert_eq!(shown.chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn a_list_may_be_one_text_and_may_hold_other_things() {
        let list = |value| read::<List>(value).value().map(|list| list.0.join("|"));
        assert_eq!(list(json!(["a", null, 5, "", "b"])).as_deref(), Some("a|b"));
        assert_eq!(list(json!("a  b")).as_deref(), Some("a|b"));
        assert_eq!(list(json!({"a": 1})), None);
    }

    #[test]
    fn seconds_may_be_a_number_with_a_fraction_or_text() {
        let seconds = |value| read::<Seconds>(value).value().map(|seconds| seconds.0);
        for (value, expected) in [
            (json!(600), Some(600)),
            (json!(3599.999), Some(3599)),
            (json!("600"), Some(600)),
            (json!("600.0"), Some(600)),
            (json!(-5), Some(0)),
            (json!(1e300), Some(i64::from(u32::MAX))),
            (json!(""), None),
            (json!(null), None),
            (json!("soon"), None),
            (json!("NaN"), None),
            (json!(true), None),
        ] {
            assert_eq!(seconds(value.clone()), expected, "{value}");
        }
    }
}
