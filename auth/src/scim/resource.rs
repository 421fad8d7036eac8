//! What every resource has: its schema, `id`, `meta` and entity tag.

use serde::Serialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::Members;
use crate::oauth::secret::sha256;

/// Where a resource is and since when.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub(crate) id: Uuid,
    /// URL of the collection that it is in.
    pub(crate) collection: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl Meta {
    pub(crate) fn location(&self) -> String {
        format!("{}/{}", self.collection, self.id)
    }

    /// The resource with these attributes. Its version is that of all of it.
    pub(super) fn surround(&self, schema: &str, kind: &str, attributes: impl Serialize) -> Value {
        let mut resource = json!({"schemas": [schema], "id": self.id});
        if let (Some(resource), Ok(Value::Object(attributes))) =
            (resource.as_object_mut(), serde_json::to_value(attributes))
        {
            resource.extend(attributes);
        }
        let version = etag(&resource);
        resource["meta"] = json!({
            "resourceType": kind,
            "created": date(self.created_at),
            "lastModified": date(self.updated_at),
            "location": self.location(),
            "version": version,
        });
        resource
    }
}

/// The entity tag of a resource: two that look the same have the same.
pub(crate) fn etag(resource: &Value) -> String {
    match resource.pointer("/meta/version").and_then(Value::as_str) {
        Some(version) => version.to_owned(),
        None => format!("W/\"{}\"", sha256(resource.to_string().as_bytes())),
    }
}

fn date(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// The attributes of a resource, to be changed and parsed again.
pub(super) fn members(attributes: impl Serialize) -> Members {
    match serde_json::to_value(attributes) {
        Ok(Value::Object(members)) => members,
        _ => Members::new(),
    }
}
