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

use super::{Flawed, Shared, set, too_many, unstored};

/// Judges a token request.
pub(super) async fn token(
    State(flawed): Shared,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let client = flawed.memory().clients.get(get("client_id")).cloned();
    let Some(client) = client else {
        return match flawed.flaw {
            "token.unknown_client" => refuse(&flawed, 400, "invalid_grant"),
            "token.unknown_client_status" | "other_words" => refuse(&flawed, 400, "invalid_client"),
            "confidential" => refuse(&flawed, 401, "unauthorized_client"),
            _ => refuse(&flawed, 401, "invalid_client"),
        };
    };
    if flawed.is("limited") {
        return too_many();
    }
    if client.secret.is_some_and(|secret| secret != get("client_secret")) {
        return refuse(&flawed, 401, "invalid_client");
    }
    match get("grant_type") {
        "authorization_code" => exchange(&flawed, get("code")),
        "refresh_token" => refresh(&flawed, get("refresh_token"), get("resource")),
        "" if flawed.is("token.error_shape") => {
            (StatusCode::BAD_REQUEST, Html("<h1>Bad request</h1>")).into_response()
        }
        "" if flawed.is("token.without_grant") => refuse(&flawed, 500, "server_error"),
        "" if flawed.is("other_words") => refuse(&flawed, 400, "unsupported_grant_type"),
        "" => refuse(&flawed, 400, "invalid_request"),
        _ if flawed.is("token.unknown_grant") => refuse(&flawed, 400, "invalid_request"),
        _ if flawed.is("other_words") => refuse(&flawed, 400, "unauthorized_client"),
        _ => refuse(&flawed, 400, "unsupported_grant_type"),
    }
}

fn exchange(flawed: &Flawed, code: &str) -> Response {
    let was_given = if flawed.is("sign_in.code_once") {
        flawed.memory().codes.contains(code)
    } else {
        flawed.memory().codes.remove(code)
    };
    if !was_given {
        let status = match flawed.flaw {
            "token.bad_code" => 500,
            "other_words" => 401,
            _ => 400,
        };
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
        "sign_in.types" => tokens["scope"] = json!(["mcp:tools"]),
        "extra_members" => {
            tokens["token_type"] = "bearer".into();
            tokens["scope"] = "mcp:tools".into();
            tokens["own_member"] = 1.into();
        }
        "sign_in.refresh_token" => leave_out(&mut tokens, "refresh_token"),
        "defaults" => {
            leave_out(&mut tokens, "refresh_token");
            leave_out(&mut tokens, "expires_in");
        }
        _ => {}
    }
    let mut response = unstored(200, tokens, flawed.is("sign_in.not_stored"));
    if flawed.is("other_words") {
        set(&mut response, "cache-control", "private, No-Store");
    }
    response
}

fn refresh(flawed: &Flawed, presented: &str, resource: &str) -> Response {
    if flawed.is("defaults") {
        return refuse(flawed, 400, "unsupported_grant_type");
    }
    let known = flawed.memory().refresh_tokens.get(presented).cloned();
    let Some(successor) = known.filter(|_| !flawed.memory().is_revoked) else {
        let code = if flawed.is("token.bad_refresh") { "invalid_request" } else { "invalid_grant" };
        return refuse(flawed, 400, code);
    };
    let overlooks = ["sign_in.foreign_resource", "sign_in.foreign_token", "opaque", "own_audience"];
    if resource.starts_with("https://other.example") && !flawed.is_one_of(&overlooks) {
        return refuse(flawed, 400, "invalid_target");
    }
    if flawed.is("strict_rotation") && successor.is_some() {
        flawed.memory().is_revoked = true;
        flawed.memory().access_tokens.clear();
        return refuse(flawed, 400, "invalid_grant");
    }
    if flawed.is("sign_in.refresh") || (flawed.is("sign_in.refresh_twice") && successor.is_some()) {
        return refuse(flawed, 400, "invalid_grant");
    }
    if flawed.is("sign_in.winner_lives") && successor.is_some() {
        flawed.memory().access_tokens.clear();
    }
    if flawed.is_one_of(&["sign_in.rotation", "confidential"]) {
        return unstored(200, tokens(flawed, presented), false);
    }
    let next = successor.unwrap_or_else(|| flawed.memory().fresh("refresh"));
    let mut memory = flawed.memory();
    memory.refresh_tokens.insert(presented.to_owned(), Some(next.clone()));
    memory.refresh_tokens.entry(next.clone()).or_default();
    drop(memory);
    let mut tokens = tokens(flawed, &next);
    let is_foreign = resource.starts_with("https://other.example");
    if is_foreign && flawed.is_one_of(&["sign_in.foreign_resource", "sign_in.foreign_token"]) {
        let token = jwt(&json!({"iss": flawed.issuer(), "aud": [resource]}));
        if flawed.is("sign_in.foreign_token") {
            flawed.memory().access_tokens.insert(token.clone());
        }
        tokens["access_token"] = token.into();
    }
    unstored(200, tokens, false)
}

/// An access token together with `refresh_token`.
fn tokens(flawed: &Flawed, refresh_token: &str) -> Value {
    let audience = match flawed.flaw {
        "sign_in.audience" => "https://other.example/mcp".to_owned(),
        "own_audience" => flawed.origin.clone(),
        "named_audience" => "seeded-mcp".to_owned(),
        _ => flawed.at("/mcp"),
    };
    let mut memory = flawed.memory();
    let claims = json!({"iss": flawed.issuer(), "aud": audience, "jti": memory.fresh("token")});
    let token = if flawed.is("opaque") { memory.fresh("opaque") } else { jwt(&claims) };
    memory.access_tokens.insert(token.clone());
    json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": refresh_token,
    })
}

fn jwt(claims: &Value) -> String {
    format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn leave_out(tokens: &mut Value, member: &str) {
    tokens.as_object_mut().expect("an object").remove(member);
}

pub(super) async fn revoke(
    State(flawed): Shared,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let token = form.get("token").cloned().unwrap_or_default();
    if flawed.is("limited") {
        return too_many();
    }
    let is_known = flawed.memory().refresh_tokens.contains_key(&token);
    if !is_known && flawed.is("revoke.unknown_token") {
        return refuse(&flawed, 400, "invalid_request");
    }
    if is_known && !flawed.is("sign_in.revocation") {
        flawed.memory().is_revoked = true;
    }
    let status = if flawed.is("other_words") { StatusCode::NO_CONTENT } else { StatusCode::OK };
    status.into_response()
}

fn refuse(flawed: &Flawed, status: u16, code: &str) -> Response {
    let mut error = json!({"error": code});
    if flawed.is("token.no_null") {
        error["error_description"] = Value::Null;
    }
    let is_stored = flawed.is_one_of(&["token.not_stored", "other_words"]);
    let mut response = unstored(status, error, is_stored);
    if flawed.is("token.not_stored") {
        set(&mut response, "cache-control", "public, max-age=60");
    }
    response
}
