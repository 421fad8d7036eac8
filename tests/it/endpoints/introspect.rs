//! `POST /introspect`

use keys::PublishedKeys;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, http},
        operator,
    },
    stack::Stack,
};

async fn confidential(stack: &Stack) -> Client {
    Client::register_as(stack, json!({"token_endpoint_auth_method": "client_secret_post"})).await
}

async fn introspect(stack: &Stack, client: &Client, token: &str) -> Answer {
    let form = [
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_deref().unwrap_or_default()),
        ("token", token),
    ];
    Answer::of(http().post(stack.at("/introspect")).form(&form)).await
}

async fn tokens(stack: &Stack, client: &Client) -> Answer {
    let code = client.obtain_code(&mut Browser::default()).await;
    let mut form = client.code_form(&code);
    form.push(("client_secret", client.secret.clone().unwrap()));
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.status, 200, "{} at {}", answer.json, stack.issuer);
    answer
}

#[tokio::test]
async fn the_client_that_holds_a_token_learns_what_it_is() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let tokens = tokens(&stack, &client).await;
    let answer = introspect(&stack, &client, tokens.text("access_token")).await;
    assert_eq!(answer.json["active"], true);
    assert_eq!(answer.text("aud"), stack.resource);
    assert_eq!(answer.text("scope"), "mcp:tools profile email");
    let answer = introspect(&stack, &client, tokens.text("refresh_token")).await;
    assert_eq!(
        (answer.json["active"].as_bool(), answer.text("token_type")),
        (Some(true), "refresh_token")
    );
}

#[tokio::test]
async fn any_other_client_learns_only_that_the_token_is_not_active() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let tokens = tokens(&stack, &client).await;
    let other = Client::register_as(
        &stack,
        json!({"client_name": "Other", "token_endpoint_auth_method": "client_secret_post"}),
    )
    .await;
    for token in [tokens.text("access_token"), tokens.text("refresh_token"), "x", "a.b.c"] {
        let answer = introspect(&stack, &other, token).await;
        assert_eq!(answer.json, json!({"active": false}));
    }
}

#[tokio::test]
async fn a_public_client_may_not_ask() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let answer = client
        .post("/introspect", &[("client_id", client.id.clone()), ("token", "x".into())])
        .await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
}

#[tokio::test]
async fn who_asks_for_a_signed_answer_gets_one_for_itself() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let tokens = tokens(&stack, &client).await;
    let signed = async |token: &str| {
        let request = http().post(stack.at("/introspect"));
        let form = [
            ("client_id", client.id.as_str()),
            ("client_secret", client.secret.as_deref().unwrap()),
            ("token", token),
        ];
        let request = request.header("accept", "application/token-introspection+jwt").form(&form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/token-introspection+jwt");
        let jwt = answer.text().await.unwrap();
        let jwks = http().get(stack.at("/jwks")).send().await.unwrap().bytes().await.unwrap();
        let is_type = |typ: Option<&str>| typ == Some("token-introspection+jwt");
        PublishedKeys::from_json(&jwks).unwrap().verify::<Value>(&jwt, is_type).unwrap()
    };
    let claims = signed(tokens.text("access_token")).await;
    assert_eq!(claims["iss"], json!(stack.issuer));
    assert_eq!(claims["aud"], json!(client.id));
    let plain = introspect(&stack, &client, tokens.text("access_token")).await;
    assert_eq!(claims["token_introspection"], plain.json);
    // A signed answer is none that a resource could take for a token.
    assert_eq!(claims.get("sub").or(claims.get("exp")), None);
    assert_eq!(signed("x").await["token_introspection"], json!({"active": false}));
}

#[tokio::test]
async fn the_resource_server_of_a_token_may_ask_and_that_of_another_may_not() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let form = [("token", tokens.text("access_token").to_owned())];
    let own = Client::pre_registered(&stack, &["--resource", &stack.audience]).await;
    let answer = own.post_authenticated("/introspect", &form).await;
    assert_eq!(answer.json["active"], true);
    assert_eq!(answer.text("client_id"), client.id);
    let other = Client::pre_registered(&stack, &["--resource", "https://other.test/mcp"]).await;
    let answer = other.post_authenticated("/introspect", &form).await;
    assert_eq!(answer.json, json!({"active": false}));
}

/// The first request caches the signature's verdict, which must not outlive the token.
#[tokio::test]
async fn a_known_token_is_inactive_once_it_is_revoked_expired_or_its_key_withdrawn() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let obtain = async || {
        let token = tokens(&stack, &client).await.text("access_token").to_owned();
        assert_eq!(introspect(&stack, &client, &token).await.json["active"], true);
        token
    };
    let is_refused = async |token: &str| {
        let userinfo = http().get(stack.at("/userinfo")).bearer_auth(token).send().await.unwrap();
        introspect(&stack, &client, token).await.json == json!({"active": false})
            && userinfo.status() == 401
    };

    let revoked = obtain().await;
    let form = [
        ("client_id", client.id.clone()),
        ("client_secret", client.secret.clone().unwrap()),
        ("token", revoked.clone()),
    ];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    assert!(is_refused(&revoked).await);

    let withdrawn = obtain().await;
    operator::carry_out(&stack, &["keys", "rotate", "--emergency"]).await.unwrap();
    stack.state.keys.keep(&stack.state.db, stack.state.clock.now()).await.unwrap();
    assert!(is_refused(&withdrawn).await);

    let expired = obtain().await;
    stack.advance(899);
    assert!(!is_refused(&expired).await);
    stack.advance(1);
    assert!(is_refused(&expired).await);
}

#[tokio::test]
async fn a_token_of_a_clients_own_is_known_until_it_or_its_client_is_gone() {
    let stack = Stack::start().await;
    let options = ["--id", "robot", "--grant-type", "client_credentials"];
    let client = Client::pre_registered(&stack, &options).await;
    let own = async || {
        let form = [("grant_type", "client_credentials".to_owned())];
        let tokens = client.post_authenticated("/token", &form).await;
        [("token", tokens.text("access_token").to_owned())]
    };
    let server = Client::pre_registered(&stack, &["--resource", &stack.audience]).await;
    let active = async |form: &[(&'static str, String)]| {
        server.post_authenticated("/introspect", form).await.json["active"].clone()
    };
    let first = own().await;
    let second = own().await;
    assert_eq!(active(&first).await, true);
    assert_eq!(client.post_authenticated("/revoke", &first).await.status, 200);
    assert_eq!(active(&first).await, false);
    assert_eq!(active(&second).await, true);
    operator::carry_out(&stack, &["clients", "remove", "robot"]).await.unwrap();
    assert_eq!(active(&second).await, false);
}
