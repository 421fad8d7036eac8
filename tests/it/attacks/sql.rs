//! SQL in text fields is text, on either engine.

use auth::storage::users;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI, http, with},
        operator,
    },
    stack::{Engine, Stack},
};

/// What a careless query would run, match with everything, or take for a place of its own.
const TEXTS: [&str; 8] = [
    "' OR 1=1--",
    "\"; DROP TABLE users;--",
    "'; DELETE FROM grants;--",
    "\\'",
    "%",
    "_",
    "$1",
    "?",
];

type Form = Vec<(&'static str, String)>;

/// Each form that a program sends, each with the name of a field that takes any text.
fn forms(client: &Client, refresh_token: &str) -> Vec<(&'static str, Form, &'static str)> {
    let code = client.code_form("pcc_unknown");
    let own = ("client_id", client.id.clone());
    let token = vec![("token", "x".to_owned()), own.clone()];
    let grant = ("grant_type", "refresh_token".to_owned());
    let refresh = vec![grant, ("refresh_token", refresh_token.to_owned()), own.clone()];
    let device = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code".to_owned());
    let device = vec![device, ("device_code", "x".to_owned()), own];
    let of_code = ["grant_type", "client_id", "code", "code_verifier", "redirect_uri", "resource"];
    let mut forms: Vec<_> =
        of_code.into_iter().map(|name| ("/token", code.clone(), name)).collect();
    forms.extend([
        ("/token", refresh.clone(), "refresh_token"),
        ("/token", refresh, "scope"),
        ("/token", device, "device_code"),
        ("/revoke", token.clone(), "token"),
        ("/introspect", token.clone(), "token"),
        ("/introspect", token, "client_id"),
        ("/par", client.authorize_parameters(), "client_id"),
        ("/device_authorization", client.authorize_parameters(), "client_id"),
    ]);
    forms
}

#[tokio::test]
async fn sql_in_a_text_field_is_text_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let mut browser = Browser::default();
        let tokens = client.obtain_tokens(&mut browser).await;
        let refresh_token = tokens.text("refresh_token");
        for text in TEXTS {
            for (path, form, name) in forms(&client, refresh_token) {
                let answer = client.post(path, &with(form, name, text)).await;
                let told = answer.status.is_client_error() || path == "/revoke";
                assert!(told, "{engine:?} {path} {name}={text}: {}", answer.json);
            }
            for name in ["client_id", "redirect_uri", "scope", "resource", "request_uri"] {
                let request = with(client.authorize_parameters(), name, text);
                let page = Browser::default().open(&client.authorize_url(&request)).await;
                let is_refused = page.status == 400 || page.query("error").is_some();
                assert!(is_refused, "{engine:?} {name}={text}: {}", page.url);
            }
            let metadata = json!({"client_name": text, "redirect_uris": [REDIRECT_URI]});
            let named = Answer::of(http().post(stack.at("/register")).json(&metadata)).await;
            assert_eq!(named.text("client_name"), text, "{engine:?}: {}", named.json);
            let page = browser.post(&stack.at("/device"), &[("user_code", text)]).await;
            assert!(page.status.as_u16() < 500, "{engine:?} {text}: {}", page.text());
            let cookie = format!("portcullis-session={text}; portcullis-browser={text}");
            let home = http().get(stack.at("/account")).header("cookie", cookie);
            let home = home.header("user-agent", text).header("x-forwarded-for", text);
            assert!(!home.send().await.unwrap().status().is_server_error(), "{engine:?} {text}");
            let bearer = http().get(stack.at("/userinfo"));
            let bearer = bearer.header("authorization", format!("Bearer {text}"));
            assert!(Answer::of(bearer).await.status.is_client_error(), "{engine:?} {text}");
            for command in ["disable", "sign-out"] {
                let done = operator::carry_out(&stack, &["users", command, text]).await;
                assert!(done.is_err(), "{engine:?} {command} {text}: {done:?}");
            }
        }
        let people = users::Entity::find().count(stack.state.db.connection()).await.unwrap();
        assert_eq!(people, 1, "{engine:?}");
        let refreshed = client.refresh(refresh_token).await;
        assert_eq!(refreshed.status, 200, "{engine:?}: {}", refreshed.json);
    }
}
