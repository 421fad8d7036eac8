//! `GET /.well-known/oauth-protected-resource`

use serde_json::json;
use tests::{
    programs::client::{Answer, http},
    stack::Stack,
};

#[tokio::test]
async fn the_document_is_served_at_the_root_and_with_the_path_inserted() {
    let stack = Stack::start().await;
    let origin = stack.resource.strip_suffix("/mcp").unwrap();
    for path in ["", "/mcp"] {
        let url = format!("{origin}/.well-known/oauth-protected-resource{path}");
        let answer = Answer::of(http().get(url)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text("resource"), stack.resource);
        assert_eq!(answer.json["authorization_servers"], json!([stack.issuer]));
        assert_eq!(answer.json["scopes_supported"], json!(["mcp:tools", "profile", "email"]));
        assert_eq!(answer.json["bearer_methods_supported"], json!(["header"]));
        assert!(answer.json.as_object().unwrap().values().all(|value| !value.is_null()));
    }
}

#[tokio::test]
async fn on_loopback_it_answers_in_the_spelling_of_the_client() {
    let stack = Stack::start().await;
    let typed = stack.resource.replace("localhost", "127.0.0.1");
    let origin = typed.strip_suffix("/mcp").unwrap();
    let url = format!("{origin}/.well-known/oauth-protected-resource/mcp");
    assert_eq!(Answer::of(http().get(url)).await.text("resource"), typed);
}

#[tokio::test]
async fn a_foreign_host_header_changes_nothing() {
    let stack = Stack::start().await;
    let origin = stack.resource.strip_suffix("/mcp").unwrap();
    let url = format!("{origin}/.well-known/oauth-protected-resource");
    let answer = Answer::of(http().get(url).header("host", "evil.test")).await;
    assert_eq!(answer.text("resource"), stack.resource);
}
