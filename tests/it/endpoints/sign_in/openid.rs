//! `POST /sign-in/{provider}` and its callback, with an OpenID provider next to GitHub.

use std::{fs, path::Path};

use keys::Algorithm;
use serde_json::json;
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Client, with},
    servers::openid_provider::{ACCESS_TOKEN_PREFIX, Fault, person},
    stack::{Stack, access_token},
};

use super::{subject, with_provider};

async fn sign_in(stack: &Stack, browser: &mut Browser) -> Page {
    let page = browser.open(&stack.at("/sign-in")).await;
    browser.send_form(&page, "/sign-in/example").await
}

#[tokio::test]
async fn each_provider_has_a_button_and_signs_people_in() {
    let (stack, provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    assert!(page.text().contains("GitHub") && page.text().contains("Example ID"));
    let page = sign_in(&stack, &mut browser).await;
    assert_eq!(page.url.path(), "/", "{}", page.text());
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
    assert_eq!(provider.last_query("code_challenge_method").as_deref(), Some("S256"));
}

#[tokio::test]
async fn a_provider_that_compresses_its_answers_is_understood() {
    let (stack, provider, _folder) = with_provider().await;
    provider.misbehave(Fault::Compression);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
}

#[tokio::test]
async fn odd_members_of_the_metadata_that_can_be_done_without_end_no_sign_in() {
    let (stack, provider, _folder) = with_provider().await;
    provider.misbehave(Fault::OddMembers);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
}

#[tokio::test]
async fn an_answer_is_believed_only_after_every_check() {
    let (stack, provider, _folder) = with_provider().await;
    let untrusted = [
        Fault::Claim("iss", json!("https://other.example")),
        Fault::Claim("aud", json!("another client")),
        Fault::Claim("azp", json!("another client")),
        Fault::Claim("exp", json!(1_700_000_000)),
        Fault::Claim("iat", json!(4_000_000_000_i64)),
        Fault::Claim("nonce", json!("of another sign-in")),
        Fault::Claim("at_hash", json!("of another token")),
        Fault::Claim("sub", json!("")),
        Fault::Claim("sub", json!(7)),
        Fault::Claim("sub", json!("x".repeat(300))),
        Fault::Claim("name", json!(7)),
        Fault::Signature,
        Fault::Type,
        Fault::Issuer(None),
        Fault::Issuer(Some("https://other.example".into())),
    ];
    let refused = [
        Fault::TokenAnswer(400, r#"{"error":"invalid_grant"}"#),
        Fault::TokenAnswer(401, r#"{"error":"invalid_client"}"#),
        Fault::TokenAnswer(400, r#"{"error":"unauthorized_client"}"#),
        Fault::TokenAnswer(200, r#"{"error":"invalid_client"}"#),
        Fault::TokenAnswer(401, "who are you?"),
        Fault::TokenAnswer(404, "nothing here"),
    ];
    let unusable = [
        Fault::TokenAnswer(200, r#"{"access_token":"a"}"#),
        Fault::TokenAnswer(200, r#"{"access_token":"a","id_token":7}"#),
        Fault::TokenAnswer(200, r#"["a","b"]"#),
        Fault::TokenAnswer(200, "7"),
        Fault::Claim("name", json!("x".repeat(4000))),
    ];
    let unreachable = [
        Fault::TokenAnswer(500, ""),
        Fault::TokenAnswer(503, r#"{"error":"temporarily_unavailable"}"#),
        Fault::TokenAnswer(403, "slow down"),
        Fault::TokenAnswer(429, "slow down"),
        Fault::TokenAnswer(200, "<html>"),
        Fault::TooMuch,
    ];
    let cases = untrusted.into_iter().map(|fault| (fault, 403, "upstream_untrusted"));
    let cases = cases.chain(refused.into_iter().map(|fault| (fault, 502, "upstream_refused")));
    let cases = cases.chain(unusable.into_iter().map(|fault| (fault, 502, "upstream_unusable")));
    let cases =
        cases.chain(unreachable.into_iter().map(|fault| (fault, 503, "upstream_unreachable")));
    for (fault, status, reason) in cases {
        provider.misbehave(fault.clone());
        let mut browser = Browser::default();
        let page = sign_in(&stack, &mut browser).await;
        assert_eq!(page.status, status, "{fault:?}: {}", page.text());
        assert!(page.text().contains(reason), "{fault:?}: {}", page.text());
        let home = browser.open(&stack.at("/")).await;
        assert!(!home.text().contains("Nick Lucas"), "{fault:?} signed a user in");
    }
}

#[tokio::test]
async fn metadata_is_not_looked_for_where_a_redirect_leads() {
    let (stack, provider, _folder) = with_provider().await;
    provider.misbehave(Fault::MovedMetadata);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("upstream_refused"), "{}", page.text());
    provider.misbehave(Fault::None);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_used() {
    let (stack, provider, _folder) = with_provider().await;
    provider.misbehave(Fault::Metadata);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("upstream_untrusted"), "{}", page.text());
}

#[tokio::test]
async fn what_the_id_token_leaves_out_is_asked_of_userinfo_about_the_same_person() {
    let (stack, provider, _folder) = with_provider().await;
    provider.seat(json!({"sub": "7", "name": "Ada", "email_verified": true,
        "hidden_email": "ada@example.com"}));
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("ada@example.com"), "{}", page.text());
    provider.misbehave(Fault::UserInfo);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("upstream_untrusted"), "{}", page.text());
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_fetched_once() {
    let (stack, provider, _folder) = with_provider().await;
    sign_in(&stack, &mut Browser::default()).await;
    sign_in(&stack, &mut Browser::default()).await;
    assert_eq!(provider.key_fetches(), 1);
    provider.rotate_key();
    stack.advance(11);
    let page = sign_in(&stack, &mut Browser::default()).await;
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
    assert_eq!(provider.key_fetches(), 2);
}

#[tokio::test]
async fn a_state_is_good_for_one_answer_at_its_own_provider() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let at_github = browser.send_form(&page, "/sign-in/github").await;
    let state = at_github.query("state").unwrap();
    let other = stack.at(&format!("/sign-in/example/callback?code=1&state={state}"));
    let page = browser.open(&other).await;
    assert!(page.text().contains("sign_in_other_provider"), "{}", page.text());
    let own = stack.at(&format!("/sign-in/github/callback?code=1&state={state}"));
    let page = browser.open(&own).await;
    assert!(page.text().contains("upstream_refused"), "{}", page.text());
    let page = browser.open(&own).await;
    assert!(page.text().contains("sign_in_answered"), "{}", page.text());
}

#[tokio::test]
async fn a_person_is_known_by_their_subject_and_never_by_name_or_address() {
    let (stack, provider, _folder) = with_provider().await;
    let client = Client::register(&stack).await;
    let first = subject(&client, &mut Browser::default()).await;
    provider.seat(person("7", "renamed@example.com"));
    assert_eq!(subject(&client, &mut Browser::default()).await, first);
    provider.seat(person("8", "nick-lucas@example.com"));
    assert_ne!(subject(&client, &mut Browser::default()).await, first);
    // The same verified address at GitHub is another user, until the user links the two.
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert_ne!(access_token::claims(tokens.text("access_token"))["sub"], first);
}

#[tokio::test]
async fn what_a_client_wants_of_the_sign_in_is_passed_on() {
    let (stack, provider, _folder) = with_provider().await;
    let client = Client::register(&stack).await;
    let request = with(client.authorize_parameters(), "prompt", "login");
    let request = with(request, "login_hint", "nick@example.com");
    let mut browser = Browser::default();
    let page = browser.open(&client.authorize_url(&request)).await;
    browser.send_form(&page, "/sign-in/example").await;
    assert_eq!(provider.last_query("prompt").as_deref(), Some("login"));
    assert_eq!(provider.last_query("login_hint").as_deref(), Some("nick@example.com"));
}

#[tokio::test]
async fn an_upstream_token_is_nowhere_afterwards() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = sign_in(&stack, &mut browser).await;
    assert!(!page.html.contains(ACCESS_TOKEN_PREFIX));
    for header in page.headers.values() {
        assert!(!header.to_str().unwrap().contains(ACCESS_TOKEN_PREFIX));
    }
    let stored = files(stack.directory());
    assert!(contains(&stored, "Nick Lucas"), "the database was not read");
    assert!(!contains(&stored, ACCESS_TOKEN_PREFIX));
}

#[tokio::test]
async fn a_cookie_of_before_the_sign_in_is_void_after_it() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    sign_in(&stack, &mut browser).await;
    let mut fixed = browser.clone();
    sign_in(&stack, &mut browser).await;
    assert!(browser.open(&stack.at("/")).await.text().contains("Nick Lucas"));
    assert!(!fixed.open(&stack.at("/")).await.text().contains("Nick Lucas"));
}

/// Everything that lies in a folder.
fn files(folder: &Path) -> Vec<u8> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).flat_map(|path| fs::read(path).unwrap()).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn the_access_token_is_recognised_by_the_hash_of_each_algorithm() {
    let (stack, provider, _folder) = with_provider().await;
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        provider.sign_by(algorithm);
        // The provider's keys are asked for again, at most so often.
        stack.advance(3600);
        let page = sign_in(&stack, &mut Browser::default()).await;
        assert!(page.text().contains("Nick Lucas"), "{algorithm}: {}", page.text());
    }
}
