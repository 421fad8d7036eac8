//! How the server behind the gate is told who calls.

use std::fs;

use ::gate::{Gate, config::Config};
use clap::Parser;
use keys::PublishedKeys;
use net::clock::Clock;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::{message, post},
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed, gate},
};

async fn server() -> DocumentServer {
    let server = DocumentServer::start().await;
    server.put("/mcp", Document::json(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
    server
}

async fn ask(resource: &str, token: &str) {
    let answer = Answer::of(post(resource, token).json(&message("ping", json!({})))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn a_signed_statement_names_the_caller_for_a_minute_and_for_this_server_only() {
    let stack = Stack::start().await;
    let server = server().await;
    let resource = gate::start(&stack, &server.at("/mcp"), &[]).await;
    let claims = json!({"aud": resource, "act": {"sub": "agent"}, "email": "nick@example.com",
        "email_verified": true, "name": "Nick Lucás ☃"});
    ask(&resource, &signed(&stack, &claims)).await;
    let statement = server.last_header("/mcp", "x-portcullis-identity");
    let keys = resource.replace("/mcp", "/.well-known/portcullis-identity/jwks.json");
    let keys = Answer::of(http().get(keys)).await.json.to_string();
    let keys = PublishedKeys::from_json(keys.as_bytes()).unwrap();
    let is_type = |typ: Option<&str>| typ == Some("caller-identity+jwt");
    let claims: Value = keys.verify(&statement, is_type).unwrap();
    let said = |name: &str| claims[name].clone();
    assert_eq!(said("iss"), resource);
    assert_eq!(said("aud"), server.at("/mcp"));
    assert_eq!((said("sub"), said("idp")), (json!("nick"), json!(stack.issuer)));
    assert_eq!((said("client_id"), said("act")), (json!("client"), json!({"sub": "agent"})));
    assert_eq!((said("name"), said("email")), (json!("Nick Lucás ☃"), json!("nick@example.com")));
    let lifetime = said("exp").as_i64().unwrap() - said("iat").as_i64().unwrap();
    assert_eq!(lifetime, 60);
    ask(&resource, &signed(&stack, &json!({"aud": resource, "sub": "eve", "name": null}))).await;
    let statement = server.last_header("/mcp", "x-portcullis-identity");
    let other: Value = keys.verify(&statement, is_type).unwrap();
    assert_eq!((&other["sub"], other.get("name")), (&json!("eve"), None));
    assert_ne!(other["jti"], claims["jti"]);
}

#[tokio::test]
async fn plain_headers_are_there_only_if_wanted_and_hold_only_what_is_verified() {
    let stack = Stack::start().await;
    let server = server().await;
    let header = |name: &str| server.last_header("/mcp", name);
    let resource = gate::start(&stack, &server.at("/mcp"), &["--identity", "headers"]).await;
    let of = |email_verified: bool, username: &str| {
        signed(
            &stack,
            &json!({"aud": resource, "email": "nick@example.com",
            "email_verified": email_verified, "preferred_username": username}),
        )
    };
    ask(&resource, &of(true, "nick-lucas")).await;
    assert_eq!(header("x-forwarded-user"), "nick");
    assert_eq!(header("x-forwarded-preferred-username"), "nick-lucas");
    assert_eq!(header("x-forwarded-email"), "nick@example.com");
    assert_eq!(header("x-portcullis-identity"), "");
    ask(&resource, &of(false, "nick\r\nx-forwarded-groups: admins")).await;
    assert_eq!(header("x-forwarded-email"), "");
    assert_eq!(header("x-forwarded-preferred-username"), "");
    assert_eq!(header("x-forwarded-groups"), "");

    let silent = gate::start(&stack, &server.at("/mcp"), &["--identity", "off"]).await;
    ask(&silent, &signed(&stack, &json!({"aud": silent}))).await;
    assert_eq!((header("x-forwarded-user"), header("x-portcullis-identity")), Default::default());
}

#[tokio::test]
async fn the_gates_own_token_reaches_the_server_in_place_of_the_callers() {
    let stack = Stack::start().await;
    let server = server().await;
    let file = stack.directory().join("upstream-token");
    fs::write(&file, "s3cret-of-the-gate\n").unwrap();
    let options = ["--upstream-token-file", file.to_str().unwrap()];
    let resource = gate::start(&stack, &server.at("/mcp"), &options).await;
    ask(&resource, &signed(&stack, &json!({"aud": resource}))).await;
    assert_eq!(server.last_header("/mcp", "authorization"), "Bearer s3cret-of-the-gate");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_with_what_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    let [empty, missing] =
        [empty, directory.path().join("missing")].map(|path| path.display().to_string());
    let cases: [(&[&str], &str); 8] = [
        (&["--upstream", "ftp://localhost/"], "must begin with http:// or https://"),
        (&["--upstream", "http://a:s3cret@localhost/"], "GATE_UPSTREAM_TOKEN_FILE"),
        (&["--upstream", "http://localhost/mcp?a=b"], "neither query nor fragment"),
        (&["--resource", "http://localhost:3002/mcp/"], "must not end with a slash"),
        (&["--resource", "http://mcp.example.com/mcp"], "must use https"),
        (&["--upstream-token-file", &empty], "must hold one token"),
        (&["--upstream-token-file", &missing], "cannot be read"),
        (
            &["--identity", "both", "--issuer", "https://a.example,https://b.example"],
            "set GATE_IDENTITY to jwt",
        ),
    ];
    for (options, told) in cases {
        let base = ["gate", "--upstream", "http://localhost:1/mcp"];
        // The last of an option that is given twice would be refused by the command line itself.
        let base = if options[0] == "--upstream" { &base[..1] } else { &base[..] };
        let config = Config::try_parse_from([base, options].concat()).unwrap();
        let refused = Gate::new(&config, Clock::system()).unwrap_err().to_string();
        assert!(refused.contains(told) && !refused.contains("s3cret"), "{options:?}: {refused}");
    }
}
