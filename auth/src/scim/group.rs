//! A group, as the provisioning system describes it (RFC 7643 §4.2).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Members, Meta, Patch, ScimError,
    attributes::{get, objects, text},
    patch::{Kind, Operation},
    schemas::GROUP,
};

/// Users that one group holds.
const MAX_MEMBERS: usize = 5000;
const MEMBERS: &str = "members";

/// The attributes that are kept. All others are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) display_name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) members: BTreeSet<Uuid>,
}

impl Group {
    /// Reads a group that is sent.
    pub(crate) fn parse(members: &Members) -> Result<Self, ScimError> {
        let display_name = text(members, "displayName")?
            .ok_or_else(|| ScimError::value("Send displayName: every group has one."))?;
        let group = Self {
            display_name,
            external_id: text(members, "externalId")?,
            members: ids(members)?,
        };
        group.checked()
    }

    /// The group after a patch.
    pub(crate) fn patched(mut self, patch: Patch) -> Result<Self, ScimError> {
        for operation in patch.operations {
            self.apply(operation)?;
        }
        self.checked()
    }

    fn checked(self) -> Result<Self, ScimError> {
        if self.members.len() > MAX_MEMBERS {
            return Err(ScimError::value(format!("A group has at most {MAX_MEMBERS} members.")));
        }
        Ok(self)
    }

    fn apply(&mut self, operation: Operation) -> Result<(), ScimError> {
        let Operation { kind, path, value } = operation;
        let Some(path) = path else {
            return self.set_all(kind, value);
        };
        if !path.attribute.eq_ignore_ascii_case(MEMBERS) {
            let mut members = self.scalars();
            Operation { kind, path: Some(path), value }.apply(&mut members)?;
            return self.set_scalars(&members);
        }
        let named = match &path.filter {
            Some((name, id)) if name.eq_ignore_ascii_case("value") => Some([id_of(id)?].into()),
            Some(_) => {
                return Err(ScimError::path(
                    "Select members by value, as in members[value eq \"…\"].",
                ));
            }
            None if value.is_null() => None,
            None => Some(ids(&one(value))?),
        };
        self.change_members(kind, named)
    }

    /// An operation without a path: its value holds the attributes (RFC 7644 §3.5.2).
    fn set_all(&mut self, kind: Kind, value: Value) -> Result<(), ScimError> {
        let Value::Object(value) = value else {
            return Err(ScimError::no_target("Name a path, or send an object of attributes."));
        };
        let mut members = self.scalars();
        for name in ["displayName", "externalId"] {
            if let Some(value) = get(&value, name) {
                members.insert(name.into(), value.clone());
            }
        }
        if get(&value, MEMBERS).is_some() {
            self.change_members(kind, Some(ids(&value)?))?;
        }
        self.set_scalars(&members)
    }

    fn change_members(
        &mut self,
        kind: Kind,
        named: Option<BTreeSet<Uuid>>,
    ) -> Result<(), ScimError> {
        match (kind, named) {
            (Kind::Add, Some(named)) => self.members.extend(named),
            (Kind::Replace, named) => self.members = named.unwrap_or_default(),
            (Kind::Remove, Some(named)) => self.members.retain(|id| !named.contains(id)),
            (Kind::Remove, None) => self.members.clear(),
            (Kind::Add, None) => return Err(ScimError::value("Send the members to add.")),
        }
        Ok(())
    }

    fn scalars(&self) -> Members {
        let mut members = Members::new();
        members.insert("displayName".into(), self.display_name.clone().into());
        members.insert("externalId".into(), self.external_id.clone().into());
        members
    }

    fn set_scalars(&mut self, members: &Members) -> Result<(), ScimError> {
        let changed = Self::parse(members)?;
        self.display_name = changed.display_name;
        self.external_id = changed.external_id;
        Ok(())
    }

    /// The resource, with the members of `self` at the URL `users`.
    pub(crate) fn resource(&self, meta: &Meta, users: &str) -> Value {
        let member = |id| json!({"value": id, "type": "User", "$ref": format!("{users}/{id}")});
        let members: Vec<Value> = self.members.iter().map(member).collect();
        let mut attributes = json!({"displayName": self.display_name, "members": members});
        if let Some(id) = &self.external_id {
            attributes["externalId"] = json!(id);
        }
        meta.surround(GROUP, "Group", attributes)
    }
}

/// A value of `members`, as the attribute of an object.
fn one(value: Value) -> Members {
    [(MEMBERS.to_owned(), value)].into_iter().collect()
}

/// The ids of `members`.
fn ids(members: &Members) -> Result<BTreeSet<Uuid>, ScimError> {
    let members = objects(members, MEMBERS, MAX_MEMBERS)?;
    members.into_iter().map(|member| id_of(get(member, "value").unwrap_or(&Value::Null))).collect()
}

fn id_of(value: &Value) -> Result<Uuid, ScimError> {
    value.as_str().and_then(|text| Uuid::parse_str(text).ok()).ok_or_else(|| {
        ScimError::value("Name each member by the id of a user, as in {\"value\": \"…\"}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn group(members: &[u128]) -> Group {
        let members = members.iter().copied().map(id).collect();
        Group { display_name: "Platform".into(), external_id: None, members }
    }

    fn patched(operations: &Value) -> Result<Group, &'static str> {
        let body = json!({ "Operations": operations });
        let patch = Patch::parse(body.as_object().unwrap());
        patch.and_then(|patch| group(&[1, 2]).patched(patch)).map_err(|it| it.error.reason)
    }

    #[test]
    fn members_are_added_removed_and_replaced_in_the_shapes_that_are_sent() {
        let two = id(2).to_string();
        for (operations, members) in [
            (
                json!([{"op": "add", "path": "members", "value": [{"value": id(3)}]}]),
                &[1, 2, 3][..],
            ),
            (json!([{"op": "Add", "path": "Members", "value": {"value": id(3)}}]), &[1, 2, 3]),
            (json!([{"op": "add", "value": {"members": [{"value": id(3)}]}}]), &[1, 2, 3]),
            (json!([{"op": "remove", "path": format!("members[value eq \"{two}\"]")}]), &[1]),
            (json!([{"op": "Remove", "path": "members", "value": [{"value": two}]}]), &[1]),
            (json!([{"op": "remove", "path": "members"}]), &[]),
            (json!([{"op": "replace", "path": "members", "value": [{"value": id(4)}]}]), &[4]),
            (json!([{"op": "replace", "value": {"members": [{"value": id(4)}]}}]), &[4]),
            (
                json!([{"op": "remove", "path": "members"},
                {"op": "add", "path": "members", "value": [{"value": id(9)}]}]),
                &[9],
            ),
        ] {
            assert_eq!(patched(&operations), Ok(group(members)), "{operations}");
        }
    }

    #[test]
    fn names_are_replaced_and_what_does_not_fit_is_refused() {
        let renamed = Group { display_name: "Ops".into(), ..group(&[1, 2]) };
        for operations in [
            json!([{"op": "replace", "value": {"id": "x", "displayName": "Ops"}}]),
            json!([{"op": "Replace", "path": "displayName", "value": "Ops"}]),
        ] {
            assert_eq!(patched(&operations), Ok(renamed.clone()), "{operations}");
        }
        for (operations, reason) in [
            (json!([{"op": "add", "path": "members", "value": [{"value": "ada"}]}]), "scim_value"),
            (json!([{"op": "add", "path": "members"}]), "scim_value"),
            (json!([{"op": "remove", "path": "displayName"}]), "scim_value"),
            (json!([{"op": "remove", "path": "members[type eq \"User\"]"}]), "scim_path"),
            (json!([{"op": "replace", "value": "x"}]), "scim_no_target"),
        ] {
            assert_eq!(patched(&operations), Err(reason), "{operations}");
        }
    }
}
