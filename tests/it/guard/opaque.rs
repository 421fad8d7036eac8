//! Opaque tokens: the authorization server is asked, the caller is the same.

use auth::{oauth::secret, storage::clients};
use futures::future::select_all;
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::{
        client::Client,
        mcp_client::{Wire, call, text},
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, config_file},
};

/// A stack whose resource gets opaque tokens, and whose MCP server may introspect.
async fn stack(for_mcp: &[&str]) -> Stack {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let resource = json!([{"resource": "http://localhost:9/mcp", "name": "Opaque demo",
        "token_format": "opaque", "scopes": [{"name": "mcp:tools", "description": "Use the tools"}]}]);
    let access = json!({"anyone": true, "groups_claim": "groups",
        "groups": {"cats": {"github_users": ["nick-lucas"]}}});
    let options = config_file::write(&file, &json!({"resources": resource, "access": access}));
    let options = options.each_ref().map(String::as_str);
    let mcp = [&["--resource", "http://localhost:9/mcp"], for_mcp].concat();
    let mut stack = Stack::start_with(&options, &mcp).await;
    let metadata = json!({"client_name": "Demo server", "resource": "http://localhost:9/mcp",
        "token_endpoint_auth_method": "client_secret_basic"});
    let row = clients::Model {
        id: "demo-server".into(),
        metadata: serde_json::from_value(metadata).unwrap(),
        secret_hash: Some(secret::hash("pck_demo")),
        ..clients::Model::default()
    };
    clients::add(stack.state.db.connection(), row).await.unwrap();
    stack.audience = "http://localhost:9/mcp".into();
    stack
}

const INTROSPECTION: [&str; 4] =
    ["--introspection-client-id", "demo-server", "--introspection-client-secret", "pck_demo"];

async fn token(stack: &Stack) -> String {
    let client = Client::register(stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert!(tokens.text("access_token").starts_with("pca_"));
    tokens.text("access_token").to_owned()
}

#[tokio::test]
async fn an_opaque_token_is_greeted_by_name_like_any_other() {
    let stack = stack(&INTROSPECTION).await;
    let token = token(&stack).await;
    let answer =
        call(&stack.resource, Wire::V2026, &token, "echo", json!({"message": "ping pong"})).await;
    assert_eq!(text(&answer), "Hello Nick Lucas: ping pong", "{}", answer.json);
    let answer = call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await;
    assert_eq!(answer.json["result"]["structuredContent"]["groups"], json!(["cats"]));
}

#[tokio::test]
async fn an_expired_or_unknown_opaque_token_is_refused() {
    let stack = stack(&INTROSPECTION).await;
    let token = token(&stack).await;
    assert_eq!(call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await.status, 200);
    stack.advance(900);
    for token in [token.as_str(), "pca_unknown", "x"] {
        let answer = call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
    }
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token() {
    let stack = stack(&INTROSPECTION).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let refresh = tokens.text("refresh_token");
    let answer = call(&stack.resource, Wire::V2026, refresh, "whoami", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
}

#[tokio::test]
async fn a_revoked_opaque_token_is_refused_within_fifteen_seconds() {
    let stack = stack(&INTROSPECTION).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let token = tokens.text("access_token");
    assert_eq!(call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status, 200);
    let form = [("token", token.to_owned()), ("client_id", client.id.clone())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    stack.advance(15);
    assert_eq!(call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status, 401);
}

#[tokio::test]
async fn the_deny_list_cuts_a_cached_answer_short_within_two_seconds() {
    let stack = stack(&INTROSPECTION).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let token = tokens.text("access_token");
    let whoami = async || call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await;
    assert_eq!(whoami().await.status, 200);
    let form =
        [("token", tokens.text("refresh_token").to_owned()), ("client_id", client.id.clone())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    // The clock does not tick, so the cached answer stays valid.
    let refused = async { while whoami().await.status == 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(2), refused).await.unwrap();
    assert!(whoami().await.text("error_description").contains("revoked"));
}

#[tokio::test]
async fn an_outage_is_no_verdict_on_an_opaque_token() {
    let mut stack = stack(&INTROSPECTION).await;
    let token = token(&stack).await;
    stack.stop_auth().await;
    let answer = call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn without_introspection_only_jwts_are_taken() {
    let stack = stack(&[]).await;
    let token = token(&stack).await;
    let answer = call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text("error_description").contains("not a JWT"));
}

/// A stack whose MCP server asks another authorization server about tokens, and that server.
async fn stack_that_asks() -> (Stack, DocumentServer) {
    let asked = DocumentServer::start().await;
    let metadata = json!({"issuer": asked.url, "introspection_endpoint": asked.at(PLACE)});
    asked.put("/.well-known/oauth-authorization-server", Document::json(&metadata));
    asked.put(PLACE, Document::json(&json!({"active": false})));
    let for_mcp = [&["--issuer", asked.url.as_str()], &INTROSPECTION[..]].concat();
    (Stack::start_with(&[], &for_mcp).await, asked)
}

const PLACE: &str = "/introspect";

#[tokio::test]
async fn a_token_that_is_no_good_is_not_asked_about_again_at_once() {
    let (stack, asked) = stack_that_asks().await;
    for _ in 0..3 {
        let answer = call(&stack.resource, Wire::V2026, "made-up", "whoami", json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
    }
    assert_eq!(asked.hits(PLACE), 1);
    stack.advance(5);
    call(&stack.resource, Wire::V2026, "made-up", "whoami", json!({})).await;
    assert_eq!(asked.hits(PLACE), 2);
}

#[tokio::test]
async fn a_compressed_answer_about_a_token_is_read() {
    let (stack, asked) = stack_that_asks().await;
    let active = json!({"active": true, "iss": asked.url, "sub": "nick", "client_id": "client",
        "aud": stack.audience, "scope": "mcp:tools", "exp": stack.state.clock.now() + 60});
    asked.put(PLACE, Document::json(&active).gzipped());
    let answer = call(&stack.resource, Wire::V2026, "opaque", "whoami", json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn only_a_few_made_up_tokens_are_introspected_at_once() {
    let (stack, asked) = stack_that_asks().await;
    asked.put(PLACE, Document { hangs: true, ..Document::status(200) });
    let tokens: Vec<_> = (0..64).map(|number| format!("made-up-{number}")).collect();
    let calls = tokens
        .iter()
        .map(|token| Box::pin(call(&stack.resource, Wire::V2026, token, "whoami", json!({}))));
    let mut waiting: Vec<_> = calls.collect();
    // Those that get no turn are told so, while the others still wait for their answers.
    for _ in 0..32 {
        let (answer, _, rest) = select_all(waiting).await;
        assert_eq!(answer.status, 503, "{}", answer.json);
        waiting = rest;
    }
    assert_eq!(asked.hits(PLACE), 32);
}
