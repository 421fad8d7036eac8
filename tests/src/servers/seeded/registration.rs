//! `/register`, and the deletion of what was registered (RFC 7592).

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Client, Flawed, Shared, too_many, unstored};

/// How many registrations the variant `limited` takes.
const MAX_REGISTRATIONS: usize = 1;

pub(super) async fn register(State(flawed): Shared, Json(request): Json<Value>) -> Response {
    let asked = {
        let mut memory = flawed.memory();
        memory.registrations_asked += 1;
        memory.registrations_asked
    };
    if flawed.is("limited") && asked > MAX_REGISTRATIONS {
        return too_many();
    }
    let mut redirect_uris: Vec<String> =
        serde_json::from_value(request["redirect_uris"].clone()).unwrap_or_default();
    if flawed.is("leaves_out") {
        redirect_uris.retain(|uri| !is_bad(uri));
    }
    if let Some(refusal) = refusal(&flawed, &redirect_uris) {
        return refusal;
    }
    let method = method(&flawed, &request);
    let secret = (method != "none").then(|| "s3cret".to_owned());
    let id = {
        let mut memory = flawed.memory();
        let id = memory.fresh("client");
        memory.registered += 1;
        let client = Client { redirect_uris: redirect_uris.clone(), secret: secret.clone() };
        memory.clients.insert(id.clone(), client);
        id
    };
    let mut answer = json!({
        "client_id": id,
        "client_id_issued_at": 1,
        "redirect_uris": redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        "registration_client_uri": flawed.at(&format!("/register/{id}")),
        "registration_access_token": id,
    });
    if let Some(secret) = secret {
        answer["client_secret"] = secret.into();
        answer["client_secret_expires_at"] = 0.into();
    }
    spoil(&flawed, &request, &mut answer);
    let status = if flawed.is("registration.created") { 200 } else { 201 };
    let is_stored = flawed.is_one_of(&["registration.not_stored", "other_words"]);
    let mut response = unstored(status, answer, is_stored);
    if flawed.is("registration.not_stored") {
        super::set(&mut response, "cache-control", "public, max-age=60");
    }
    response
}

/// How the client is to authenticate.
fn method(flawed: &Flawed, request: &Value) -> &'static str {
    let names_one = request.get("token_endpoint_auth_method").is_some();
    match flawed.flaw {
        "confidential" | "registration.secret_expiry" => "client_secret_post",
        // RFC 7591 §2: the default.
        "secret_by_default" if !names_one => "client_secret_basic",
        _ => "none",
    }
}

fn spoil(flawed: &Flawed, request: &Value, answer: &mut Value) {
    let members = answer.as_object_mut().expect("an object");
    let mut leave_out = |names: &[&str]| names.iter().for_each(|name| drop(members.remove(*name)));
    match flawed.flaw {
        "registration.echoes_redirects" => leave_out(&["redirect_uris"]),
        "registration.echoes_metadata" => leave_out(&["token_endpoint_auth_method"]),
        "registration.secret_expiry" => leave_out(&["client_secret_expires_at"]),
        "one_redirect_uri" => leave_out(&["registration_client_uri", "registration_access_token"]),
        "defaults" => leave_out(&["grant_types", "response_types", "client_id_issued_at"]),
        _ => {}
    }
    let names_method = request.get("token_endpoint_auth_method").is_some();
    match flawed.flaw {
        "registration.public_by_default" if !names_method => {
            answer["token_endpoint_auth_method"] = "client_secret_basic".into();
        }
        "registration.refresh_grant" => answer["grant_types"] = json!(["authorization_code"]),
        "registration.no_secret" => {
            answer["client_secret"] = "s".into();
            answer["client_secret_expires_at"] = 0.into();
        }
        "registration.no_null" => answer["client_uri"] = Value::Null,
        "registration.types" => answer["client_id_issued_at"] = "yesterday".into(),
        "extra_members" => {
            answer["client_name"] = request["client_name"].clone();
            answer["own_member"] = json!({"a": [1, 2]});
            answer["contacts"] = json!([]);
        }
        _ => {}
    }
}

fn is_bad(redirect_uri: &str) -> bool {
    ["javascript:", "http://attacker"].iter().any(|start| redirect_uri.starts_with(start))
}

fn refusal(flawed: &Flawed, redirect_uris: &[String]) -> Option<Response> {
    let has = |start: &str| redirect_uris.iter().any(|uri| uri.starts_with(start));
    let refused_by_flaw = match flawed.flaw {
        "registration.loopback" => has("http://127.0.0.1"),
        "registration.localhost" => has("http://localhost"),
        "registration.private_scheme" => has("cursor:"),
        "one_redirect_uri" => redirect_uris.len() != 1,
        _ => false,
    };
    let is_refused = refused_by_flaw
        || (has("javascript:") && !flawed.is("registration.no_script"))
        || (has("http://attacker") && !flawed.is("registration.no_plain_http"));
    is_refused.then(|| match flawed.flaw {
        "registration.error_shape" => (StatusCode::UNPROCESSABLE_ENTITY, "no").into_response(),
        "other_words" => unstored(400, json!({"error": "invalid_request"}), true),
        "one_redirect_uri" => unstored(400, json!({"error": "invalid_client_metadata"}), false),
        _ => unstored(400, json!({"error": "invalid_redirect_uri"}), false),
    })
}

pub(super) async fn unregister(
    State(flawed): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {id}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut memory = flawed.memory();
    if memory.clients.remove(&id).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    memory.deleted += 1;
    StatusCode::NO_CONTENT.into_response()
}
