//! JSON objects without repeated members at any depth. Some parsers take the first of two members
//! with the same name and some the last, so a signed object could mean two things (RFC 7515 §4,
//! RFC 7519 §4). Some end a name at a NUL, so a name with one could be another member's too.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

/// Members of an object up to which all names are compared with each other. That needs no memory.
const MAX_COMPARED: usize = 16;

/// JSON that borrows its texts from what it was parsed from.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// A string, borrowed unless it is spelled with escapes.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Object<'a>),
}

/// The members of a JSON object. No name comes twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// Parses `text`, which must be exactly one object.
///
/// # Errors
/// The text is not an object, repeats a member, or has a NUL in the name of one.
pub fn parse(text: &[u8]) -> serde_json::Result<Object<'_>> {
    serde_json::from_slice(text)
}

/// Parses `text`, which must be exactly one object. serde_json alone would accept an array for a
/// struct, and keep the last of two members in a map.
///
/// # Errors
/// The text is not an object, repeats a member, or is not a `T`.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    parse(text)?;
    serde_json::from_slice(text)
}

impl<'a> Object<'a> {
    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes a member out of the object.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// The names of the members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    fn has_repeated_name(&self) -> bool {
        if self.0.len() > MAX_COMPARED {
            return self.names().collect::<HashSet<_>>().len() < self.0.len();
        }
        self.names().enumerate().any(|(index, name)| self.names().take(index).any(|n| n == name))
    }
}

impl<'a> Value<'a> {
    /// The text, if it is a string.
    pub fn as_text(&self) -> Option<&Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

struct NameVisitor;
struct ObjectVisitor;
struct ValueVisitor;

/// A member's name. Unlike `Cow` itself, it borrows where it can.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object::default();
        while let Some((Name(name), value)) = members.next_entry()? {
            if name.contains('\0') {
                return Err(A::Error::custom("the name of a member contains a NUL"));
            }
            object.0.push((name, value));
        }
        if object.has_repeated_name() {
            return Err(A::Error::custom("a member is repeated"));
        }
        Ok(object)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without repeated members")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value<'de>, A::Error> {
        ObjectVisitor.visit_map(members).map(Value::Object)
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
    fn a_name_that_some_readers_end_at_a_nul_is_refused_at_any_depth() {
        for text in [r#"{"a": 1, "a\u0000": 2}"#, r#"{"\u0000": 1}"#, r#"{"b": [{"a\u0000b": 1}]}"#]
        {
            assert!(from_slice::<Value>(text.as_bytes()).is_err(), "{text}");
        }
        let text = br#"{"a": "x\u0000", "a\u0001": 1}"#;
        assert_eq!(from_slice::<Value>(text).unwrap()["a"], "x\0");
    }

    #[test]
    fn a_member_that_comes_twice_is_refused_however_many_there_are() {
        for count in [2, MAX_COMPARED, MAX_COMPARED + 1, 1000] {
            let members = |names: Vec<usize>| {
                let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":0")).collect();
                format!("{{{}}}", members.join(","))
            };
            assert!(parse(members((0..count).collect()).as_bytes()).is_ok(), "{count}");
            let repeated = (0..count - 1).chain([0]).collect();
            assert!(parse(members(repeated).as_bytes()).is_err(), "{count}");
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
