//! `/register` and `/authorize`. The page of `/authorize` is the address that an Allow leads to.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde_json::{Value, json};
use url::Url;

use super::{Flawed, Shared, set, unstored};

/// Registers a client.
pub(super) async fn register(State(flawed): Shared, Json(request): Json<Value>) -> Response {
    let redirect_uri = request["redirect_uris"][0].as_str().unwrap_or_default().to_owned();
    if refuses(&flawed, &request, &redirect_uri) {
        return match flawed.is("registration.error_shape") {
            true => (StatusCode::UNPROCESSABLE_ENTITY, "no").into_response(),
            false => unstored(400, json!({"error": "invalid_redirect_uri"}), false),
        };
    }
    let id = {
        let mut memory = flawed.memory();
        let id = memory.fresh("client");
        memory.clients.insert(id.clone(), vec![redirect_uri.clone()]);
        id
    };
    let mut answer = json!({
        "client_id": id,
        "client_id_issued_at": 1,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    let members = answer.as_object_mut().expect("an object");
    match flawed.flaw {
        "registration.public_by_default" if request.get("token_endpoint_auth_method").is_none() => {
            members["token_endpoint_auth_method"] = "client_secret_basic".into();
        }
        "registration.echoes_redirects" => drop(members.remove("redirect_uris")),
        "registration.echoes_metadata" => drop(members.remove("token_endpoint_auth_method")),
        "registration.refresh_grant" => members["grant_types"] = json!(["authorization_code"]),
        "registration.no_secret" => {
            members.insert("client_secret".to_owned(), "s".into());
        }
        "registration.no_null" => {
            members.insert("client_secret".to_owned(), Value::Null);
        }
        _ => {}
    }
    let status = if flawed.is("registration.created") { 200 } else { 201 };
    unstored(status, answer, flawed.is("registration.not_stored"))
}

fn refuses(flawed: &Flawed, request: &Value, redirect_uri: &str) -> bool {
    let is_native = request["application_type"] == "native";
    let refused_by_flaw = match flawed.flaw {
        "registration.loopback" => is_native && redirect_uri.starts_with("http://127.0.0.1"),
        "registration.localhost" => redirect_uri.starts_with("http://localhost"),
        "registration.private_scheme" => redirect_uri.starts_with("cursor:"),
        _ => false,
    };
    let is_script = redirect_uri.starts_with("javascript:");
    let is_plain = redirect_uri.starts_with("http://attacker");
    refused_by_flaw
        || (is_script && !flawed.is("registration.no_script"))
        || (is_plain && !flawed.is("registration.no_plain_http"))
}

/// Asks the person, or refuses.
pub(super) async fn authorize(
    State(flawed): Shared,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let known = flawed.memory().clients.get(get("client_id")).cloned();
    let Some(registered) = known else {
        if flawed.is("authorize.unknown_client") {
            return Redirect::to(get("redirect_uri")).into_response();
        }
        let wants_json = headers.get("accept").is_some_and(|accept| accept == "application/json");
        return match wants_json && !flawed.is("authorize.unknown_client_code") {
            true => unstored(400, json!({"error": "invalid_client"}), false),
            false => (StatusCode::BAD_REQUEST, Html("unknown client")).into_response(),
        };
    };
    let asked = get("redirect_uri");
    let is_exact = registered.iter().any(|one| one == asked);
    let is_ported = registered.iter().any(|one| without_port(one) == without_port(asked));
    if !is_exact && (!is_ported || flawed.is("authorize.any_port")) {
        return match flawed.is("authorize.foreign_redirect") {
            true => Redirect::to(asked).into_response(),
            false => StatusCode::BAD_REQUEST.into_response(),
        };
    }
    if let Some(error) = error(&flawed, &query) {
        return match flawed.is("authorize.tells_client") && error == "unsupported_response_type" {
            true => StatusCode::BAD_REQUEST.into_response(),
            false => Redirect::to(&answer(&flawed, &query, ("error", error))).into_response(),
        };
    }
    if flawed.is("authorize.opens") && is_exact {
        return StatusCode::FORBIDDEN.into_response();
    }
    let code = flawed.memory().fresh("code");
    flawed.memory().codes.insert(code.clone());
    let mut page = Html(answer(&flawed, &query, ("code", &code))).into_response();
    if !flawed.is("authorize.no_frames") {
        set(&mut page, "x-frame-options", "DENY");
    }
    page
}

fn error(flawed: &Flawed, query: &HashMap<String, String>) -> Option<&'static str> {
    if query.get("response_type").is_none_or(|kind| kind != "code") {
        return Some("unsupported_response_type");
    }
    match query.get("code_challenge_method").map(String::as_str) {
        None if !flawed.is("authorize.needs_pkce") => Some("invalid_request"),
        Some("plain") if !flawed.is("authorize.no_plain") => Some("invalid_request"),
        _ => None,
    }
}

/// The address that the browser goes on to.
fn answer(flawed: &Flawed, query: &HashMap<String, String>, what: (&str, &str)) -> String {
    let mut url = Url::parse(&query["redirect_uri"]).expect("a URL");
    let is_error = what.0 == "error";
    url.query_pairs_mut().append_pair(what.0, what.1);
    if !(is_error && flawed.is("authorize.error_state")) {
        url.query_pairs_mut().append_pair("state", &query["state"]);
    }
    let leaves_out = match is_error {
        true => flawed.is("authorize.error_iss"),
        false => flawed.is("sign_in.answer"),
    };
    if !leaves_out {
        url.query_pairs_mut().append_pair("iss", &flawed.issuer());
    }
    url.into()
}

fn without_port(uri: &str) -> String {
    let mut url = Url::parse(uri).expect("a URL");
    let _ = url.set_port(None);
    url.into()
}
