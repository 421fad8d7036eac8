//! Client metadata in force (RFC 7591 §2 and the specifications that extend it).
//!
//! This one struct is what registrations and metadata documents are read into, what the `client_id`
//! of an open registration carries, what the database stores, and what answers and commands print. A
//! new member is a field here and, unless only operators set it, a line in
//! [`RequestedMetadata::validate`](super::RequestedMetadata::validate).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{ApplicationType, AuthenticationMethod, GrantType};
use crate::oauth::{
    error::{ErrorCode, OAuthError},
    redirect_uri::RedirectUri,
    resource::TokenFormat,
    scope::ScopeSet,
};

/// Longest `client_name`, in bytes.
const MAX_NAME: usize = 200;

/// Client metadata. Members are named as on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default = "ClientMetadata::usual")]
pub struct ClientMetadata {
    /// `client_name`.
    pub client_name: String,
    /// Where authorization responses may go.
    #[serde(deserialize_with = "still_allowed")]
    pub redirect_uris: Vec<RedirectUri>,
    /// What the client may ask for.
    pub grant_types: Vec<GrantType>,
    /// How the client authenticates.
    pub token_endpoint_auth_method: AuthenticationMethod,
    /// Where the client runs.
    pub application_type: ApplicationType,
    /// Public keys as a JWK Set; there is no `jwks_uri` then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where to fetch public keys from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Url>,
    /// Where users may be sent after they signed out, compared exactly (OpenID Connect
    /// RP-Initiated Logout §2).
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "still_allowed")]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Whether authorization requests must be pushed (RFC 9126 §6).
    #[serde(skip_serializing_if = "is_false")]
    pub require_pushed_authorization_requests: bool,
    /// Whether tokens must be bound to a key (RFC 9449 §5.2).
    #[serde(skip_serializing_if = "is_false")]
    pub dpop_bound_access_tokens: bool,
    /// What ID tokens should be signed with; the server's default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// What userinfo responses should be signed with; plain JSON if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<String>,
    /// Home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Url>,
    /// Logo. No page loads it from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Url>,
    /// Privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Url>,
    /// Terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Url>,
    /// Members that only an operator sets.
    #[serde(flatten)]
    pub operator: OperatorSettings,
}

/// Members that only an operator sets. They are never read from a registration or a metadata
/// document, because they open doors: a resource server may introspect other clients' tokens, and
/// logout messages are sent to any address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperatorSettings {
    /// The most scopes that the client may have; no limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeSet>,
    /// The resource that this client is, so that it may introspect tokens for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Format of the client's access tokens; that of the resource if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<TokenFormat>,
    /// Where to report the end of a session (OpenID Connect Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Url>,
    /// Whether that message must name the session.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
}

impl ClientMetadata {
    /// Whether it gets answers on the user's own machine, and nowhere else.
    pub(crate) fn is_on_loopback(&self) -> bool {
        !self.redirect_uris.is_empty() && self.redirect_uris.iter().all(RedirectUri::is_loopback)
    }

    /// The metadata of most clients that register themselves: a public client on the user's device. A
    /// `client_id` carries only what differs, so a change here would change what every `client_id` in
    /// the field means.
    pub(crate) fn usual() -> Self {
        Self {
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            token_endpoint_auth_method: AuthenticationMethod::None,
            application_type: ApplicationType::Native,
            ..Self::default()
        }
    }

    pub(crate) fn has_keys(&self) -> bool {
        self.jwks.is_some() || self.jwks_uri.is_some()
    }

    /// The members that differ from the usual metadata. Those that are left out are read as the usual ones.
    pub(crate) fn differences(&self) -> serde_json::Result<Map<String, Value>> {
        let usual = serde_json::to_value(Self::usual())?;
        let Value::Object(mut members) = serde_json::to_value(self)? else {
            return Ok(Map::new());
        };
        members.retain(|name, value| usual.get(name) != Some(value));
        Ok(members)
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Drops URIs that may no longer be registered: an older version of this server may have allowed
/// more.
fn still_allowed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RedirectUri>, D::Error> {
    let uris = Vec::<String>::deserialize(deserializer)?;
    Ok(uris.iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect())
}

/// The name of a client as pages show it, without characters that change how other text is displayed.
pub(crate) fn check_name(name: Option<&str>) -> Result<String, OAuthError> {
    let refused = |why| ErrorCode::InvalidClientMetadata.error("client_name", why);
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("Unnamed client");
    if name.len() > MAX_NAME {
        return Err(refused("The client_name is longer than 200 bytes."));
    }
    if name.contains(is_misleading) {
        return Err(refused("The client_name holds control characters."));
    }
    Ok(name.into())
}

/// Control characters, and those that change the direction of text.
fn is_misleading(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Clients in the field hold these spellings.
    #[test]
    fn the_usual_metadata_that_every_client_id_relies_on_do_not_change() {
        let usual: ClientMetadata = serde_json::from_value(json!({})).unwrap();
        assert_eq!(usual, ClientMetadata::usual());
        assert_eq!(
            serde_json::to_value(&usual).unwrap(),
            json!({
                "client_name": "",
                "redirect_uris": [],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
                "application_type": "native",
            })
        );
    }

    #[test]
    fn metadata_are_read_back_from_what_differs_from_the_usual() {
        let full = json!({
            "client_name": "A",
            "redirect_uris": ["https://app.test/cb"],
            "grant_types": ["authorization_code"],
            "token_endpoint_auth_method": "private_key_jwt",
            "application_type": "web",
            "jwks": {"keys": []},
            "jwks_uri": "https://app.test/keys",
            "post_logout_redirect_uris": ["https://app.test/bye"],
            "require_pushed_authorization_requests": true,
            "dpop_bound_access_tokens": true,
            "id_token_signed_response_alg": "ES256",
            "userinfo_signed_response_alg": "ES256",
            "client_uri": "https://app.test/",
            "logo_uri": "https://app.test/logo",
            "policy_uri": "https://app.test/policy",
            "tos_uri": "https://app.test/terms",
            "scope": "a b",
            "resource": "https://mcp.test/",
            "access_token_format": "opaque",
            "backchannel_logout_uri": "https://app.test/logout",
            "backchannel_logout_session_required": true,
        });
        let metadata: ClientMetadata = serde_json::from_value(full.clone()).unwrap();
        assert_eq!(serde_json::to_value(&metadata).unwrap(), full);
        for (name, value) in full.as_object().unwrap() {
            let one: ClientMetadata = serde_json::from_value(json!({name: value})).unwrap();
            assert_eq!(Value::Object(one.differences().unwrap()), json!({name: value}), "{name}");
        }
        assert_eq!(Value::Object(ClientMetadata::usual().differences().unwrap()), json!({}));
    }

    #[test]
    fn a_stored_redirect_uri_that_is_not_allowed_any_more_is_dropped() {
        let stored = json!({"redirect_uris": ["javascript:alert(1)", "https://app.test/cb"]});
        let metadata: ClientMetadata = serde_json::from_value(stored).unwrap();
        let uris: Vec<_> = metadata.redirect_uris.iter().map(RedirectUri::as_str).collect();
        assert_eq!(uris, ["https://app.test/cb"]);
    }
}
