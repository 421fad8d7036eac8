//! Paths of a patch (RFC 7644 §3.5.2): `attribute`, `attribute.sub` and `attribute[sub eq "value"].sub`.

use serde_json::Value;

use super::{ScimError, filter, schemas};

/// Longest path that is read, in bytes.
const MAX_PATH: usize = 512;

/// What a patch changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) attribute: String,
    /// What the values that are meant have in common: a sub-attribute and its value.
    pub(super) filter: Option<(String, Value)>,
    pub(super) sub: Option<String>,
}

impl Path {
    /// Parses a path; `None` for an attribute of an extension, which is not kept.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, ScimError> {
        let Some(text) = schemas::without_urn(text.trim()) else { return Ok(None) };
        let wrong = || ScimError::path(format!("Correct the path {text:?}."));
        if text.len() > MAX_PATH {
            return Err(ScimError::path(format!("Send a path of at most {MAX_PATH} bytes.")));
        }
        let (target, filter) = match text.split_once('[') {
            None => (text, None),
            Some((attribute, rest)) => {
                let (filter, rest) = rest.rsplit_once(']').ok_or_else(wrong)?;
                let mut terms = filter::parse(filter).map_err(|_| wrong())?;
                let term = terms.pop().filter(|_| terms.is_empty()).ok_or_else(wrong)?;
                let sub = if rest.is_empty() {
                    None
                } else {
                    Some(rest.strip_prefix('.').ok_or_else(wrong)?)
                };
                let path = Self {
                    attribute: name(attribute).ok_or_else(wrong)?,
                    filter: Some(term),
                    sub: None,
                };
                let sub = sub.map(|sub| name(sub).ok_or_else(wrong)).transpose()?;
                return Ok(Some(Self { sub, ..path }));
            }
        };
        let (attribute, sub) = match target.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(name(sub).ok_or_else(wrong)?)),
            None => (target, None),
        };
        Ok(Some(Self { attribute: name(attribute).ok_or_else(wrong)?, filter, sub }))
    }
}

/// A name of an attribute (RFC 7643 §2.1).
fn name(text: &str) -> Option<String> {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && text.bytes().skip(1).all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    is_name.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_taken_apart_and_extensions_left_out() {
        let path = |attribute: &str, filter: Option<(&str, &str)>, sub: Option<&str>| Path {
            attribute: attribute.into(),
            filter: filter.map(|(name, value)| (name.into(), json!(value))),
            sub: sub.map(str::to_owned),
        };
        for (text, expected) in [
            ("active", path("active", None, None)),
            ("name.familyName", path("name", None, Some("familyName"))),
            ("members[value eq \"1\"]", path("members", Some(("value", "1")), None)),
            ("emails[type eq \"a]b\"].value", path("emails", Some(("type", "a]b")), Some("value"))),
            ("urn:ietf:params:scim:schemas:core:2.0:User:active", path("active", None, None)),
        ] {
            assert_eq!(Path::parse(text).unwrap(), Some(expected), "{text}");
        }
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        assert_eq!(Path::parse(extension).unwrap(), None);
        for text in [
            "",
            "1a",
            "a b",
            "emails[",
            "emails[type]",
            "emails[type eq \"x\"]y",
            "a.b.c",
            "[]",
            "emails[a eq \"x\" and b eq \"y\"]",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
