//! Tokens are verified here, without asking anyone.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, http},
        mcp_client::{Wire, call, send, text},
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed},
};

async fn signed_in() -> (Stack, String) {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    (stack, tokens.text("access_token").to_owned())
}

async fn echo(stack: &Stack, wire: Wire, token: &str) -> Answer {
    call(&stack.resource, wire, token, "echo", json!({"message": "ping pong"})).await
}

async fn refusal(stack: &Stack, token: &str) -> String {
    let answer = echo(stack, Wire::V2026, token).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
    answer.text("error_description").to_owned()
}

#[tokio::test]
async fn a_good_token_is_greeted_by_name_on_both_wires() {
    let (stack, token) = signed_in().await;
    for wire in [Wire::V2025, Wire::V2026] {
        let answer = echo(&stack, wire, &token).await;
        assert_eq!(text(&answer), "Hello Nick Lucas: ping pong", "{wire:?}: {}", answer.json);
    }
}

#[tokio::test]
async fn a_client_of_2025_can_initialize_and_list_tools() {
    let (stack, token) = signed_in().await;
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let answer = send(&stack.resource, Wire::V2025, &token, "initialize", hello).await;
    assert_eq!(answer.json["result"]["serverInfo"]["name"], "portcullis-demo");
    assert_eq!(answer.json["result"]["protocolVersion"], "2025-11-25");
    for wire in [Wire::V2025, Wire::V2026] {
        let answer = send(&stack.resource, wire, &token, "tools/list", json!({})).await;
        let tools = answer.json["result"]["tools"].as_array().unwrap().iter();
        let names: Vec<_> = tools.map(|tool| tool["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"echo") && names.contains(&"whoami"), "{wire:?}: {names:?}");
    }
}

#[tokio::test]
async fn callers_who_use_one_request_id_at_once_are_each_told_who_they_are() {
    let stack = Stack::start().await;
    for wire in [Wire::V2025, Wire::V2026] {
        let calls = (0..32).map(async |number| {
            let name = format!("caller {number}");
            let token = signed(&stack, &json!({"sub": name, "name": name}));
            (call(&stack.resource, wire, &token, "whoami", json!({})).await, name)
        });
        for (answer, name) in join_all(calls).await {
            let me = &answer.json["result"]["structuredContent"];
            assert_eq!((&me["name"], &me["subject"]), (&json!(name), &json!(name)), "{wire:?}");
        }
    }
}

#[tokio::test]
async fn whoami_tells_who_the_token_is_for() {
    let (stack, token) = signed_in().await;
    let answer = call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await;
    let me = &answer.json["result"]["structuredContent"];
    assert_eq!(me["name"], "Nick Lucas");
    assert_eq!(me["email"], "nick-lucas@example.com");
    assert_eq!(me["issuer"], stack.issuer.as_str());
}

#[tokio::test]
async fn a_client_with_a_good_token_is_served_while_auth_is_down() {
    let (mut stack, token) = signed_in().await;
    assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 200);
    stack.stop_auth().await;
    assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 200);
    stack.advance(600);
    assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 200);
}

#[tokio::test]
async fn before_the_keys_were_ever_fetched_an_outage_is_an_outage_and_no_verdict() {
    let (mut stack, token) = signed_in().await;
    stack.stop_auth().await;
    let answer = echo(&stack, Wire::V2026, &token).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(answer.headers.get("www-authenticate"), None);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let (stack, token) = signed_in().await;
    stack.advance(890);
    assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 200);
    stack.advance(15);
    assert_eq!(refusal(&stack, &token).await, "The token has expired.");
}

#[tokio::test]
async fn a_token_with_a_restriction_that_is_not_enforced_is_refused() {
    let (stack, token) = signed_in().await;
    let claims = tests::stack::access_token::claims(&token);
    for (name, value) in [
        ("authorization_details", json!([{"type": "read_only"}])),
        ("may_act", json!({"sub": "x"})),
        ("tenant", json!("acme")),
        ("cnf", json!({"x5t#S256": "t"})),
        ("cnf", json!({"jwk": {}})),
    ] {
        let mut restricted = claims.clone();
        restricted[name] = value;
        refusal(&stack, &signed(&stack, &restricted)).await;
    }
    let token = signed(&stack, &json!({"acr": "urn:strong", "session_state": "x"}));
    assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 200);
}

#[tokio::test]
async fn a_token_for_another_resource_is_refused() {
    let (stack, _) = signed_in().await;
    let other = ["--resource", "http://localhost:9/mcp"];
    let elsewhere = Stack::start_with(&other, &["--issuer", &stack.issuer]).await;
    let (_other_stack, token) = signed_in().await;
    assert!(!refusal(&elsewhere, &token).await.is_empty());

    let key = stack.state.keys.current(stack.state.clock.now()).unwrap();
    let now = stack.state.clock.now();
    let claims = json!({"iss": stack.issuer, "sub": "x", "aud": "http://localhost:9/mcp",
        "client_id": "c", "scope": "mcp:tools profile", "exp": now + 600, "iat": now, "jti": "1"});
    let foreign = key.sign(keys::TokenType::AccessToken, &claims).unwrap();
    assert_eq!(refusal(&stack, &foreign).await, "The token was issued for another resource.");
    let id_token = key.sign(keys::TokenType::IdToken, &claims).unwrap();
    assert!(refusal(&stack, &id_token).await.contains("typ"));
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let (stack, _) = signed_in().await;
    let (_elsewhere, token) = signed_in().await;
    let reason = refusal(&stack, &token).await;
    assert_eq!(reason, "The token was issued by another authorization server.");
}

#[tokio::test]
async fn a_tampered_token_is_refused() {
    let (stack, token) = signed_in().await;
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["name"] = "Mallory".into();
    let forged =
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    assert_eq!(refusal(&stack, &forged).await, "The token's signature does not match.");
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    assert!(refusal(&stack, &format!("{unsigned}.{}.", parts[1])).await.contains("key"));
}

#[tokio::test]
async fn a_claim_of_the_wrong_type_or_value_is_refused() {
    let stack = Stack::start().await;
    let resource = stack.resource.as_str();
    let now = stack.state.clock.now();
    assert_eq!(echo(&stack, Wire::V2026, &signed(&stack, &json!({}))).await.status, 200);
    for change in [
        json!({"aud": {}}),
        json!({"aud": 7}),
        json!({"aud": null}),
        json!({"aud": ""}),
        json!({"aud": []}),
        json!({"aud": [1, resource]}),
        json!({"aud": format!("{resource}/")}),
        json!({"aud": resource.to_uppercase()}),
        json!({"aud": resource.strip_suffix("/mcp")}),
        json!({"iss": {}}),
        json!({"iss": null}),
        json!({"iss": [stack.issuer]}),
        json!({"iss": format!("{}/", stack.issuer)}),
        json!({"sub": 7}),
        json!({"sub": null}),
        json!({"client_id": []}),
        json!({"scope": ["mcp:tools", "profile"]}),
        json!({"exp": null}),
        json!({"exp": "tomorrow"}),
        json!({"exp": -1}),
        json!({"exp": u64::MAX}),
        json!({"nbf": now + 120}),
        json!({"iat": now + 3600}),
    ] {
        let token = signed(&stack, &change);
        let answer = echo(&stack, Wire::V2026, &token).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text("error")),
            (401, "invalid_token"),
            "{change}"
        );
    }
}

#[tokio::test]
async fn an_issuer_whose_name_ends_with_a_slash_is_found() {
    let elsewhere = DocumentServer::start().await;
    let issuer = elsewhere.at("/");
    let stack = Stack::start_with(&[], &["--issuer", &issuer]).await;
    let metadata = json!({"issuer": issuer, "jwks_uri": stack.at("/jwks")});
    let place = "/.well-known/oauth-authorization-server";
    elsewhere.put(place, Document::json(&metadata));
    let token = signed(&stack, &json!({"iss": issuer}));
    let answer = echo(&stack, Wire::V2026, &token).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(elsewhere.hits(place), 1);
}

#[test]
fn an_issuer_may_end_with_a_slash_and_a_resource_may_not() {
    use clap::Parser;
    let check = |option: &str, value: &str| {
        mcp::config::Config::try_parse_from(["mcp", option, value]).unwrap().check().is_ok()
    };
    assert!(check("--issuer", "https://tenant.eu.auth0.com/"));
    assert!(check("--issuer", "https://id.example.com/application/o/mcp/"));
    assert!(!check("--issuer", "https://id.example.com/?a=b"));
    assert!(!check("--resource", "https://mcp.example.com/mcp/"));
}

/// A stack that trusts an issuer whose keys are those of `auth` with this change.
async fn with_foreign_keys(change: impl Fn(&mut Value)) -> (Stack, String, DocumentServer) {
    let elsewhere = DocumentServer::start().await;
    let stack = Stack::start_with(&[], &["--issuer", &elsewhere.url]).await;
    let mut keys = Answer::of(tests::programs::client::http().get(stack.at("/jwks"))).await.json;
    keys["keys"].as_array_mut().unwrap().iter_mut().for_each(change);
    let metadata = json!({"issuer": elsewhere.url, "jwks_uri": elsewhere.at("/keys"),
        "userinfo_endpoint": "", "revocation_endpoint": 7, "scopes_supported": null});
    elsewhere.put("/.well-known/openid-configuration", Document::json(&metadata));
    elsewhere.put("/keys", Document::json(&keys));
    let token = signed(&stack, &json!({"iss": elsewhere.url}));
    (stack, token, elsewhere)
}

#[tokio::test]
async fn keys_that_leave_out_what_may_be_left_out_verify() {
    for (name, value) in [
        ("alg", None),
        ("alg", Some(Value::Null)),
        ("alg", Some(json!(""))),
        ("use", None),
        ("use", Some(Value::Null)),
        ("key_ops", Some(json!(["verify"]))),
    ] {
        let (stack, token, _issuer) = with_foreign_keys(|key| match &value {
            Some(value) => key[name] = value.clone(),
            None => drop(key.as_object_mut().unwrap().remove(name)),
        })
        .await;
        let answer = echo(&stack, Wire::V2026, &token).await;
        assert_eq!(answer.status, 200, "{name} {value:?}: {}", answer.json);
    }
}

#[tokio::test]
async fn documents_of_an_issuer_are_not_looked_for_where_a_redirect_leads() {
    let (stack, token, _issuer) = with_foreign_keys(|_| ()).await;
    assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 200);
    for place in ["/.well-known/openid-configuration", "/keys"] {
        let (stack, token, issuer) = with_foreign_keys(|_| ()).await;
        let elsewhere = DocumentServer::start().await;
        let document = Answer::of(http().get(issuer.at(place))).await.json;
        elsewhere.put("/document", Document::json(&document));
        let moved = Document::status(302).with("location", &elsewhere.at("/document"));
        issuer.put(place, moved);
        assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 503, "{place}");
        assert_eq!(elsewhere.hits("/document"), 0, "{place}");
    }
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_verify_nothing() {
    for (name, value) in
        [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("alg", json!("ECDH-ES"))]
    {
        let (stack, token, _issuer) = with_foreign_keys(|key| key[name] = value.clone()).await;
        assert_eq!(echo(&stack, Wire::V2026, &token).await.status, 503, "{name}");
    }
}

#[tokio::test]
async fn times_may_have_fractions() {
    let stack = Stack::start().await;
    let now = stack.state.clock.now() as f64;
    let change =
        json!({"exp": now + 600.25, "iat": now + 0.75, "nbf": now + 0.5, "auth_time": now});
    let answer = echo(&stack, Wire::V2026, &signed(&stack, &change)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    for change in [json!({"exp": now - 5.5}), json!({"nbf": now + 60.5}), json!({"nbf": "soon"})] {
        let answer = echo(&stack, Wire::V2026, &signed(&stack, &change)).await;
        assert_eq!(answer.status, 401, "{change}");
    }
}
