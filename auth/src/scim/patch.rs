//! Changes of a resource by PATCH (RFC 7644 §3.5.2), in the shapes that Entra ID and Okta send.

use serde_json::{Map, Value};

use super::{
    Members, ScimError,
    attributes::{get, key},
    path::Path,
};

/// Operations of one request.
const MAX_OPERATIONS: usize = 1000;

/// The operations of a request, to be carried out in their order.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub(super) operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) path: Option<Path>,
    pub(super) value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Remove,
    Replace,
}

impl Patch {
    /// Parses the body of a request. Operations on extensions, which are not kept, are left out.
    pub(crate) fn parse(body: &Members) -> Result<Self, ScimError> {
        let operations = get(body, "Operations").and_then(Value::as_array);
        let operations =
            operations.filter(|list| (1..=MAX_OPERATIONS).contains(&list.len())).ok_or_else(
                || ScimError::syntax(format!("Send Operations, a list of 1 to {MAX_OPERATIONS}.")),
            )?;
        let operations = operations.iter().filter_map(|it| Operation::parse(it).transpose());
        Ok(Self { operations: operations.collect::<Result<_, _>>()? })
    }

    pub(super) fn apply(self, members: &mut Members) -> Result<(), ScimError> {
        self.operations.into_iter().try_for_each(|operation| operation.apply(members))
    }
}

impl Operation {
    fn parse(value: &Value) -> Result<Option<Self>, ScimError> {
        let members = value.as_object();
        let members = members.ok_or_else(|| ScimError::syntax("Each operation is an object."))?;
        let text = |name| get(members, name).and_then(Value::as_str);
        let kind = match text("op").unwrap_or_default().to_ascii_lowercase().as_str() {
            "add" => Kind::Add,
            "remove" => Kind::Remove,
            "replace" => Kind::Replace,
            _ => return Err(ScimError::syntax("Write op as add, remove or replace.")),
        };
        let value = get(members, "value").cloned().unwrap_or(Value::Null);
        let path = match get(members, "path") {
            None | Some(Value::String(_)) => text("path").filter(|path| !path.is_empty()),
            Some(_) => return Err(ScimError::path("Write the path as text.")),
        };
        match path.map(Path::parse).transpose()? {
            None if kind == Kind::Remove => {
                Err(ScimError::no_target("Name the path of what is to be removed."))
            }
            None => Ok(Some(Self { kind, path: None, value })),
            // Of an extension.
            Some(None) => Ok(None),
            Some(path) => Ok(Some(Self { kind, path, value })),
        }
    }

    pub(super) fn apply(self, members: &mut Members) -> Result<(), ScimError> {
        let Self { kind, path, value } = self;
        match path {
            Some(path) => change(members, kind, &path, value),
            None => {
                let Value::Object(values) = value else {
                    let advice = "Name a path, or send an object of attributes.";
                    return Err(ScimError::no_target(advice));
                };
                // Entra ID writes paths in place of names, as in "name.familyName".
                for (name, value) in values {
                    if let Some(path) = Path::parse(&name)? {
                        change(members, kind, &path, value)?;
                    }
                }
                Ok(())
            }
        }
    }
}

fn change(members: &mut Members, kind: Kind, path: &Path, value: Value) -> Result<(), ScimError> {
    let key = key(members, &path.attribute);
    if let Some(filter) = &path.filter {
        let list = members.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(list) = list else {
            return Err(ScimError::path(format!("{} has one value.", path.attribute)));
        };
        return change_selected(list, kind, filter, path.sub.as_deref(), value);
    }
    if let Some(sub) = &path.sub {
        let object = members.entry(key).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(object) = object else {
            return Err(ScimError::path(format!("{} has no {sub}.", path.attribute)));
        };
        set(object, kind, sub, value);
        return Ok(());
    }
    set(members, kind, &key, value);
    Ok(())
}

/// Sets or removes one attribute. What is added to a list or an object leaves the rest of it.
fn set(members: &mut Members, kind: Kind, name: &str, value: Value) {
    let key = key(members, name);
    match (kind, members.get_mut(&key), value) {
        (Kind::Remove, ..) | (_, _, Value::Null) => {
            members.remove(&key);
        }
        (Kind::Add, Some(Value::Array(list)), Value::Array(more)) => {
            list.extend(more.into_iter().filter(|one| !list.contains(one)).collect::<Vec<_>>());
        }
        (Kind::Add, Some(Value::Array(list)), one) => list.push(one),
        (_, Some(Value::Object(known)), Value::Object(more)) => {
            for (name, value) in more {
                set(known, kind, &name, value);
            }
        }
        (_, _, value) => {
            members.insert(key, value);
        }
    }
}

/// Changes the values of a list that a filter selects. If none is selected, one that fits is added, as
/// Entra ID expects of `emails[type eq "work"].value`.
fn change_selected(
    list: &mut Vec<Value>,
    kind: Kind,
    (name, wanted): &(String, Value),
    sub: Option<&str>,
    value: Value,
) -> Result<(), ScimError> {
    let is_selected = |one: &Value| {
        one.as_object().and_then(|one| get(one, name)).is_some_and(|known| known == wanted)
    };
    if kind == Kind::Remove && sub.is_none() {
        list.retain(|one| !is_selected(one));
        return Ok(());
    }
    if kind != Kind::Remove && !list.iter().any(is_selected) {
        list.push([(name.clone(), wanted.clone())].into_iter().collect::<Map<_, _>>().into());
    }
    for one in list.iter_mut().filter(|one| is_selected(one)) {
        let Value::Object(one) = one else { continue };
        match (sub, &value) {
            (Some(sub), value) => set(one, kind, sub, value.clone()),
            (None, Value::Object(value)) => {
                value.iter().for_each(|(name, value)| set(one, kind, name, value.clone()));
            }
            (None, _) => return Err(ScimError::value("Send an object for a whole value.")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(operations: &Value) -> Result<Value, Option<&'static str>> {
        let mut members = json!({"userName": "ada", "active": true, "name": {"givenName": "Ada"},
            "emails": [{"value": "a@x.test", "type": "work"}]});
        let body = json!({ "Operations": operations });
        let patch = Patch::parse(body.as_object().unwrap());
        let outcome = patch.and_then(|patch| patch.apply(members.as_object_mut().unwrap()));
        outcome.map(|()| members).map_err(|refused| refused.scim_type)
    }

    #[test]
    fn the_shapes_of_entra_and_okta_change_what_they_mean() {
        for (operations, pointer, expected) in [
            (json!([{"op": "replace", "value": {"active": false}}]), "/active", json!(false)),
            (
                json!([{"op": "Replace", "path": "active", "value": "False"}]),
                "/active",
                json!("False"),
            ),
            (json!([{"op": "replace", "path": "Active", "value": false}]), "/active", json!(false)),
            (
                json!([{"op": "Add", "path": "name.familyName", "value": "Park"}]),
                "/name",
                json!({"givenName": "Ada", "familyName": "Park"}),
            ),
            (
                json!([{"op": "Replace", "value": {"name.familyName": "Park"}}]),
                "/name/familyName",
                json!("Park"),
            ),
            (
                json!([{"op": "replace", "value": {"name": {"familyName": "Park"}}}]),
                "/name/givenName",
                json!("Ada"),
            ),
            (
                json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b@x.test"}]),
                "/emails",
                json!([{"value": "b@x.test", "type": "work"}]),
            ),
            (
                json!([{"op": "Add", "path": "emails[type eq \"home\"].value", "value": "h@x.test"}]),
                "/emails/1",
                json!({"type": "home", "value": "h@x.test"}),
            ),
            (json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]), "/emails", json!([])),
            (
                json!([{"op": "add", "path": "emails", "value": [{"value": "c@x.test"}]}]),
                "/emails/1/value",
                json!("c@x.test"),
            ),
            (
                json!([{"op": "remove", "path": "name"}, {"op": "add", "path": "title", "value": "x"}]),
                "/title",
                json!("x"),
            ),
            (
                json!([{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:\
                department", "value": "x"}]),
                "/userName",
                json!("ada"),
            ),
        ] {
            let changed = patched(&operations).unwrap();
            assert_eq!(changed.pointer(pointer), Some(&expected), "{operations}: {changed}");
        }
    }

    #[test]
    fn operations_that_cannot_be_carried_out_are_refused_by_type() {
        for (operations, scim_type) in [
            (json!([]), "invalidSyntax"),
            (json!({}), "invalidSyntax"),
            (json!(["x"]), "invalidSyntax"),
            (json!([{"op": "move", "path": "active"}]), "invalidSyntax"),
            (json!([{"path": "active", "value": true}]), "invalidSyntax"),
            (json!([{"op": "remove"}]), "noTarget"),
            (json!([{"op": "replace", "value": true}]), "noTarget"),
            (json!([{"op": "replace", "path": "a b", "value": true}]), "invalidPath"),
            (json!([{"op": "replace", "path": 7, "value": true}]), "invalidPath"),
            (json!([{"op": "replace", "path": "userName.x", "value": true}]), "invalidPath"),
            (
                json!([{"op": "replace", "path": "active[x eq \"y\"]", "value": true}]),
                "invalidPath",
            ),
            (
                json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": 1}]),
                "invalidValue",
            ),
        ] {
            assert_eq!(patched(&operations), Err(Some(scim_type)), "{operations}");
        }
    }
}
