//! Anonymous registrations cost the database nothing, however many there are.

use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, http},
    stack::Stack,
};

/// How many clients register; `make registrations` says 100,000.
#[expect(clippy::disallowed_methods, reason = "only `make registrations` sets it")]
fn number() -> usize {
    let text = std::env::var_os("PORTCULLIS_REGISTRATIONS");
    text.map_or(1000, |text| text.to_str().and_then(|text| text.parse().ok()).unwrap())
}

#[tokio::test]
async fn a_flood_of_registrations_leaves_the_database_as_it_was_and_one_of_them_signs_in() {
    let stack = Stack::start_with(&["--trusted-proxies", "1"], &[]).await;
    let request = json!({
        "client_name": "One of very many",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    let http = http();
    let before = stack.database_size();
    let mut last = String::new();
    for round in 0..number().div_ceil(50) {
        // So many come from many places; from each no more than a large office would send.
        let address = format!("10.{}.{}.1", round / 256, round % 256);
        let register = || http.post(stack.at("/register")).json(&request);
        let batch =
            (0..50).map(|_| Answer::of(register().header("x-forwarded-for", address.as_str())));
        for answer in futures::future::join_all(batch).await {
            assert_eq!(answer.status, 201, "{}", answer.json);
            last = answer.text("client_id").to_owned();
        }
    }
    assert_eq!(stack.database_size(), before);
    let client = Client::known_as(&stack, &last, None);
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert!(tokens.json["refresh_token"].is_string());
}
