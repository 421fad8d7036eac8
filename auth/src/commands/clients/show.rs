//! How a client is shown: the names of RFC 7591 §2, nothing that is not set, and no hash.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::{commands::Format, oauth::secret::Secret, storage::clients};

/// Writes a client, with its secret where it was just made.
pub(super) fn write(
    stdout: &mut impl Write,
    client: &clients::Model,
    secret: Option<&Secret>,
    format: Format,
) -> io::Result<()> {
    write_members(stdout, json(client, secret), format)
}

/// Writes a secret that was just made.
pub(super) fn write_secret(
    stdout: &mut impl Write,
    client: &clients::Model,
    secret: &Secret,
    format: Format,
) -> io::Result<()> {
    let shown = json!({"client_id": client.id, "client_secret": secret.expose()});
    write_members(stdout, shown, format)
}

/// A client as JSON.
pub(super) fn json(client: &clients::Model, secret: Option<&Secret>) -> Value {
    let mut shown = Map::new();
    let mut text = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            shown.insert(name.into(), value.into());
        }
    };
    text("client_id", Some(&client.id));
    text("client_secret", secret.map(Secret::expose));
    text("client_name", Some(&client.name));
    text("token_endpoint_auth_method", Some(&client.token_endpoint_auth_method));
    text("application_type", Some(&client.application_type));
    text("scope", client.scope.as_deref());
    text("resource", client.resource.as_deref());
    text("jwks_uri", client.jwks_uri.as_deref());
    text("backchannel_logout_uri", client.backchannel_logout_uri.as_deref());
    text("access_token_format", client.access_token_format.as_deref());
    text("id_token_signed_response_alg", client.id_token_signed_response_alg.as_deref());
    text("userinfo_signed_response_alg", client.userinfo_signed_response_alg.as_deref());
    text("client_uri", client.client_uri.as_deref());
    text("logo_uri", client.logo_uri.as_deref());
    text("policy_uri", client.policy_uri.as_deref());
    text("tos_uri", client.tos_uri.as_deref());
    for (name, list) in [
        ("redirect_uris", &client.redirect_uris),
        ("grant_types", &client.grant_types),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ] {
        if !list.is_empty() {
            shown.insert(name.into(), list.split(' ').collect());
        }
    }
    for (name, is_set) in [
        ("require_pushed_authorization_requests", client.require_pushed_authorization_requests),
        ("dpop_bound_access_tokens", client.dpop_bound_access_tokens),
        ("backchannel_logout_session_required", client.backchannel_logout_session_required),
    ] {
        if is_set {
            shown.insert(name.into(), true.into());
        }
    }
    if let Some(jwks) = client.jwks.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
        shown.insert("jwks".into(), jwks);
    }
    shown.insert("created_at".into(), client.created_at.into());
    if let Some(until) = client.previous_secret_expires_at {
        shown.insert("previous_secret_expires_at".into(), until.into());
    }
    Value::Object(shown)
}

fn write_members(stdout: &mut impl Write, shown: Value, format: Format) -> io::Result<()> {
    if format.json {
        return writeln!(stdout, "{shown}");
    }
    let members = shown.as_object().into_iter().flatten();
    let width = members.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in members {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(list) => {
                list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        };
        writeln!(stdout, "{name:width$}  {value}")?;
    }
    Ok(())
}
