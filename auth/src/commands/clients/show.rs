//! Prints a client with the names of RFC 7591 §2, without empty members and hashes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    commands::Format,
    oauth::Secret,
    storage::clients::{self, Metadata},
};

#[derive(Serialize)]
struct ShownClient<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(flatten)]
    metadata: &'a Metadata,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_expires_at: Option<i64>,
}

/// The members of a client that say something, with its secret if that was just made.
pub(super) fn members(
    client: &clients::Model,
    secret: Option<&Secret>,
) -> io::Result<Map<String, Value>> {
    let shown = ShownClient {
        client_id: &client.id,
        client_secret: secret.map(Secret::expose),
        metadata: &client.metadata,
        created_at: client.created_at,
        previous_secret_expires_at: client.previous_secret_expires_at,
    };
    let mut members: Map<String, Value> = serde_json::from_value(serde_json::to_value(shown)?)?;
    members.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    Ok(members)
}

/// Writes members of a client.
pub(super) fn write(
    stdout: &mut impl Write,
    members: Map<String, Value>,
    format: Format,
) -> io::Result<()> {
    if format.json {
        return writeln!(stdout, "{}", Value::Object(members));
    }
    let width = members.keys().map(String::len).max().unwrap_or_default();
    for (name, value) in members {
        let value = match value {
            Value::String(text) => text,
            Value::Array(list) => {
                list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        };
        writeln!(stdout, "{name:width$}  {value}")?;
    }
    Ok(())
}
