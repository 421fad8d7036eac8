//! `GET /.well-known/oauth-authorization-server` and `GET /.well-known/openid-configuration`
//!
//! What this server can do, and nothing that it cannot (RFC 8414 §2, OpenID Connect Discovery §3).

use axum::{extract::State, http::HeaderMap, response::Response};
use keys::Algorithm;
use serde::Serialize;

use crate::{
    documents::{self, Document},
    oauth::{
        client::{AuthenticationMethod, GrantType},
        scope::USER_SCOPES,
    },
    state::AppState,
};

/// What ID tokens and userinfo tell, as the scopes allow.
const CLAIMS: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "at_hash",
    "azp",
    "sid",
    "name",
    "preferred_username",
    "picture",
    "email",
    "email_verified",
];

/// The document, the same at every place where clients look for it.
#[derive(Debug, Serialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    pushed_authorization_request_endpoint: String,
    device_authorization_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    revocations_endpoint: String,
    userinfo_endpoint: String,
    end_session_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_grant_profiles_supported: Vec<&'static str>,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    userinfo_signing_alg_values_supported: [&'static str; 1],
    introspection_signing_alg_values_supported: [&'static str; 1],
    code_challenge_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 3],
    require_pushed_authorization_requests: bool,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    client_id_metadata_document_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    claims_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    claims_supported: [&'static str; CLAIMS.len()],
    prompt_values_supported: [&'static str; 4],
}

/// The settings decide all of it except one member, which can change while the server runs.
pub(crate) async fn get(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let has_documents = state.clients.advertise_documents();
    let [without, with] = &state.documents.metadata;
    let rendered = if has_documents { with } else { without };
    rendered.get_or_init(|| render(&state, has_documents)).respond(&headers)
}

fn render(state: &AppState, client_id_metadata_document_supported: bool) -> Document {
    let at = |path: &str| format!("{}{path}", state.config.issuer);
    let methods: Vec<&str> = AuthenticationMethod::ALL.iter().map(|m| m.as_str()).collect();
    let secret_methods: Vec<&str> = methods.iter().copied().filter(|m| *m != "none").collect();
    let signing = state.config.keys.signing_algorithm.as_str();
    let metadata = Metadata {
        issuer: state.config.issuer.clone(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        registration_endpoint: state.clients.takes_registrations().then(|| at("/register")),
        pushed_authorization_request_endpoint: at("/par"),
        device_authorization_endpoint: at("/device_authorization"),
        introspection_endpoint: at("/introspect"),
        revocation_endpoint: at("/revoke"),
        revocations_endpoint: at("/revocations"),
        userinfo_endpoint: at("/userinfo"),
        end_session_endpoint: at("/end_session"),
        jwks_uri: at("/jwks"),
        scopes_supported: scopes(state),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: grant_types(state),
        authorization_grant_profiles_supported: grant_profiles(state),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [signing],
        userinfo_signing_alg_values_supported: [signing],
        introspection_signing_alg_values_supported: [signing],
        code_challenge_methods_supported: ["S256"],
        dpop_signing_alg_values_supported: Algorithm::NAMES,
        require_pushed_authorization_requests: false,
        token_endpoint_auth_methods_supported: methods.clone(),
        token_endpoint_auth_signing_alg_values_supported: Algorithm::NAMES,
        introspection_endpoint_auth_methods_supported: secret_methods,
        introspection_endpoint_auth_signing_alg_values_supported: Algorithm::NAMES,
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: Algorithm::NAMES,
        client_id_metadata_document_supported,
        authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        claims_supported: CLAIMS,
        prompt_values_supported: ["none", "login", "consent", "select_account"],
    };
    documents::json(&metadata).cached("public, max-age=300")
}

/// Assertions are of use only where the issuer of one is trusted.
fn grant_types(state: &AppState) -> Vec<&'static str> {
    let is_served =
        |grant: &&GrantType| **grant != GrantType::JwtBearer || !state.trusted_issuers.is_empty();
    GrantType::ALL.iter().filter(is_served).map(|grant| grant.as_str()).collect()
}

/// What assertions of people are good for (Enterprise-Managed Authorization §6).
fn grant_profiles(state: &AppState) -> Vec<&'static str> {
    if state.trusted_issuers.iter().any(|issuer| issuer.people.is_some()) {
        vec!["urn:ietf:params:oauth:grant-profile:id-jag"]
    } else {
        Vec::new()
    }
}

/// `offline_access` is accepted but not listed unless an operator says so: several clients that
/// see it ask for consent at every sign-in.
fn scopes(state: &AppState) -> Vec<String> {
    let user = USER_SCOPES.iter().map(|(name, _)| (*name).to_owned());
    let own = state.resources.iter().flat_map(|resource| &resource.scopes);
    let own = own.map(|scope| scope.name.clone());
    let is_listed =
        |name: &String| name != "offline_access" || state.config.advertise_offline_access;
    user.filter(is_listed).chain(own).collect()
}
