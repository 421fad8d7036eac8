//! The schemas that are kept, and names with and without them (RFC 7643 §7, RFC 7644 §3.10).

use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// What comes before all other schemas of SCIM and its extensions.
const URN: &str = "urn:";

/// The name of an attribute without its schema; `None` if it belongs to an extension.
pub(super) fn without_urn(name: &str) -> Option<&str> {
    for schema in [USER, GROUP] {
        let prefix = name.get(..schema.len()).filter(|prefix| prefix.eq_ignore_ascii_case(schema));
        if let Some(rest) = prefix.and_then(|_| name.get(schema.len()..)) {
            return rest.strip_prefix(':');
        }
    }
    let prefix = name.get(..URN.len()).unwrap_or_default();
    (!prefix.eq_ignore_ascii_case(URN)).then_some(name)
}

/// Both schemas, as they are kept here.
pub(crate) fn all() -> [Value; 2] {
    let user = json!({
        "id": USER,
        "name": "User",
        "description": "A person who may sign in",
        "attributes": [
            one("userName", "string", json!({"required": true, "uniqueness": "server"})),
            one("active", "boolean", json!({})),
            one("displayName", "string", json!({})),
            complex("name", false, "readWrite", [
                one("formatted", "string", json!({})),
                one("familyName", "string", json!({})),
                one("givenName", "string", json!({})),
            ]),
            complex("emails", true, "readWrite", [
                one("value", "string", json!({})),
                one("type", "string", json!({})),
                one("primary", "boolean", json!({})),
            ]),
            complex("groups", true, "readOnly", [
                one("value", "string", json!({"mutability": "readOnly", "caseExact": true})),
                one("display", "string", json!({"mutability": "readOnly"})),
                one("type", "string", json!({"mutability": "readOnly"})),
            ]),
        ],
    });
    let reference =
        json!({"mutability": "immutable", "caseExact": true, "referenceTypes": ["User"]});
    let group = json!({
        "id": GROUP,
        "name": "Group",
        "description": "A group that the access policy can name",
        "attributes": [
            one("displayName", "string", json!({"required": true, "uniqueness": "server"})),
            complex("members", true, "readWrite", [
                one("value", "string", json!({"mutability": "immutable", "caseExact": true})),
                one("$ref", "reference", reference),
                one("type", "string", json!({"mutability": "immutable", "canonicalValues": ["User"]})),
            ]),
        ],
    });
    [user, group]
}

/// An attribute with one value, and how it differs from the usual one (RFC 7643 §2.2).
fn one(name: &str, kind: &str, differences: Value) -> Value {
    let mut attribute = json!({
        "name": name,
        "type": kind,
        "multiValued": false,
        "description": description(name),
        "required": false,
        "caseExact": false,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    });
    if let (Some(attribute), Value::Object(differences)) = (attribute.as_object_mut(), differences)
    {
        attribute.extend(differences);
    }
    attribute
}

fn complex<const N: usize>(
    name: &str,
    has_many: bool,
    mutability: &str,
    parts: [Value; N],
) -> Value {
    let differences = json!({"multiValued": has_many, "mutability": mutability,
        "subAttributes": parts.to_vec()});
    one(name, "complex", differences)
}

fn description(name: &str) -> &'static str {
    match name {
        "userName" => "Identifies the user; may be matched with an address or login name",
        "active" => "Whether the person may use this server",
        "displayName" => "The name that is shown; rules name groups by it",
        "name" => "The parts of the person's name",
        "formatted" => "The whole name",
        "familyName" => "The family name",
        "givenName" => "The given name",
        "emails" => "E-mail addresses of the user",
        "groups" => "The groups that the user is in",
        "members" => "The users in the group",
        "primary" => "Whether this is the preferred value",
        "$ref" => "The URL of the user",
        "display" => "The name of the group",
        "type" => "What kind of value this is",
        _ => "The value",
    }
}
