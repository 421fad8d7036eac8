//! `/authorize`. Its page is the address that an Allow leads to.

use std::collections::HashMap;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde_json::json;
use url::Url;

use super::{Flawed, Shared, set, too_many, unstored};

/// How many authorization requests the variant `limited` answers.
const MAX_REQUESTS: u32 = 2;

/// Asks the person, or refuses.
pub(super) async fn authorize(
    State(flawed): Shared,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if flawed.is("limited") {
        let mut memory = flawed.memory();
        memory.authorizations_asked += 1;
        if memory.authorizations_asked > MAX_REQUESTS {
            return too_many();
        }
    }
    let has_signed_in = query.contains_key("signed_in");
    if flawed.is("sign_in_first") && !has_signed_in {
        let request = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&query)
            .append_pair("signed_in", "yes")
            .finish();
        return Redirect::to(&format!("/login?{request}")).into_response();
    }
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let known = flawed.memory().clients.get(get("client_id")).cloned();
    let Some(client) = known else { return unknown_client(&flawed, &query, &headers) };
    let asked = get("redirect_uri");
    let is_exact = client.redirect_uris.iter().any(|one| one == asked);
    let is_ported = client.redirect_uris.iter().any(|one| without_port(one) == without_port(asked));
    if !is_exact && (!is_ported || flawed.is("authorize.any_port")) {
        return match flawed.flaw {
            "authorize.foreign_redirect" => Redirect::to(asked).into_response(),
            _ => refuse(&flawed, "invalid_redirect_uri", false),
        };
    }
    if let Some(error) = error(&flawed, &query) {
        return refuse_to_client(&flawed, &query, error);
    }
    if flawed.is("authorize.opens") && is_exact {
        return StatusCode::FORBIDDEN.into_response();
    }
    let code = flawed.memory().fresh("code");
    flawed.memory().codes.insert(code.clone());
    let back = answer(&flawed, &query, ("code", &code));
    if flawed.is("attack.consent") {
        return Redirect::to(&back).into_response();
    }
    let mut page = Html(back).into_response();
    match flawed.flaw {
        "authorize.no_frames" => {}
        "own_pages" => {
            set(&mut page, "content-security-policy", "default-src 'none'; frame-ancestors 'self'");
        }
        _ => set(&mut page, "x-frame-options", "DENY"),
    }
    page
}

/// The sign-in page of the variant `sign_in_first`: the address that signing in leads to.
pub(super) async fn login(State(flawed): Shared, uri: axum::http::Uri) -> Response {
    let request = uri.query().unwrap_or_default();
    let mut page = Html(flawed.at(&format!("/authorize?{request}"))).into_response();
    set(&mut page, "x-frame-options", "DENY");
    page
}

fn unknown_client(
    flawed: &Flawed,
    query: &HashMap<String, String>,
    headers: &HeaderMap,
) -> Response {
    if flawed.is("authorize.unknown_client") {
        return Redirect::to(&query["redirect_uri"]).into_response();
    }
    let wants_json = headers.get("accept").is_some_and(|accept| accept == "application/json")
        && !flawed.is("authorize.unknown_client_code");
    refuse(flawed, "invalid_client", wants_json)
}

/// A refusal that stays at this server.
fn refuse(flawed: &Flawed, error: &str, wants_json: bool) -> Response {
    let page = format!("/error?error={error}");
    match flawed.flaw {
        "own_pages" if wants_json => {
            unstored(200, json!({"redirect": true, "url": flawed.at(&page)}), false)
        }
        "own_pages" => Redirect::to(&page).into_response(),
        "breaking" => (StatusCode::INTERNAL_SERVER_ERROR, "sorry").into_response(),
        _ if wants_json => unstored(400, json!({"error": error}), false),
        _ => (StatusCode::BAD_REQUEST, Html(error.to_owned())).into_response(),
    }
}

/// A refusal that the client is told of.
fn refuse_to_client(flawed: &Flawed, query: &HashMap<String, String>, error: &str) -> Response {
    let is_implicit = error == "unsupported_response_type";
    match flawed.flaw {
        "own_pages" if !is_implicit => refuse(flawed, error, false),
        "breaking" => refuse(flawed, error, false),
        "authorize.tells_client" if is_implicit => StatusCode::BAD_REQUEST.into_response(),
        // OAuth 2.0 Multiple Response Type Encoding Practices §2.1: in the fragment.
        "own_pages" => {
            let address = answer(flawed, query, ("error", error)).replacen('?', "#", 1);
            Redirect::to(&address).into_response()
        }
        _ => Redirect::to(&answer(flawed, query, ("error", error))).into_response(),
    }
}

fn error(flawed: &Flawed, query: &HashMap<String, String>) -> Option<&'static str> {
    if query.get("response_type").is_none_or(|kind| kind != "code") {
        return Some("unsupported_response_type");
    }
    let is_unknown = |name: &str, known: String| query.get(name).is_some_and(|one| *one != known);
    if flawed.is("authorize.resource") && is_unknown("resource", flawed.at("/other")) {
        return Some("invalid_target");
    }
    if flawed.is("authorize.scope") && is_unknown("scope", "other".to_owned()) {
        return Some("invalid_scope");
    }
    match query.get("code_challenge_method").map(String::as_str) {
        Some("S256") => None,
        None if !flawed.is("authorize.needs_pkce") => Some("invalid_request"),
        Some("plain") if flawed.is("authorize.no_plain") => None,
        Some(_) => Some("invalid_request"),
        None => None,
    }
}

/// The address that the browser goes on to.
fn answer(flawed: &Flawed, query: &HashMap<String, String>, what: (&str, &str)) -> String {
    let mut url = Url::parse(&query["redirect_uri"]).expect("a URL");
    let is_error = what.0 == "error";
    if flawed.is("extra_members") {
        url.query_pairs_mut().append_pair("session_state", "x");
    }
    url.query_pairs_mut().append_pair(what.0, what.1);
    if !(is_error && flawed.is("authorize.error_state")) {
        url.query_pairs_mut().append_pair("state", &query["state"]);
    }
    let leaves_out =
        if is_error { flawed.is("authorize.error_iss") } else { flawed.is("sign_in.answer") };
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
