//! `GET`, `PUT` and `DELETE /register/{client_id}`

use auth::storage::registrations;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, http},
    stack::Stack,
};

/// A registration as it was answered.
async fn register(stack: &Stack) -> Value {
    let request = json!({
        "client_name": "First name",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    Answer::of(http().post(stack.at("/register")).json(&request)).await.json
}

fn call(method: Method, registration: &Value) -> RequestBuilder {
    http()
        .request(method, registration["registration_client_uri"].as_str().unwrap())
        .bearer_auth(registration["registration_access_token"].as_str().unwrap())
}

/// The whole registration with one member changed, as RFC 7592 §2.2 wants it.
fn update(registration: &Value, name: &str, value: Value) -> RequestBuilder {
    let mut request = json!({
        "client_id": registration["client_id"],
        "client_name": registration["client_name"],
        "redirect_uris": registration["redirect_uris"],
        "grant_types": registration["grant_types"],
        "token_endpoint_auth_method": "none",
    });
    request[name] = value;
    call(Method::PUT, registration).json(&request)
}

#[tokio::test]
async fn a_registration_is_read_as_it_was_answered() {
    let stack = Stack::start().await;
    let registration = register(&stack).await;
    let answer = Answer::of(call(Method::GET, &registration)).await;
    assert_eq!((answer.status.as_u16(), &answer.json), (200, &registration));
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn an_update_is_in_force_under_the_same_client_id() {
    let stack = Stack::start().await;
    let registration = register(&stack).await;
    let uris = json!(["http://127.0.0.1:1/moved"]);
    let answer = Answer::of(update(&registration, "redirect_uris", uris.clone())).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.json["client_id"], registration["client_id"]);
    assert_eq!(answer.json["redirect_uris"], uris);
    let read = Answer::of(call(Method::GET, &registration)).await;
    assert_eq!(read.json, answer.json);

    let id = registration["client_id"].as_str().unwrap();
    let client = Client::known_as(&stack, id, None);
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(Browser::default().open(&url).await.status, 400);
    let moved = tests::programs::client::with(
        client.authorize_parameters(),
        "redirect_uri",
        "http://127.0.0.1:1/moved",
    );
    let page = Browser::default().open(&client.authorize_url(&moved)).await;
    assert_eq!(page.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_deleted_client_is_unknown_and_stays_so() {
    let stack = Stack::start().await;
    let registration = register(&stack).await;
    let id = registration["client_id"].as_str().unwrap();
    let client = Client::known_as(&stack, id, None);
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let deleted = Answer::of(call(Method::DELETE, &registration)).await;
    assert_eq!(deleted.status, 204);
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!((refreshed.status.as_u16(), refreshed.text("error")), (401, "invalid_client"));
    let user = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    assert_eq!(Answer::of(user).await.status, 401);
    for request in [
        call(Method::GET, &registration),
        call(Method::DELETE, &registration),
        update(&registration, "client_name", json!("Risen")),
    ] {
        assert_eq!(Answer::of(request).await.status, 401);
    }
    let page = Browser::default().open(&client.authorize_url(&client.authorize_parameters())).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn only_the_token_of_the_registration_opens_it() {
    let stack = Stack::start().await;
    let registration = register(&stack).await;
    let other = register(&stack).await;
    let uri = registration["registration_client_uri"].as_str().unwrap();
    let client = Client::known_as(&stack, other["client_id"].as_str().unwrap(), None);
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let foreign = other["registration_access_token"].as_str().unwrap();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let bare = Answer::of(http().request(method.clone(), uri)).await;
        assert_eq!(bare.status, 401);
        assert!(bare.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        for token in [foreign, tokens.text("access_token"), "", "pcm_x"] {
            let request = http().request(method.clone(), uri).bearer_auth(token);
            assert_eq!(Answer::of(request).await.status, 401, "{method} {token}");
        }
    }
    let unknown = http().get(stack.at("/register/unknown")).bearer_auth(foreign);
    assert_eq!(Answer::of(unknown).await.status, 401);
    assert_eq!(Answer::of(call(Method::GET, &registration)).await.json, registration);
}

#[tokio::test]
async fn an_update_is_judged_as_a_registration_is() {
    let stack = Stack::start().await;
    let registration = register(&stack).await;
    for (name, value, error) in [
        ("client_id", json!("other"), "invalid_client_metadata"),
        ("client_id", Value::Null, "invalid_client_metadata"),
        ("client_secret", json!("pck_x"), "invalid_client_metadata"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "invalid_redirect_uri"),
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
    ] {
        let answer = Answer::of(update(&registration, name, value.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, error), "{name} {value}");
    }
    assert_eq!(Answer::of(call(Method::GET, &registration)).await.json, registration);
}

#[tokio::test]
async fn unused_clients_of_one_network_change_so_many_registrations_a_day() {
    let stack = Stack::start().await;
    let one = register(&stack).await;
    for number in 0..50 {
        let name = json!(format!("Name {number}"));
        assert_eq!(Answer::of(update(&one, "client_name", name)).await.status, 200, "{number}");
    }
    let refused = Answer::of(call(Method::DELETE, &register(&stack).await)).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (429, "slow_down"));
    assert!(refused.headers.contains_key("retry-after"));

    // A client in use may continue.
    let used = Client::known_as(&stack, one["client_id"].as_str().unwrap(), None);
    used.obtain_code(&mut Browser::default()).await;
    let db = stack.state.db.connection();
    assert_eq!(registrations::unused(db).await.unwrap(), 0);
    let answer = Answer::of(update(&one, "client_name", json!("The last"))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}
