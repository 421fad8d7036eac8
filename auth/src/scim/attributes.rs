//! Reads attributes leniently: names in any case (RFC 7643 §2.1), null as absent, booleans also as text.

use serde_json::{Map, Value};

use super::{Members, ScimError};

/// Longest text of an attribute, in bytes.
const MAX_TEXT: usize = 256;

/// The value of an attribute; `None` if it is absent or null.
pub(super) fn get<'a>(members: &'a Members, name: &str) -> Option<&'a Value> {
    let found = members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value).filter(|value| !value.is_null())
}

/// The name under which `members` has an attribute, or would get it.
pub(super) fn key(members: &Members, name: &str) -> String {
    let known = members.keys().find(|known| known.eq_ignore_ascii_case(name));
    known.map_or_else(|| name.to_owned(), Clone::clone)
}

/// A text; `None` if it is absent, null or empty.
pub(super) fn text(members: &Members, name: &str) -> Result<Option<String>, ScimError> {
    let Some(value) = get(members, name) else { return Ok(None) };
    let text = value.as_str().filter(|text| is_storable(text)).ok_or_else(|| {
        ScimError::value(format!(
            "Send {name} as text of at most {MAX_TEXT} bytes without control characters."
        ))
    })?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned))
}

fn is_storable(text: &str) -> bool {
    text.len() <= MAX_TEXT && !text.contains(char::is_control)
}

/// A boolean; Microsoft Entra ID sends it as `"False"`.
pub(super) fn flag(members: &Members, name: &str) -> Result<Option<bool>, ScimError> {
    let Some(value) = get(members, name) else { return Ok(None) };
    let flag = match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    let flag = flag.ok_or_else(|| ScimError::value(format!("Send {name} as true or false.")))?;
    Ok(Some(flag))
}

/// The objects of an attribute with several values. One object counts as a list of one.
pub(super) fn objects<'a>(
    members: &'a Members,
    name: &str,
    most: usize,
) -> Result<Vec<&'a Members>, ScimError> {
    let list = match get(members, name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(Value::as_object).collect(),
        Some(value) => value.as_object().map(|one| vec![one]),
    };
    list.filter(|list: &Vec<&Map<_, _>>| list.len() <= most).ok_or_else(|| {
        ScimError::value(format!("Send {name} as a list of at most {most} objects."))
    })
}
