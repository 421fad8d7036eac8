//! Clients that are described by the document at their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document).

mod switch;

use auth::oauth::client_assertion::ASSERTION_TYPE;
use keys::{Algorithm, SigningKey, TokenType};
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, REDIRECT_URI, VERIFIER, http, with},
    servers::document_server::{Document, DocumentServer},
    stack::Stack,
};

const PATH: &str = "/client.json";
const ON_LOOPBACK: [&str; 2] = ["--insecure-metadata-documents-on-loopback", "true"];

/// A stack that may fetch from this machine, and a server with one valid document.
async fn start() -> (Stack, DocumentServer, Client) {
    let stack = Stack::start_with(&ON_LOOPBACK, &[]).await;
    let server = DocumentServer::start().await;
    server.put(PATH, Document::json(&valid_document(&server)));
    let client = Client::known_as(&stack, &server.at(PATH), None);
    (stack, server, client)
}

fn valid_document(server: &DocumentServer) -> Value {
    json!({
        "client_id": server.at(PATH),
        "client_name": "Documented client",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token", "something_else"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

async fn authorize(client: &Client) -> Page {
    Browser::default().open(&client.authorize_url(&client.authorize_parameters())).await
}

/// What `/token` says of the client: `invalid_grant` once the client itself is accepted.
async fn at_token(client: &Client) -> Answer {
    client.post("/token", &client.code_form("unknown")).await
}

fn outcome(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text("error"))
}

const KNOWN: (u16, &str) = (400, "invalid_grant");
const REFUSED: (u16, &str) = (401, "invalid_client");
const OUTAGE: (u16, &str) = (503, "temporarily_unavailable");

#[tokio::test]
async fn a_documented_client_signs_in_and_its_document_is_fetched_once() {
    let (stack, server, client) = start().await;
    let page = client
        .reach_consent(
            &mut Browser::default(),
            &client.authorize_url(&client.authorize_parameters()),
        )
        .await;
    let host = server.url.strip_prefix("http://").unwrap();
    assert!(page.text().contains(host), "{}", page.text());
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.json);
    assert_eq!(server.hits(PATH), 1);
    let metadata = stack.at("/.well-known/oauth-authorization-server");
    let metadata = Answer::of(http().get(metadata)).await;
    assert_eq!(metadata.json["client_id_metadata_document_supported"], true);
}

#[tokio::test]
async fn many_requests_at_once_cause_one_fetch() {
    let (_stack, server, client) = start().await;
    let requests = (0..50).map(|_| at_token(&client));
    for answer in futures::future::join_all(requests).await {
        assert_eq!(outcome(&answer), KNOWN);
    }
    assert_eq!(server.hits(PATH), 1);
}

#[tokio::test]
async fn a_document_that_is_not_the_clients_is_refused_on_a_page() {
    let (_stack, server, client) = start().await;
    for (name, value) in [
        ("client_id", json!(server.at("/other.json"))),
        ("client_id", json!(format!("{}/", server.at(PATH)))),
        ("client_secret", json!("x")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("redirect_uris", json!(["javascript:alert(1)"])),
        ("client_name", json!("a\r\nb")),
        ("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
    ] {
        let mut document = valid_document(&server);
        document[name] = value.clone();
        server.put(PATH, Document::json(&document));
        let page = authorize(&client).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{name} {value}");
        assert_eq!(outcome(&at_token(&client).await), REFUSED, "{name} {value}");
    }
}

#[tokio::test]
async fn a_redirect_uri_outside_the_document_gets_a_page() {
    let (_stack, _server, client) = start().await;
    let parameters = tests::programs::client::with(
        client.authorize_parameters(),
        "redirect_uri",
        "http://127.0.0.1:1/elsewhere",
    );
    let page = Browser::default().open(&client.authorize_url(&parameters)).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (400, ""));
}

#[tokio::test]
async fn what_is_not_a_plain_json_document_is_refused_and_a_redirect_not_followed() {
    let (_stack, server, client) = start().await;
    let valid = Document::json(&valid_document(&server));
    let mut html = valid.clone();
    html.headers = vec![("content-type", "text/html".into())];
    let mut padded = valid_document(&server);
    padded["padding"] = json!("x".repeat(5 * 1024));
    let target = server.at("/target.json");
    server.put("/target.json", valid.clone());
    for document in [
        Document { status: 302, ..valid.clone() }.with("location", &target),
        Document { status: 308, ..valid.clone() }.with("location", &target),
        Document { status: 404, ..valid.clone() },
        Document { status: 410, ..valid.clone() },
        html,
        valid.clone().with("content-encoding", "gzip"),
        Document::json(&padded),
        valid.clone().saying([b"\xef\xbb\xbf", &*valid.body].concat()),
        valid.clone().saying([&*valid.body, b" x"].concat()),
        valid.clone().saying("[]"),
    ] {
        server.put(PATH, document.clone());
        assert_eq!(outcome(&at_token(&client).await), REFUSED, "{document:?}");
    }
    assert_eq!(server.hits("/target.json"), 0);
}

#[tokio::test]
async fn a_compressed_document_is_read_and_its_limit_holds_for_what_comes_out() {
    let (_stack, server, client) = start().await;
    let valid = Document::json(&valid_document(&server));
    server.put(PATH, valid.clone().gzipped());
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
    let (_stack, server, client) = start().await;
    let valid = Document::json(&valid_document(&server));
    let padded = [&*valid.body, &[b' '; 10 * 1024 * 1024]].concat();
    server.put(PATH, valid.saying(padded).gzipped());
    assert_eq!(outcome(&at_token(&client).await), REFUSED);
}

#[tokio::test]
async fn an_outage_of_the_origin_is_503_and_never_an_unknown_client() {
    let (stack, server, client) = start().await;
    for status in [403, 429, 500, 503] {
        server.put(PATH, Document::status(status));
        let answer = at_token(&client).await;
        assert_eq!(outcome(&answer), OUTAGE, "{status}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    let page = authorize(&client).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (503, ""));
    let absent = Client::known_as(&stack, "http://localhost:1/client.json", None);
    let closed = at_token(&absent).await;
    assert_eq!(outcome(&closed), OUTAGE);
    let name = "https://unresolvable.portcullis.invalid/client.json";
    let unresolved = at_token(&Client::known_as(&stack, name, None)).await;
    assert_eq!(outcome(&unresolved), OUTAGE);
    // The answer does not reveal what this server can reach.
    assert_eq!(closed.json, unresolved.json);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let (_stack, server, client) = start().await;
    let valid = Document::json(&valid_document(&server));
    for failure in [Document::status(404), valid.clone().saying("{")] {
        server.put(PATH, failure);
        assert_eq!(outcome(&at_token(&client).await), REFUSED);
    }
    server.put(PATH, valid);
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
}

#[tokio::test]
async fn a_document_is_used_while_it_is_fresh_and_then_asked_for_by_its_tag() {
    let (stack, server, client) = start().await;
    let document = Document::json(&valid_document(&server));
    let document = document.with("cache-control", "max-age=600").with("etag", "\"1\"");
    server.put(PATH, document);
    at_token(&client).await;
    stack.advance(590);
    at_token(&client).await;
    assert_eq!(server.hits(PATH), 1);
    stack.advance(20);
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
    assert_eq!((server.hits(PATH), &*server.last_header(PATH, "if-none-match")), (2, "\"1\""));
    // The answer 304 made it fresh again.
    stack.advance(590);
    at_token(&client).await;
    assert_eq!(server.hits(PATH), 2);
}

#[tokio::test]
async fn a_known_document_survives_an_outage_but_not_its_removal() {
    let (stack, server, client) = start().await;
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
    server.put(PATH, Document::status(503));
    stack.advance(400);
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
    // During the outage, not every request tries again.
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
    assert_eq!(server.hits(PATH), 2);
    stack.advance(90_000);
    assert_eq!(outcome(&at_token(&client).await), OUTAGE);

    server.put(PATH, Document::json(&valid_document(&server)));
    assert_eq!(outcome(&at_token(&client).await), KNOWN);
    server.put(PATH, Document::status(410));
    stack.advance(400);
    assert_eq!(outcome(&at_token(&client).await), REFUSED);
}

#[tokio::test]
async fn a_changed_document_is_believed_once_the_old_one_is_stale() {
    let (stack, server, client) = start().await;
    assert_eq!(authorize(&client).await.url.path(), "/sign-in");
    let mut document = valid_document(&server);
    document["redirect_uris"] = json!(["http://127.0.0.1:1/moved"]);
    server.put(PATH, Document::json(&document));
    assert_eq!(authorize(&client).await.url.path(), "/sign-in");
    stack.advance(301);
    assert_eq!(authorize(&client).await.status, 400);
}

#[tokio::test]
async fn a_documented_client_is_told_of_its_mistakes_at_its_site() {
    let (_stack, server, client) = start().await;
    let site = "https://app.example/callback";
    let mut document = valid_document(&server);
    document["redirect_uris"] = json!([site]);
    server.put(PATH, Document::json(&document));
    let request = with(client.authorize_parameters(), "redirect_uri", site);
    let url = client.authorize_url(&with(request, "scope", "zzz"));
    let page = Browser::default().open(&url).await;
    assert!(page.url.as_str().starts_with(site), "{}", page.url);
}

#[tokio::test]
async fn a_client_that_calls_itself_another_name_is_asked_about_again() {
    let (stack, server, client) = start().await;
    let mut document = valid_document(&server);
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["jwks"] = json!({"keys": [key().public_jwk()]});
    server.put(PATH, Document::json(&document));
    let mut browser = Browser::default();
    client.obtain_code(&mut browser).await;
    let url = client.authorize_url(&client.authorize_parameters());
    let typed = [("sec-fetch-site", "none")];
    let page = browser.open_from(&url, &typed).await;
    assert!(page.query("code").is_some(), "the consent is not remembered");
    document["client_name"] = json!("GitHub");
    server.put(PATH, Document::json(&document));
    stack.advance(301);
    let page = browser.open_from(&url, &typed).await;
    assert_eq!(page.url.path(), "/consent", "{}", page.text());
    assert!(page.text().contains("GitHub"), "{}", page.text());
}

#[tokio::test]
async fn a_client_proves_itself_by_the_keys_at_its_jwks_uri() {
    let (stack, server, client) = start().await;
    let first = key();
    let second = key();
    let mut document = valid_document(&server);
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["jwks_uri"] = json!(server.at("/jwks"));
    server.put(PATH, Document::json(&document));
    server.put("/jwks", Document::json(&json!({"keys": [first.public_jwk()]})));
    assert_eq!(outcome(&at_token(&client).await), REFUSED);
    assert_eq!(outcome(&prove(&stack, &client, &first).await), KNOWN);
    // A storm of unknown keys causes one fetch in a minute.
    for _ in 0..5 {
        assert_eq!(outcome(&prove(&stack, &client, &second).await), REFUSED);
    }
    assert_eq!(server.hits("/jwks"), 1);
    server.put("/jwks", Document::json(&json!({"keys": [second.public_jwk()]})));
    stack.advance(61);
    assert_eq!(outcome(&prove(&stack, &client, &second).await), KNOWN);
    assert_eq!(outcome(&prove(&stack, &client, &first).await), REFUSED);
    assert_eq!(server.hits("/jwks"), 2);
    stack.advance(90_000);
    server.put("/jwks", Document::status(500));
    stack.advance(90_000);
    assert_eq!(outcome(&prove(&stack, &client, &second).await), OUTAGE);
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

async fn prove(stack: &Stack, client: &Client, key: &SigningKey) -> Answer {
    prove_to(stack, &stack.issuer, client, key).await
}

/// What `/token` says of an assertion that means `audience`.
async fn prove_to(stack: &Stack, audience: &str, client: &Client, key: &SigningKey) -> Answer {
    let now = stack.state.clock.now();
    let claims = json!({
        "iss": client.id,
        "sub": client.id,
        "aud": audience,
        "exp": now + 60,
        "jti": uuid::Uuid::new_v4().to_string(),
    });
    let assertion = key.sign(TokenType::IdToken, &claims).unwrap();
    let form = [
        ("grant_type", "authorization_code".to_owned()),
        ("code", "x".into()),
        ("code_verifier", VERIFIER.into()),
        ("client_assertion_type", ASSERTION_TYPE.into()),
        ("client_assertion", assertion),
    ];
    client.post("/token", &form).await
}

/// A client that goes to many servers signs for whichever address a server calls its token
/// endpoint; a bad one would call ours so.
#[tokio::test]
async fn an_assertion_for_an_endpoint_proves_no_client_that_others_know_too() {
    let (stack, server, client) = start().await;
    let key = key();
    let jwks = json!({"keys": [key.public_jwk()]});
    let mut document = valid_document(&server);
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["jwks"] = jwks.clone();
    server.put(PATH, Document::json(&document));
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks});
    let registered = Client::register_as(&stack, metadata).await;
    for client in [&client, &registered] {
        let answer = prove_to(&stack, &stack.at("/token"), client, &key).await;
        assert_eq!(outcome(&answer), REFUSED);
        assert_eq!(outcome(&prove(&stack, client, &key).await), KNOWN);
    }
}

#[tokio::test]
async fn an_origin_is_not_hammered_however_many_documents_are_asked_for() {
    let (stack, server, _) = start().await;
    let requests = (0..60).map(|number| {
        let id = server.at(&format!("/{number}.json"));
        let client = Client::known_as(&stack, &id, None);
        async move { at_token(&client).await }
    });
    let answers = futures::future::join_all(requests).await;
    let outages = answers.iter().filter(|answer| outcome(answer) == OUTAGE).count();
    assert!(outages >= 30, "{outages}");
    let hits: usize = (0..60).map(|number| server.hits(&format!("/{number}.json"))).sum();
    assert!(hits <= 30, "{hits}");
}

#[tokio::test]
async fn one_network_does_not_take_the_fetches_of_all() {
    let options = [&ON_LOOPBACK[..], &["--trusted-proxies", "1"]].concat();
    let stack = Stack::start_with(&options, &[]).await;
    let server = DocumentServer::start().await;
    server.put(PATH, Document::json(&valid_document(&server)));
    let ask = async |address: &str, id: &str| {
        let form = Client::known_as(&stack, id, None).code_form("unknown");
        let request = http().post(stack.at("/token")).form(&form);
        Answer::of(request.header("x-forwarded-for", address)).await
    };
    let busy = "203.0.113.9";
    let other = "198.51.100.1";
    let mut outages = 0;
    for _ in 0..3 {
        let strange = DocumentServer::start().await;
        for number in 0..30 {
            let answer = ask(busy, &strange.at(&format!("/{number}.json"))).await;
            outages += usize::from(outcome(&answer) == OUTAGE);
        }
    }
    assert!(outages > 0, "one network takes as many as it likes");
    assert_eq!(outcome(&ask(other, &server.at(PATH)).await), KNOWN);
    assert_eq!(outcome(&ask(busy, &server.at(PATH)).await), KNOWN);
}

#[tokio::test]
async fn an_origin_that_never_answers_does_not_hold_the_request() {
    let (_stack, server, client) = start().await;
    server.put(PATH, Document { hangs: true, ..Document::status(200) });
    assert_eq!(outcome(&at_token(&client).await), OUTAGE);
}

#[tokio::test]
async fn without_the_setting_for_development_this_machine_is_never_asked() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    let port = server.url.rsplit(':').next().unwrap();
    for id in [
        format!("http://localhost:{port}{PATH}"),
        format!("http://127.0.0.1:{port}{PATH}"),
        format!("https://localhost:{port}{PATH}"),
        format!("https://127.0.0.1:{port}{PATH}"),
        format!("https://[::1]:{port}{PATH}"),
        format!("https://[::ffff:7f00:1]:{port}{PATH}"),
        format!("https://2130706433:{port}{PATH}"),
        format!("https://u@localhost:{port}{PATH}"),
        format!("https://cimd.test:{port}/../c.json"),
        "ftp://localhost/c.json".into(),
    ] {
        let client = Client::known_as(&stack, &id, None);
        assert_eq!(outcome(&at_token(&client).await), REFUSED, "{id}");
        assert_eq!(authorize(&client).await.status, 400, "{id}");
    }
    assert_eq!(server.hits(PATH), 0);
}

#[tokio::test]
async fn a_program_of_many_people_signs_in_though_its_document_is_out_of_reach() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let id = "https://claude.ai/oauth/claude-code-client-metadata";
    let request = with(client.authorize_parameters(), "client_id", id);
    let request = with(request, "redirect_uri", "http://localhost:54321/callback");
    let page = Browser::default().open(&client.authorize_url(&request)).await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/sign-in"), "{}", page.text());
}
