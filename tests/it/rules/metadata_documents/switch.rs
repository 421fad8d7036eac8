//! Whether metadata documents are taken, and whether clients are told of them.

use tests::{
    programs::client::{Answer, Client, http},
    servers::document_server::{Document, DocumentServer},
    stack::Stack,
};

use super::{
    ON_LOOPBACK, OUTAGE, PATH, REFUSED, at_token, authorize, outcome, start, valid_document,
};

async fn advertises(stack: &Stack) -> bool {
    let metadata =
        Answer::of(http().get(stack.at("/.well-known/oauth-authorization-server"))).await;
    metadata.json["client_id_metadata_document_supported"] == true
}

#[tokio::test]
async fn documents_that_are_off_are_neither_advertised_nor_fetched() {
    let options = [&ON_LOOPBACK[..], &["--metadata-documents", "off"]].concat();
    let stack = Stack::start_with(&options, &[]).await;
    assert!(!advertises(&stack).await);
    let server = DocumentServer::start().await;
    server.put(PATH, Document::json(&valid_document(&server)));
    let client = Client::known_as(&stack, &server.at(PATH), None);
    let refused = at_token(&client).await;
    assert_eq!(outcome(&refused), REFUSED);
    let description = refused.text("error_description");
    assert!(description.contains("takes no client metadata documents"), "{description}");
    assert_eq!(authorize(&client).await.status, 400);
    assert_eq!(server.hits(PATH), 0);
    let known = "https://claude.ai/oauth/claude-code-client-metadata";
    assert_eq!(outcome(&at_token(&Client::known_as(&stack, known, None)).await), REFUSED);
}

#[tokio::test]
async fn a_server_for_this_machine_alone_does_not_advertise_what_it_may_not_be_able_to_fetch() {
    assert!(!advertises(&Stack::start().await).await);
    assert!(advertises(&Stack::start_with(&["--metadata-documents", "on"], &[]).await).await);
    assert!(advertises(&Stack::start_with(&ON_LOOPBACK, &[]).await).await);
}

#[tokio::test]
async fn documents_are_not_advertised_while_no_origin_can_be_connected_to() {
    let (stack, server, client) = start().await;
    assert!(advertises(&stack).await);
    let absent = Client::known_as(&stack, "http://localhost:1/client.json", None);
    assert_eq!(outcome(&at_token(&absent).await), OUTAGE);
    assert!(!advertises(&stack).await);
    // An origin that answers is in reach, whatever it says.
    server.put(PATH, Document::status(503));
    assert_eq!(outcome(&at_token(&client).await), OUTAGE);
    assert!(advertises(&stack).await);
    assert_eq!(outcome(&at_token(&absent).await), OUTAGE);
    assert!(advertises(&stack).await, "another origin was reached a moment ago");
    stack.advance(600);
    assert_eq!(outcome(&at_token(&absent).await), OUTAGE);
    assert!(!advertises(&stack).await);
    stack.advance(600);
    assert!(advertises(&stack).await, "worth another try");
}
