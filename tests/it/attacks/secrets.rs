//! What is secret is nowhere at rest: in no table, and in no story.

use keys::{Algorithm, DpopRequest, SigningKey};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, VERIFIER, http, with},
    stack::{Stack, stories},
};

use crate::{
    endpoints::{
        device::{poll, waiting_device},
        device_authorization::DEVICE_CODE,
    },
    storage::retention::schema,
};

/// Secrets, each with what it is.
type Secrets = Vec<(&'static str, String)>;

/// A confidential client registers, signs a user in, and uses every value that it receives.
async fn of_a_confidential_client(stack: &Stack, secrets: &mut Secrets) {
    let method = json!({"token_endpoint_auth_method": "client_secret_post"});
    let client = Client::register_as(stack, method).await;
    let secret = client.secret.clone().unwrap();
    let mut browser = Browser::default();
    let pushed = with(client.authorize_parameters(), "client_secret", &secret);
    let pushed = client.post("/par", &pushed).await;
    let code = client.obtain_code(&mut browser).await;
    let form = with(client.code_form(&code), "client_secret", &secret);
    let tokens = client.post("/token", &form).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    let refresh = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.id.clone()),
        ("client_secret", secret.clone()),
        ("refresh_token", tokens.text("refresh_token").into()),
    ];
    let refreshed = client.post("/token", &refresh).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.json);
    let cookies = browser.cookies_for(&stack.issuer);
    let cookies = cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
    secrets.extend(cookies.map(|(_, value)| ("cookie", value.to_owned())));
    secrets.extend([
        ("client secret", secret),
        ("pushed request", pushed.text("request_uri").to_owned()),
        ("code", code),
    ]);
    for answer in [&tokens, &refreshed] {
        secrets.push(("access token", answer.text("access_token").to_owned()));
        secrets.push(("refresh token", answer.text("refresh_token").to_owned()));
    }
}

/// A device is connected.
async fn of_a_device(stack: &Stack, secrets: &mut Secrets) {
    let (client, codes) = waiting_device(stack).await;
    poll(&client, &codes).await;
    secrets.push(("device code", codes.text("device_code").to_owned()));
    secrets.push(("registration", registration_token(stack).await));
}

async fn registration_token(stack: &Stack) -> String {
    let request = json!({
        "redirect_uris": ["http://127.0.0.1/"],
        "grant_types": ["authorization_code", DEVICE_CODE],
    });
    let answer = Answer::of(http().post(stack.at("/register")).json(&request)).await;
    let uri = answer.text("registration_client_uri");
    let token = answer.text("registration_access_token");
    let read = Answer::of(http().get(uri).bearer_auth(token)).await;
    assert_eq!(read.status, 200, "{}", read.json);
    let mut update = request;
    update["client_id"] = answer.json["client_id"].clone();
    let changed = Answer::of(http().put(uri).bearer_auth(token).json(&update)).await;
    assert_eq!(changed.status, 200, "{}", changed.json);
    token.to_owned()
}

/// A code is redeemed for a token that is bound to a key.
async fn of_a_key(stack: &Stack, secrets: &mut Secrets) {
    let client = Client::register(stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let url = stack.at("/token");
    let now = stack.state.clock.now();
    let request = DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
    let proof = key.dpop_proof(&request).unwrap();
    let tokens = client.post_with_proof("/token", &client.code_form(&code), &proof).await;
    assert_eq!(tokens.text("token_type"), "DPoP", "{}", tokens.json);
    secrets.extend([
        ("code of a key", code),
        ("proof", proof),
        ("access token of a key", tokens.text("access_token").to_owned()),
        ("refresh token of a key", tokens.text("refresh_token").to_owned()),
    ]);
}

/// Where the database contains `text`.
async fn places_of(stack: &Stack, text: &str) -> Vec<String> {
    let mut places = Vec::new();
    for (table, columns) in schema(&stack.state.db).await {
        for column in columns {
            let sql = format!(
                "SELECT 1 AS found FROM {table} WHERE instr(CAST({column} AS TEXT), ?) > 0"
            );
            let query =
                Statement::from_sql_and_values(DbBackend::Sqlite, sql, [text.to_owned().into()]);
            if stack.state.db.connection().query_one_raw(query).await.unwrap().is_some() {
                places.push(format!("{table}.{column}"));
            }
        }
    }
    places
}

#[tokio::test]
async fn no_table_and_no_story_holds_a_secret() {
    stories::keep();
    let stack = Stack::start().await;
    let mut secrets = vec![("code verifier", VERIFIER.to_owned())];
    of_a_confidential_client(&stack, &mut secrets).await;
    of_a_device(&stack, &mut secrets).await;
    of_a_key(&stack, &mut secrets).await;
    assert!(secrets.len() > 12, "{}", secrets.len());
    // What is there is found: the name of the person.
    assert!(places_of(&stack, "Nick Lucas").await.contains(&"users.name".to_owned()));
    let story = stories::text().await;
    assert!(story.contains("client found"), "no story was kept");
    for (what, secret) in &secrets {
        assert!(secret.len() > 20, "the {what} is missing");
        let places = places_of(&stack, secret).await;
        assert!(places.is_empty(), "the {what} is in {places:?}");
        assert!(!story.contains(secret), "the {what} is in the stories");
    }
}
