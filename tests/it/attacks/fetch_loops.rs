//! A `client_id` or `jwks_uri` that leads back to an authorization server causes no chain of fetches,
//! and one that leads elsewhere is not followed.

use auth::oauth::client_assertion::ASSERTION_TYPE;
use keys::{Algorithm, SigningKey, TokenType};
use serde_json::json;
use tests::{
    programs::client::{Answer, Client, REDIRECT_URI, VERIFIER, http},
    servers::document_server::{Document, DocumentServer},
    stack::Stack,
};

const ON_LOOPBACK: [&str; 2] = ["--insecure-metadata-documents-on-loopback", "true"];

/// A `client_id` that is an address of `stack` with another `client_id` in it.
fn nested(base: &str, client_id: &str) -> String {
    url::Url::parse_with_params(&format!("{base}/authorize"), [("client_id", client_id)])
        .unwrap()
        .into()
}

/// What `/token` says to an assertion of `client` by `key`.
async fn prove(stack: &Stack, client: &Client, key: &SigningKey) -> Answer {
    let now = stack.state.clock.now();
    let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "iat": now,
        "exp": now + 60, "jti": "1"});
    let assertion = key.sign(TokenType::IdToken, &claims).unwrap();
    let form = [
        ("grant_type", "authorization_code".into()),
        ("code", "x".into()),
        ("code_verifier", VERIFIER.into()),
        ("client_assertion_type", ASSERTION_TYPE.into()),
        ("client_assertion", assertion),
    ];
    client.post("/token", &form).await
}

async fn ask(stack: &Stack, client_id: &str) -> Answer {
    let client = Client::known_as(stack, client_id, None);
    client.post("/token", &client.code_form("unknown")).await
}

#[tokio::test]
async fn a_client_id_at_this_server_itself_is_never_fetched() {
    let stack = Stack::start_with(&ON_LOOPBACK, &[]).await;
    let port = url::Url::parse(&stack.issuer).unwrap().port().unwrap();
    let mut client_id = "x".to_owned();
    for _ in 0..5 {
        client_id = nested(&stack.issuer, &client_id);
    }
    for client_id in [client_id, format!("http://127.0.0.1:{port}/jwks"), stack.at("/c.json")] {
        let answer = ask(&stack, &client_id).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
        let why = answer.text("error_description");
        assert!(why.contains("address of this server"), "{client_id}: {why}");
    }
}

#[tokio::test]
async fn keys_at_this_server_itself_are_never_fetched() {
    let stack = Stack::start_with(&ON_LOOPBACK, &[]).await;
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": stack.at("/jwks")});
    let client = Client::register_as(&stack, metadata).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let answer = prove(&stack, &client, &key).await;
    assert_eq!(answer.text("error"), "invalid_client");
    let why = answer.text("error_description");
    assert!(why.contains("address of this server"), "{why}");
}

#[tokio::test]
async fn two_servers_that_are_sent_to_each_other_stop_at_the_first_step() {
    let one = Stack::start_with(&ON_LOOPBACK, &[]).await;
    let other = Stack::start_with(&ON_LOOPBACK, &[]).await;
    let documents = DocumentServer::start().await;
    let id = documents.at("/client.json");
    let document =
        json!({"client_id": id, "client_name": "Documented", "redirect_uris": [REDIRECT_URI]});
    documents.put("/client.json", Document::json(&document));
    let there = nested(&other.issuer, &id);
    let and_back = nested(&other.issuer, &nested(&one.issuer, &there));
    for client_id in [there, and_back] {
        let answer = ask(&one, &client_id).await;
        assert_eq!(answer.text("error"), "invalid_client", "{}", answer.json);
    }
    assert_eq!(documents.hits("/client.json"), 0);
    // The same document is fetched for anyone who is no server.
    assert_eq!(ask(&other, &id).await.text("error"), "invalid_grant");
    assert_eq!(documents.hits("/client.json"), 1);
}

#[tokio::test]
async fn a_fetch_reads_documents_and_nothing_else() {
    let stack = Stack::start().await;
    for (path, status) in [
        ("/jwks", 200),
        ("/.well-known/oauth-authorization-server", 200),
        ("/authorize?client_id=x", 400),
        ("/end_session?client_id=x", 400),
        ("/sign-in?continue=/authorize", 400),
        ("/userinfo", 400),
    ] {
        let request = http().get(stack.at(path)).header("cdn-loop", "edge, portcullis");
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn keys_behind_a_redirect_at_a_private_address_or_in_a_huge_document_prove_nothing() {
    let stack = Stack::start_with(&ON_LOOPBACK, &[]).await;
    let server = DocumentServer::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let keys = json!({"keys": [key.public_jwk()]});
    let huge = format!("{}{keys}", " ".repeat(2 << 20));
    server.put("/keys", Document::json(&keys));
    server.put("/elsewhere", Document::json(&keys));
    let redirect = Document::status(302).with("location", &server.at("/elsewhere"));
    server.put("/redirect", redirect);
    server.put("/huge", Document::json(&keys).saying(huge));
    let answer = async |jwks_uri: String| {
        let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": jwks_uri});
        let client = Client::register_as(&stack, metadata).await;
        prove(&stack, &client, &key).await
    };
    let private = ["https://10.0.0.1/keys", "https://169.254.169.254/keys", "https://[fd00::1]/k"];
    let private = private.map(str::to_owned);
    for uri in [server.at("/redirect"), server.at("/huge")].into_iter().chain(private) {
        let answer = answer(uri.clone()).await;
        let told = ["invalid_client", "temporarily_unavailable"].contains(&answer.text("error"));
        assert!(told, "{uri}: {}", answer.json);
    }
    assert_eq!(server.hits("/elsewhere"), 0);
    // A client that has proved itself is told that the code is none.
    assert_eq!(answer(server.at("/keys")).await.text("error"), "invalid_grant");
}
