//! Metadata that would take the client's memory or time.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    programs::command_line::{CommandLine, Outcome},
    servers::document_server::{Document, DocumentServer},
};

const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const SERVER: &str = "/.well-known/oauth-authorization-server";
/// A client that needs longer for a document hangs.
const PATIENCE: Duration = Duration::from_secs(20);

fn resource(server: &DocumentServer) -> Value {
    json!({"resource": server.at("/mcp"), "authorization_servers": [server.url]})
}

/// A server and an authorization server that would register any client.
async fn honest() -> DocumentServer {
    let server = DocumentServer::start().await;
    let challenge = format!("Bearer resource_metadata=\"{}\"", server.at(RESOURCE));
    server.put("/mcp", Document::status(401).with("www-authenticate", &challenge));
    server.put(RESOURCE, Document::json(&resource(&server)));
    let metadata = json!({
        "issuer": server.url,
        "authorization_endpoint": server.at("/authorize"),
        "token_endpoint": server.at("/token"),
        "registration_endpoint": server.at("/register"),
        "code_challenge_methods_supported": ["S256"],
    });
    server.put(SERVER, Document::json(&metadata));
    server
}

async fn sign_in(server: &DocumentServer) -> Outcome {
    let person = CommandLine::of(&server.at("/mcp"), "");
    let outcome = person.run(&["login", "--sign-in-timeout", "1"]);
    tokio::time::timeout(PATIENCE, outcome).await.unwrap()
}

fn many(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

#[tokio::test]
async fn a_document_of_any_size_or_depth_ends_the_sign_in_at_once() {
    let shapes = ["[".repeat(100_000), " ".repeat(2 * 1024 * 1024), r#"{"a":"#.repeat(100_000)];
    for place in [RESOURCE, SERVER] {
        for body in &shapes {
            let server = honest().await;
            server.put(place, Document::json(&json!({})).saying(body.clone()));
            let outcome = sign_in(&server).await;
            assert_eq!(outcome.code, 4, "{place}: {}", outcome.stderr);
            assert!(outcome.stderr.len() < 2000, "{place}: {}", outcome.stderr.len());
            assert_eq!(server.hits("/register"), 0, "{place}");
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_scopes_are_refused_before_anybody_is_asked() {
    let server = honest().await;
    let mut listed = resource(&server);
    listed["scopes_supported"] = json!(many("s", 100_000));
    server.put(RESOURCE, Document::json(&listed));
    let outcome = sign_in(&server).await;
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("100000 scopes"), "{}", outcome.stderr);
    assert_eq!(server.hits("/register"), 0);
}

#[tokio::test]
async fn of_ten_thousand_authorization_servers_one_is_asked() {
    let server = honest().await;
    let mut listed = resource(&server);
    let mut issuers = vec![server.url.clone()];
    issuers.extend(many(&server.at("/other"), 10_000));
    listed["authorization_servers"] = json!(issuers);
    server.put(RESOURCE, Document::json(&listed));
    sign_in(&server).await;
    assert_eq!((server.hits(SERVER), server.hits("/register")), (1, 1));
    assert_eq!(server.hits(&format!("{SERVER}/other0")), 0);
}
