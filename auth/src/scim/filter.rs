//! Filters (RFC 7644 §3.4.2.2): comparisons by `eq`, joined by `and`.

use serde_json::Value;
use uuid::Uuid;

use super::{ScimError, schemas};
use crate::storage::{scim_groups, scim_users};

/// Longest filter that is read, in bytes.
const MAX_FILTER: usize = 1024;
const ADVICE: &str = "Filter by eq, as in userName eq \"ada@acme.example\"; several comparisons are \
                      joined by and.";

/// The filter of a list of users.
pub(crate) fn user_filter(text: &str) -> Result<scim_users::Filter, ScimError> {
    let mut filter = scim_users::Filter::default();
    for (name, value) in parse(text)? {
        let value = text_of(&name, value)?;
        match name.to_ascii_lowercase().as_str() {
            "username" => once(&mut filter.user_name, value)?,
            "externalid" => once(&mut filter.external_id, value)?,
            "id" => once(&mut filter.id, id(&value))?,
            _ => return Err(unknown(&name, "userName, externalId and id")),
        }
    }
    Ok(filter)
}

/// The filter of a list of groups.
pub(crate) fn group_filter(text: &str) -> Result<scim_groups::Filter, ScimError> {
    let mut filter = scim_groups::Filter::default();
    for (name, value) in parse(text)? {
        let value = text_of(&name, value)?;
        match name.to_ascii_lowercase().as_str() {
            "displayname" => once(&mut filter.display_name, value)?,
            "externalid" => once(&mut filter.external_id, value)?,
            "id" => once(&mut filter.id, id(&value))?,
            "members" | "members.value" => once(&mut filter.member, id(&value))?,
            _ => return Err(unknown(&name, "displayName, externalId, id and members")),
        }
    }
    Ok(filter)
}

/// An id. What cannot be one belongs to no resource.
fn id(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap_or_else(|_| Uuid::nil())
}

fn unknown(name: &str, known: &str) -> ScimError {
    ScimError::filter(format!("This server filters by {known}, not by {name:?}."))
}

fn text_of(name: &str, value: Value) -> Result<String, ScimError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(ScimError::filter(format!("Compare {name} with a text in quotation marks."))),
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), ScimError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(ScimError::filter("Compare each attribute once.")),
    }
}

/// The comparisons of a filter: names without their schema, and values.
pub(super) fn parse(text: &str) -> Result<Vec<(String, Value)>, ScimError> {
    let wrong = || ScimError::filter(ADVICE);
    if text.len() > MAX_FILTER {
        return Err(ScimError::filter(format!("Send a filter of at most {MAX_FILTER} bytes.")));
    }
    let mut terms = Vec::new();
    let mut rest = text.trim();
    loop {
        let (name, after) = word(rest).ok_or_else(wrong)?;
        let name = schemas::without_urn(name).ok_or_else(wrong)?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-$".contains(&b));
        let (operator, after) = word(after).ok_or_else(wrong)?;
        if !is_name || !operator.eq_ignore_ascii_case("eq") {
            return Err(wrong());
        }
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let value = values.next().and_then(Result::ok).ok_or_else(wrong)?;
        terms.push((name.to_owned(), value));
        rest = after.get(values.byte_offset()..).unwrap_or_default();
        if rest.trim().is_empty() {
            return Ok(terms);
        }
        let (joined_by, after) =
            word(rest.strip_prefix(' ').ok_or_else(wrong)?).ok_or_else(wrong)?;
        if !joined_by.eq_ignore_ascii_case("and") {
            return Err(wrong());
        }
        rest = after;
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.trim_start().split_once(' ')?;
    (!word.is_empty()).then(|| (word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_by_eq_are_read() {
        let user = |name: Option<&str>, id: Option<&str>| scim_users::Filter {
            user_name: name.map(str::to_owned),
            external_id: id.map(str::to_owned),
            ..scim_users::Filter::default()
        };
        for (text, expected) in [
            ("userName eq \"ada\"", user(Some("ada"), None)),
            ("USERNAME EQ \"a \\\"b\\\" and c\"", user(Some("a \"b\" and c"), None)),
            ("externalId eq \"7\" AND userName eq \"ada\" ", user(Some("ada"), Some("7"))),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada\"",
                user(Some("ada"), None),
            ),
        ] {
            assert_eq!(user_filter(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "userName",
            "userName eq",
            "userName eq ada",
            "userName eq \"ada",
            "userName eq 7",
            "userName sw \"ada\"",
            "userName pr",
            "not (userName eq \"a\")",
            "(userName eq \"a\")",
            "userName eq \"a\" or userName eq \"b\"",
            "userName eq \"a\" and",
            "title eq \"x\"",
            "userName eq \"a\" and userName eq \"b\"",
            "userName eq \"a\"and externalId eq \"b\"",
            "emails[type eq \"work\"] eq \"x\"",
            "userName eq null",
            &format!("userName eq \"{}\"", "x".repeat(1024)),
        ] {
            let refused = user_filter(text).unwrap_err();
            assert_eq!(refused.scim_type, Some("invalidFilter"), "{text}");
        }
    }
}
