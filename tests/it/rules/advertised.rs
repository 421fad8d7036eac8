//! What the metadata lists works, and what it does not list is refused.

mod algorithms;
mod grants;

use serde_json::Value;
use tests::{
    programs::client::{Answer, Client, REDIRECT_URI, http, with},
    stack::Stack,
};

/// The values that the metadata lists under this name.
async fn listed(stack: &Stack, name: &str) -> Vec<String> {
    let request = http().get(stack.at("/.well-known/oauth-authorization-server"));
    let answer = Answer::of(request).await;
    let values = answer.json[name].as_array().unwrap().clone();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn is_listed(values: &[String], value: &str) -> bool {
    values.iter().any(|one| one == value)
}

/// What `/authorize` says to one changed parameter: where it sends the browser.
async fn authorize(client: &Client, name: &'static str, value: &str) -> String {
    let request = with(client.authorize_parameters(), name, value);
    let answer = http().get(client.authorize_url(&request)).send().await.unwrap();
    let location = answer.headers().get("location").map(|value| value.to_str().unwrap());
    location.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn each_way_of_asking_for_authorization_is_taken_if_and_only_if_it_is_listed() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    for (name, parameter, candidates) in [
        (
            "response_types_supported",
            "response_type",
            vec!["code", "token", "id_token", "code id_token", "code token", "none"],
        ),
        (
            "response_modes_supported",
            "response_mode",
            vec!["query", "fragment", "form_post", "query.jwt", "web_message"],
        ),
        (
            "code_challenge_methods_supported",
            "code_challenge_method",
            vec!["S256", "plain", "S512"],
        ),
        ("prompt_values_supported", "prompt", vec!["none", "login", "consent", "select_account"]),
    ] {
        let values = listed(&stack, name).await;
        assert!(values.iter().all(|value| candidates.contains(&value.as_str())), "{values:?}");
        for candidate in candidates {
            let location = authorize(&client, parameter, candidate).await;
            let is_refused = location.contains("error=invalid_request")
                || location.contains("error=unsupported_response_type");
            assert!(!location.is_empty(), "{parameter}={candidate}");
            assert_eq!(!is_refused, is_listed(&values, candidate), "{parameter}={candidate}");
        }
    }
}

#[tokio::test]
async fn each_listed_scope_can_be_granted() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let scopes = listed(&stack, "scopes_supported").await;
    let mut browser = tests::people::browser::Browser::default();
    let request = with(client.authorize_parameters(), "scope", &scopes.join(" "));
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    let form = client.code_form(&page.query("code").unwrap());
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.text("scope"), scopes.join(" "));

    let unlisted = authorize(&client, "scope", "mcp:unlisted").await;
    assert!(unlisted.starts_with(REDIRECT_URI) && unlisted.contains("error=invalid_scope"));
}

#[tokio::test]
async fn each_listed_claim_is_told_by_the_id_token_or_userinfo() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let mut browser = tests::people::browser::Browser::default();
    let request = with(client.authorize_parameters(), "scope", "openid profile email");
    let url = client.authorize_url(&with(request, "nonce", "the-nonce"));
    let page = client.reach_consent(&mut browser, &url).await;
    let page = browser.press(&page, "decision", "allow").await;
    let tokens = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    let id_token = tests::stack::access_token::claims(tokens.text("id_token"));
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    let userinfo = Answer::of(request).await.json;
    for claim in listed(&stack, "claims_supported").await {
        let told = |claims: &Value| claims.get(&claim).is_some();
        assert!(told(&id_token) || told(&userinfo), "{claim} in {id_token} or {userinfo}");
    }
}

#[tokio::test]
async fn each_listed_endpoint_is_there_and_takes_no_other_method() {
    let stack = Stack::start().await;
    let request = http().get(stack.at("/.well-known/oauth-authorization-server"));
    let metadata = Answer::of(request).await.json;
    for (name, url) in metadata.as_object().unwrap() {
        let Some(url) = url.as_str().filter(|_| name.ends_with("_endpoint")) else { continue };
        let status = http().delete(url).send().await.unwrap().status().as_u16();
        assert_eq!(status, 405, "DELETE {name}");
    }
    for name in [
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "pushed_authorization_request_endpoint",
        "device_authorization_endpoint",
        "registration_endpoint",
    ] {
        let status = http().get(metadata[name].as_str().unwrap()).send().await.unwrap().status();
        assert_eq!(status.as_u16(), 405, "GET {name}");
    }
}
