//! The type that each member of a server's documents and answers has by its standard.

use serde_json::{Map, Value};
use url::Url;

use super::evidence::{Evidence, Exchange, Judged, Objection, Probe, not_asked};

/// How much of a value is shown.
const MAX_SHOWN_CHARS: usize = 80;
const MAX_SHOWN_MEMBERS: usize = 8;

#[derive(Clone, Copy)]
pub(super) enum MemberType {
    /// A text that is not empty.
    Text,
    Address,
    /// A list of texts that are not empty.
    Texts,
    Boolean,
    Integer,
}

use MemberType::{Address, Boolean, Integer, Text, Texts};

type Members = &'static [(&'static str, MemberType)];

/// RFC 9728 §2.
pub(super) const RESOURCE: Members = &[
    ("resource", Address),
    ("authorization_servers", Texts),
    ("jwks_uri", Address),
    ("scopes_supported", Texts),
    ("bearer_methods_supported", Texts),
    ("resource_signing_alg_values_supported", Texts),
    ("resource_name", Text),
    ("resource_documentation", Address),
    ("resource_policy_uri", Address),
    ("resource_tos_uri", Address),
    ("tls_client_certificate_bound_access_tokens", Boolean),
    ("authorization_details_types_supported", Texts),
    ("dpop_signing_alg_values_supported", Texts),
    ("dpop_bound_access_tokens_required", Boolean),
];

/// RFC 8414 §2, RFC 9207 §3, RFC 9126 §5, RFC 8628 §4, OpenID Connect Discovery §3 and the Client
/// ID Metadata Document draft.
pub(super) const SERVER: Members = &[
    ("issuer", Address),
    ("authorization_endpoint", Address),
    ("token_endpoint", Address),
    ("jwks_uri", Address),
    ("registration_endpoint", Address),
    ("revocation_endpoint", Address),
    ("introspection_endpoint", Address),
    ("device_authorization_endpoint", Address),
    ("pushed_authorization_request_endpoint", Address),
    ("userinfo_endpoint", Address),
    ("end_session_endpoint", Address),
    ("service_documentation", Address),
    ("op_policy_uri", Address),
    ("op_tos_uri", Address),
    ("scopes_supported", Texts),
    ("response_types_supported", Texts),
    ("response_modes_supported", Texts),
    ("grant_types_supported", Texts),
    ("token_endpoint_auth_methods_supported", Texts),
    ("token_endpoint_auth_signing_alg_values_supported", Texts),
    ("revocation_endpoint_auth_methods_supported", Texts),
    ("introspection_endpoint_auth_methods_supported", Texts),
    ("code_challenge_methods_supported", Texts),
    ("ui_locales_supported", Texts),
    ("subject_types_supported", Texts),
    ("id_token_signing_alg_values_supported", Texts),
    ("claims_supported", Texts),
    ("prompt_values_supported", Texts),
    ("dpop_signing_alg_values_supported", Texts),
    ("authorization_response_iss_parameter_supported", Boolean),
    ("client_id_metadata_document_supported", Boolean),
    ("require_pushed_authorization_requests", Boolean),
    ("claims_parameter_supported", Boolean),
    ("request_parameter_supported", Boolean),
    ("request_uri_parameter_supported", Boolean),
    ("signed_metadata", Text),
];

/// RFC 7591 §2 and §3.2.1, RFC 7592 §3.
pub(super) const REGISTRATION: Members = &[
    ("client_id", Text),
    ("client_secret", Text),
    ("client_id_issued_at", Integer),
    ("client_secret_expires_at", Integer),
    ("registration_access_token", Text),
    ("registration_client_uri", Address),
    ("redirect_uris", Texts),
    ("grant_types", Texts),
    ("response_types", Texts),
    ("token_endpoint_auth_method", Text),
    ("application_type", Text),
    ("scope", Text),
    ("contacts", Texts),
];

/// OAuth 2.1 §3.2.3. `token_type` and `expires_in` have checks of their own.
pub(super) const TOKENS: Members =
    &[("access_token", Text), ("refresh_token", Text), ("scope", Text), ("id_token", Text)];

/// RFC 7517 §4, RFC 7518 §6.
pub(super) const KEY: Members = &[
    ("kty", Text),
    ("use", Text),
    ("key_ops", Texts),
    ("alg", Text),
    ("kid", Text),
    ("x5u", Address),
    ("x5c", Texts),
    ("crv", Text),
    ("x", Text),
    ("y", Text),
    ("n", Text),
    ("e", Text),
];

impl MemberType {
    fn fits(self, value: &Value) -> bool {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        match self {
            Self::Text => is_text(value),
            Self::Address => value.as_str().is_some_and(|text| Url::parse(text).is_ok()),
            Self::Texts => value.as_array().is_some_and(|items| items.iter().all(is_text)),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Address => "an absolute address",
            Self::Texts => "a list of texts",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
        }
    }
}

/// The members of `object` that have another type than their standard says, with their values.
/// A `null` is another check's matter.
pub(super) fn wrong_members(object: &Map<String, Value>, members: Members) -> Vec<String> {
    let present = members.iter().filter_map(|(name, kind)| Some((name, kind, object.get(*name)?)));
    present
        .filter(|(_, kind, value)| !value.is_null() && !kind.fits(value))
        .map(|(name, kind, value)| format!("{name} is {}, not {}", shown(value), kind.in_words()))
        .collect()
}

/// A value as JSON, cut off where it gets long.
fn shown(value: &Value) -> String {
    let json = value.to_string();
    let mut cut: String = json.chars().take(MAX_SHOWN_CHARS).collect();
    if cut.len() < json.len() {
        cut.push('…');
    }
    cut
}

/// Every member of the documents at `places` has its type.
pub(super) fn have_their_types(evidence: &Evidence, places: &[Probe], members: Members) -> Judged {
    let answers = evidence.answers_to(places).filter(|answer| answer.status.is_success());
    let documents: Vec<_> = answers.filter_map(Exchange::object).collect();
    if documents.is_empty() {
        return not_asked("there is no document");
    }
    let mut wrong: Vec<_> =
        documents.into_iter().flat_map(|document| wrong_members(document, members)).collect();
    wrong.sort();
    wrong.dedup();
    judge_members(wrong)
}

/// Objects to `wrong` members, if there are any.
pub(super) fn judge_members(mut wrong: Vec<String>) -> Judged {
    if wrong.is_empty() {
        return Ok(());
    }
    let left_out = wrong.len().saturating_sub(MAX_SHOWN_MEMBERS);
    wrong.truncate(MAX_SHOWN_MEMBERS);
    let mut words = wrong.join("; ");
    if left_out > 0 {
        words.push_str(&format!("; and {left_out} more"));
    }
    Err(Objection::Found(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(document: Value) -> Vec<String> {
        wrong_members(document.as_object().expect("an object"), SERVER)
    }

    #[test]
    fn a_member_of_another_type_is_named_with_its_value() {
        assert_eq!(
            wrong(json!({
                "issuer": "https://as.example",
                "token_endpoint": "/token",
                "scopes_supported": "mcp:tools",
                "grant_types_supported": ["authorization_code", 5],
                "userinfo_endpoint": "",
                "client_id_metadata_document_supported": "true",
            })),
            [
                "token_endpoint is \"/token\", not an absolute address",
                "userinfo_endpoint is \"\", not an absolute address",
                "scopes_supported is \"mcp:tools\", not a list of texts",
                "grant_types_supported is [\"authorization_code\",5], not a list of texts",
                "client_id_metadata_document_supported is \"true\", not true or false",
            ]
        );
    }

    #[test]
    fn members_that_nobody_knows_empty_lists_and_nulls_are_left_alone() {
        let document =
            json!({"x_own": 5, "scopes_supported": [], "jwks_uri": null, "issuer": "api://x"});
        assert_eq!(wrong(document), Vec::<String>::new());
    }

    #[test]
    fn long_values_and_many_members_are_cut_off() {
        let found = wrong(json!({"scopes_supported": "x".repeat(1000)}));
        assert!(found[0].len() < 200, "{found:?}");
        let many = vec!["a is 1, not a text".to_owned(); 100];
        assert!(matches!(judge_members(many), Err(Objection::Found(words)) if words.len() < 300));
    }
}
