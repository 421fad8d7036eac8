//! Which clients an operator takes: the metadata says it, and others are told what to do.

use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http},
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, config_file},
};

async fn stack(clients: &Value) -> Stack {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let [option, file] = config_file::write(&file, &json!({"clients": clients}));
    let on_loopback = ["--insecure-metadata-documents-on-loopback", "true"];
    Stack::start_with(&[[&*option, &*file], on_loopback].concat(), &[]).await
}

async fn metadata(stack: &Stack) -> Value {
    Answer::of(http().get(stack.at("/.well-known/oauth-authorization-server"))).await.json
}

async fn register(stack: &Stack, redirect_uris: &Value) -> Answer {
    let body = json!({"client_name": "Test client", "redirect_uris": redirect_uris});
    Answer::of(http().post(stack.at("/register")).json(&body)).await
}

#[tokio::test]
async fn where_registration_is_off_it_is_not_advertised_and_refused_with_what_to_do() {
    let stack = stack(&json!({"registration": "off"})).await;
    assert_eq!(metadata(&stack).await.get("registration_endpoint"), None);
    let answer = register(&stack, &json!(["http://127.0.0.1/callback"])).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "access_denied"));
    assert!(answer.text("error_description").contains("Ask its operator"), "{}", answer.json);
}

#[tokio::test]
async fn registration_may_be_for_programs_on_the_same_machine_alone() {
    let stack = stack(&json!({"registration": "loopback-only"})).await;
    assert!(metadata(&stack).await["registration_endpoint"].is_string());
    let loopback = "http://127.0.0.1/callback";
    for (redirect_uris, status) in [
        (json!([loopback, "http://localhost/cb", "http://[::1]/cb"]), 201),
        (json!(["https://app.example.com/callback"]), 400),
        (json!([loopback, "https://app.example.com/callback"]), 400),
        (json!(["com.example.app:/callback"]), 400),
    ] {
        let answer = register(&stack, &redirect_uris).await;
        assert_eq!(answer.status.as_u16(), status, "{redirect_uris}: {}", answer.json);
    }
    let device = json!({"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]});
    let answer = Answer::of(http().post(stack.at("/register")).json(&device)).await;
    assert_eq!(answer.status, 400, "{}", answer.json);
}

#[tokio::test]
async fn a_registration_under_a_wider_rule_counts_no_longer() {
    let open = stack(&json!({})).await;
    let client = Client::register(&open).await;
    let secret = open.state.config.secret.secret_file.display().to_string();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let [option, file] = config_file::write(&file, &json!({"clients": {"registration": "off"}}));
    let closed = Stack::start_with(&[&*option, &*file, "--secret-file", &*secret], &[]).await;
    let url =
        client.authorize_url(&client.authorize_parameters()).replace(&open.issuer, &closed.issuer);
    let page = Browser::default().open(&url).await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("registration_off"), "{}", page.text());
}

#[tokio::test]
async fn documents_are_taken_from_the_hosts_that_are_named() {
    for (clients, is_advertised, reason) in [
        (json!({"metadata_documents": ["localhost"]}), true, None),
        (json!({"metadata_documents": ["claude.ai"]}), true, Some("metadata_document_host")),
        (json!({"metadata_documents": "off"}), false, Some("metadata_documents_off")),
        (json!({"metadata_documents": "on"}), true, None),
    ] {
        let stack = stack(&clients).await;
        let advertised = &metadata(&stack).await["client_id_metadata_document_supported"];
        assert_eq!(*advertised, json!(is_advertised), "{clients}");
        let server = DocumentServer::start().await;
        let id = server.at("/client.json");
        let document = json!({"client_id": id, "client_name": "Documented",
            "redirect_uris": [tests::programs::client::REDIRECT_URI]});
        server.put("/client.json", Document::json(&document));
        let client = Client::known_as(&stack, &id, None);
        let url = client.authorize_url(&client.authorize_parameters());
        let page = Browser::default().open(&url).await;
        match reason {
            None => assert_eq!(page.url.path(), "/sign-in", "{clients}: {}", page.text()),
            Some(reason) => {
                assert!(page.text().contains(reason), "{clients}: {}", page.text());
            }
        }
    }
}
