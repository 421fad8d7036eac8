//! A user, as the provisioning system describes them (RFC 7643 §4.1).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Members, Meta, Patch, ScimError,
    attributes::{flag, get, objects, text},
    resource,
    schemas::USER,
};

/// Addresses that are kept of one user.
const MAX_EMAILS: usize = 10;

/// The attributes that are kept. All others are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) user_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    pub(crate) active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    emails: Vec<Email>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    #[serde(skip_serializing_if = "Option::is_none")]
    formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Email {
    value: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary: Option<bool>,
}

impl User {
    /// Reads a user who is sent. A user is active unless it says otherwise.
    pub(crate) fn parse(members: &Members) -> Result<Self, ScimError> {
        let user_name = text(members, "userName")?
            .ok_or_else(|| ScimError::value("Send userName: every user has one."))?;
        let emails = objects(members, "emails", MAX_EMAILS)?;
        let emails = emails.into_iter().filter_map(|email| Email::parse(email).transpose());
        Ok(Self {
            user_name,
            external_id: text(members, "externalId")?,
            active: flag(members, "active")?.unwrap_or(true),
            display_name: text(members, "displayName")?,
            name: get(members, "name").map(Name::parse).transpose()?.flatten(),
            emails: emails.collect::<Result<_, _>>()?,
        })
    }

    /// The user after a patch.
    pub(crate) fn patched(&self, patch: Patch) -> Result<Self, ScimError> {
        let mut members = resource::members(self);
        patch.apply(&mut members)?;
        Self::parse(&members)
    }

    /// The resource, with the groups that the user is in.
    pub(crate) fn resource<'a>(
        &self,
        meta: &Meta,
        groups: impl IntoIterator<Item = (Uuid, &'a str)>,
    ) -> Value {
        let groups: Vec<Value> = groups
            .into_iter()
            .map(|(id, name)| json!({"value": id, "display": name, "type": "direct"}))
            .collect();
        let mut members = resource::members(self);
        if !groups.is_empty() {
            members.insert("groups".into(), groups.into());
        }
        meta.surround(USER, "User", members)
    }
}

impl Name {
    fn parse(value: &Value) -> Result<Option<Self>, ScimError> {
        let members = value.as_object();
        let members = members.ok_or_else(|| ScimError::value("Send name as an object."))?;
        let name = Self {
            formatted: text(members, "formatted")?,
            family_name: text(members, "familyName")?,
            given_name: text(members, "givenName")?,
        };
        let Self { formatted, family_name, given_name } = &name;
        let is_empty = [formatted, family_name, given_name].iter().all(|part| part.is_none());
        Ok((!is_empty).then_some(name))
    }
}

impl Email {
    fn parse(members: &Members) -> Result<Option<Self>, ScimError> {
        let kind = text(members, "type")?;
        let primary = flag(members, "primary")?;
        Ok(text(members, "value")?.map(|value| Self { value, kind, primary }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &Value) -> Result<User, String> {
        User::parse(value.as_object().unwrap()).map_err(|refused| refused.error.description.into())
    }

    #[test]
    fn a_user_is_read_with_names_in_any_case_and_unknown_attributes_ignored() {
        let user = parsed(&json!({
            "schemas": [USER], "USERNAME": " ada@acme.example ", "ExternalId": "7", "active": "False",
            "name": {"givenName": "Ada", "middleName": null, "familyName": ""},
            "emails": [{"value": "ada@acme.example", "type": "work", "primary": "True"}, {"type": "x"}],
            "title": "Engineer", "password": "hunter2", "displayName": null,
        }));
        let user = user.unwrap();
        assert_eq!((user.user_name.as_str(), user.active), ("ada@acme.example", false));
        let shown = serde_json::to_string(&user).unwrap();
        assert!(!shown.contains("hunter2") && !shown.contains("Engineer"), "{shown}");
        assert!(shown.contains(r#""name":{"givenName":"Ada"}"#), "{shown}");
        assert_eq!(user.emails.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, named) in [
            (json!({}), "userName"),
            (json!({"userName": ""}), "userName"),
            (json!({"userName": 7}), "userName"),
            (json!({"userName": "a\u{0}b"}), "userName"),
            (json!({"userName": "x".repeat(257)}), "userName"),
            (json!({"userName": "a", "active": "no"}), "active"),
            (json!({"userName": "a", "active": 0}), "active"),
            (json!({"userName": "a", "name": "Ada"}), "name"),
            (json!({"userName": "a", "emails": ["x"]}), "emails"),
            (json!({"userName": "a", "emails": vec![json!({"value": "x"}); 11]}), "emails"),
            (json!({"userName": "a", "externalId": ["x"]}), "externalId"),
        ] {
            let refused = parsed(&value).unwrap_err();
            assert!(refused.contains(named), "{value}: {refused}");
        }
    }
}
