//! JSON objects without repeated members at any depth. Some parsers take the first of two members
//! with the same name and some the last, so a signed object could mean two things (RFC 7515 §4,
//! RFC 7519 §4).

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor},
};

/// Parses `text`, which must be exactly one object. serde_json alone would accept an array for a
/// struct, and keep the last of two members in a map.
///
/// # Errors
/// The text is not an object, repeats a member, or is not a `T`.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let UniqueObject = serde_json::from_slice(text)?;
    serde_json::from_slice(text)
}

struct UniqueObject;
struct UniqueValue;
struct UniqueMembers;

impl<'de> Deserialize<'de> for UniqueObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueMembers).map(|()| Self)
    }
}

impl<'de> Deserialize<'de> for UniqueValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueMembers).map(|()| Self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without repeated members")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(UniqueValue) = items.next_element()? {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some((name, UniqueValue)) = members.next_entry::<String, _>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_object_without_doubled_members_is_read_as_it_is() {
        let text = r#"{"a": [null, true, -1, 1, 1.5, "x", {"a": {}}], "b": {"a": 1}, "A": ""}"#;
        let read: Value = from_slice(text.as_bytes()).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_member_that_comes_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "b": 2, "a": null}"#,
            r#"{"a": 1, "\u0061": 1}"#,
            r#"{"b": {"a": 1, "a": 2}}"#,
            r#"{"b": [[{"a": 1, "a": 2}]]}"#,
            r#"{"": 1, "": 2}"#,
        ] {
            assert!(from_slice::<Value>(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn anything_but_one_object_is_refused() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(1000), "}".repeat(1000));
        for text in [
            "",
            "null",
            "1",
            "\"{}\"",
            "[]",
            "[{}]",
            "{} {}",
            "{}x",
            "{}\0",
            "\u{feff}{}",
            "{'a':1}",
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            r#"{"a":NaN}"#,
            "{a:1}",
            "{} // x",
            &deep,
        ] {
            assert!(from_slice::<Value>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(from_slice::<Value>(b"{\"a\":\"\xff\"}").is_err());
        assert!(from_slice::<Value>(b" {}\r\n").is_ok());
    }
}
