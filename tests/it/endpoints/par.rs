//! `POST /par`

use keys::{Algorithm, DpopRequest, SigningKey};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, with},
    stack::Stack,
};

async fn setting() -> (Stack, Client) {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    (stack, client)
}

fn query(client: &Client, pushed: &Answer) -> Vec<(&'static str, String)> {
    assert_eq!(pushed.status, 201, "{}", pushed.json);
    let request_uri = pushed.text("request_uri").to_owned();
    vec![("client_id", client.id.clone()), ("request_uri", request_uri)]
}

#[tokio::test]
async fn a_pushed_request_leads_to_a_code() {
    let (_stack, client) = setting().await;
    let pushed = client.post("/par", &client.authorize_parameters()).await;
    assert_eq!(pushed.json["expires_in"], 600);
    assert_eq!(pushed.headers["cache-control"], "no-store");
    let mut browser = Browser::default();
    let url = client.authorize_url(&query(&client, &pushed));
    let page = client.reach_consent(&mut browser, &url).await;
    let page = browser.press(&page, "decision", "allow").await;
    assert_eq!(page.query("state").as_deref(), Some("the-state"));
    let form = client.code_form(&page.query("code").unwrap());
    assert_eq!(client.post("/token", &form).await.status, 200);
}

#[tokio::test]
async fn its_name_is_good_for_one_answer() {
    let (_stack, client) = setting().await;
    let pushed = client.post("/par", &client.authorize_parameters()).await;
    let url = client.authorize_url(&query(&client, &pushed));
    let mut browser = Browser::default();
    let first = client.reach_consent(&mut browser, &url).await;
    let second = client.reach_consent(&mut browser, &url).await;
    let answered = browser.press(&first, "decision", "allow").await;
    assert!(answered.query("code").is_some());
    let again = browser.press(&second, "decision", "allow").await;
    assert_eq!((again.status.as_u16(), again.query("code")), (400, None));
}

#[tokio::test]
async fn what_else_the_query_says_does_not_count() {
    let (_stack, client) = setting().await;
    let pushed = client.post("/par", &client.authorize_parameters()).await;
    let mut parameters = query(&client, &pushed);
    parameters.push(("state", "another".into()));
    parameters.push(("redirect_uri", "https://evil.test/callback".into()));
    let mut browser = Browser::default();
    let page = client.reach_consent(&mut browser, &client.authorize_url(&parameters)).await;
    let page = browser.press(&page, "decision", "allow").await;
    assert_eq!(page.url.host_str(), Some("127.0.0.1"));
    assert_eq!(page.query("state").as_deref(), Some("the-state"));
}

#[tokio::test]
async fn a_name_that_is_made_up_old_or_of_another_client_gets_a_page() {
    let (stack, client) = setting().await;
    let thief = Client::register_as(&stack, serde_json::json!({"client_name": "Thief"})).await;
    let pushed = client.post("/par", &client.authorize_parameters()).await;
    let good = query(&client, &pushed);
    let made_up = with(good.clone(), "request_uri", "urn:ietf:params:oauth:request_uri:x");
    let by_url = with(good.clone(), "request_uri", "http://169.254.169.254/");
    let of_thief = with(good.clone(), "client_id", &thief.id);
    for parameters in [made_up, by_url, of_thief] {
        let page = Browser::default().open(&client.authorize_url(&parameters)).await;
        assert_eq!(page.status, 400, "{}", page.url);
        assert_eq!(page.url.path(), "/authorize");
    }
    stack.advance(600);
    let page = Browser::default().open(&client.authorize_url(&good)).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn mistakes_are_told_at_once() {
    let (_stack, client) = setting().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("redirect_uri", "https://evil.test/callback", "invalid_request"),
        ("resource", "https://evil.test/mcp", "invalid_target"),
        ("scope", "admin", "invalid_scope"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request"),
        ("dpop_jkt", "short", "invalid_request"),
    ] {
        let form = with(client.authorize_parameters(), name, value);
        let answer = client.post("/par", &form).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, error), "{name}");
    }
    let form = with(client.authorize_parameters(), "client_id", "unknown");
    let answer = client.post("/par", &form).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
}

#[tokio::test]
async fn a_client_that_must_push_cannot_ask_in_the_open() {
    let stack = Stack::start().await;
    let options = [
        "--redirect-uri",
        tests::programs::client::REDIRECT_URI,
        "--auth-method",
        "client_secret_post",
        "--require-pushed-authorization-requests",
    ];
    let client = Client::pre_registered(&stack, &options).await;
    let page = Browser::default().open(&client.authorize_url(&client.authorize_parameters())).await;
    assert_eq!(page.query("error").as_deref(), Some("invalid_request"), "{}", page.url);
    let secret = client.secret.clone().unwrap();
    let form = with(client.authorize_parameters(), "client_secret", &secret);
    let pushed = client.post("/par", &form).await;
    let page = Browser::default().open(&client.authorize_url(&query(&client, &pushed))).await;
    assert_eq!(page.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_proof_that_comes_with_it_binds_the_code() {
    let (stack, client) = setting().await;
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let proof = |path: &str| {
        let url = stack.at(path);
        let now = stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        key.dpop_proof(&request).unwrap()
    };
    let form = client.authorize_parameters();
    let pushed = client.post_with_proof("/par", &form, &proof("/par")).await;
    let mut browser = Browser::default();
    let url = client.authorize_url(&query(&client, &pushed));
    let page = client.reach_consent(&mut browser, &url).await;
    let page = browser.press(&page, "decision", "allow").await;
    let form = client.code_form(&page.query("code").unwrap());
    assert_eq!(client.post("/token", &form).await.text("error"), "invalid_grant");
    let tokens = client.post_with_proof("/token", &form, &proof("/token")).await;
    assert_eq!(tokens.text("token_type"), "DPoP", "{}", tokens.json);
}

#[tokio::test]
async fn a_proof_by_another_key_than_the_named_one_is_refused() {
    let (stack, client) = setting().await;
    let [named, other] = [Algorithm::ES256; 2].map(|it| SigningKey::generate(it).unwrap());
    let form = with(client.authorize_parameters(), "dpop_jkt", named.thumbprint());
    let url = stack.at("/par");
    let now = stack.state.clock.now();
    let request = DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
    let push = async |key: &SigningKey| {
        client.post_with_proof("/par", &form, &key.dpop_proof(&request).unwrap()).await
    };
    let refused = push(&other).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (400, "invalid_request"));
    assert!(refused.text("error_description").contains("dpop_jkt"), "{}", refused.json);
    assert_eq!(push(&named).await.status, 201);
}
