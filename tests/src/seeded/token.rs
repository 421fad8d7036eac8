//! `/token` and `/revoke`.

use std::collections::HashMap;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Flawed, Shared, unstored};

/// Judges a token request.
pub(super) async fn token(
    State(flawed): Shared,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if !flawed.memory().clients.contains_key(get("client_id")) {
        return match flawed.is("token.unknown_client") {
            true => refuse(&flawed, 400, "invalid_grant"),
            false => refuse(&flawed, 401, "invalid_client"),
        };
    }
    match get("grant_type") {
        "authorization_code" => exchange(&flawed, get("code")),
        "refresh_token" => refresh(&flawed, get("refresh_token"), get("resource")),
        "" if flawed.is("token.error_shape") => {
            (StatusCode::BAD_REQUEST, Html("<h1>Bad request</h1>")).into_response()
        }
        "" if flawed.is("token.without_grant") => refuse(&flawed, 500, "server_error"),
        "" => refuse(&flawed, 400, "invalid_request"),
        _ if flawed.is("token.unknown_grant") => refuse(&flawed, 400, "invalid_request"),
        _ => refuse(&flawed, 400, "unsupported_grant_type"),
    }
}

fn exchange(flawed: &Flawed, code: &str) -> Response {
    let was_given = match flawed.is("sign_in.code_once") {
        true => flawed.memory().codes.contains(code),
        false => flawed.memory().codes.remove(code),
    };
    if !was_given {
        let status = if flawed.is("token.bad_code") { 500 } else { 400 };
        return refuse(flawed, status, "invalid_grant");
    }
    if flawed.is("sign_in.exchange") {
        return refuse(flawed, 400, "invalid_grant");
    }
    let refresh_token = flawed.memory().fresh("refresh");
    flawed.memory().refresh_tokens.insert(refresh_token.clone(), None);
    let mut tokens = tokens(flawed, &refresh_token);
    match flawed.flaw {
        "sign_in.accepted" => flawed.memory().access_tokens.clear(),
        "sign_in.token_type" => tokens["token_type"] = "mac".into(),
        "sign_in.expires_in" => tokens["expires_in"] = "900".into(),
        "sign_in.lifetime" => tokens["expires_in"] = 30.into(),
        "sign_in.refresh_token" => {
            tokens.as_object_mut().expect("an object").remove("refresh_token");
        }
        _ => {}
    }
    unstored(200, tokens, flawed.is("sign_in.not_stored"))
}

fn refresh(flawed: &Flawed, presented: &str, resource: &str) -> Response {
    let known = flawed.memory().refresh_tokens.get(presented).cloned();
    let Some(successor) = known.filter(|_| !flawed.memory().is_revoked) else {
        let code = if flawed.is("token.bad_refresh") { "invalid_request" } else { "invalid_grant" };
        return refuse(flawed, 400, code);
    };
    if resource.starts_with("https://other.example") && !flawed.is("sign_in.foreign_resource") {
        return refuse(flawed, 400, "invalid_target");
    }
    if flawed.is("sign_in.refresh") || (flawed.is("sign_in.refresh_twice") && successor.is_some()) {
        return refuse(flawed, 400, "invalid_grant");
    }
    if flawed.is("sign_in.winner_lives") && successor.is_some() {
        flawed.memory().access_tokens.clear();
    }
    if flawed.is("sign_in.rotation") {
        return unstored(200, tokens(flawed, presented), false);
    }
    let next = successor.unwrap_or_else(|| flawed.memory().fresh("refresh"));
    let mut memory = flawed.memory();
    memory.refresh_tokens.insert(presented.to_owned(), Some(next.clone()));
    memory.refresh_tokens.entry(next.clone()).or_default();
    drop(memory);
    unstored(200, tokens(flawed, &next), false)
}

/// An access token with `refresh_token` beside it.
fn tokens(flawed: &Flawed, refresh_token: &str) -> Value {
    let audience = match flawed.is("sign_in.audience") {
        true => "https://other.example/mcp".to_owned(),
        false => flawed.at("/mcp"),
    };
    let mut memory = flawed.memory();
    let claims = json!({"iss": flawed.issuer(), "aud": audience, "jti": memory.fresh("token")});
    let token = format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims.to_string()));
    memory.access_tokens.insert(token.clone());
    json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": refresh_token,
    })
}

/// Ends the grant.
pub(super) async fn revoke(
    State(flawed): Shared,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let token = form.get("token").cloned().unwrap_or_default();
    let is_known = flawed.memory().refresh_tokens.contains_key(&token);
    if !is_known && flawed.is("revoke.unknown_token") {
        return refuse(&flawed, 400, "invalid_request");
    }
    if is_known && !flawed.is("sign_in.revocation") {
        flawed.memory().is_revoked = true;
    }
    StatusCode::OK.into_response()
}

fn refuse(flawed: &Flawed, status: u16, code: &str) -> Response {
    let mut error = json!({"error": code});
    if flawed.is("token.no_null") {
        error["error_description"] = Value::Null;
    }
    unstored(status, error, flawed.is("token.not_stored"))
}
