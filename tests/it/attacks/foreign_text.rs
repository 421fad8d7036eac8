//! Text that other servers send about people has one effect on either engine: PostgreSQL stores no
//! U+0000, so such text is cleaned, left out or refused before it reaches a database.

use auth::storage::users;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::client::Client,
    servers::trusted_issuer::TrustedIssuer,
    stack::{Engine, Stack},
};

use crate::endpoints::sign_in::with_provider_on;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

async fn people(stack: &Stack) -> Vec<users::Model> {
    users::Entity::find().all(stack.state.db.connection()).await.unwrap()
}

async fn sign_in_at_provider(stack: &Stack) -> Page {
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    browser.send_form(&page, "/sign-in/example").await
}

#[tokio::test]
async fn what_a_provider_says_of_a_person_is_cleaned_or_left_out_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, provider, _folder) = with_provider_on(engine).await;
        provider.seat(json!({"sub": "7", "name": "Ni\0ck\u{9b} Lu\ncas",
            "preferred_username": "nick\0", "picture": "https://a.test/\0",
            "email": "nick\0@example.com", "email_verified": true}));
        for _ in 0..2 {
            let page = sign_in_at_provider(&stack).await;
            assert_eq!(page.status, 200, "{engine:?}: {}", page.text());
        }
        let people = people(&stack).await;
        assert_eq!(people.len(), 1, "{engine:?}");
        assert_eq!(people[0].name.as_deref(), Some("Nick Lucas"), "{engine:?}");
        let left_out = (&people[0].preferred_username, &people[0].picture, &people[0].email);
        assert_eq!(left_out, (&None, &None, &None), "{engine:?}");
        assert!(!people[0].email_verified, "{engine:?}");
    }
}

#[tokio::test]
async fn a_subject_that_one_engine_could_not_keep_signs_nobody_in_on_either() {
    for engine in Engine::ALL {
        let (stack, provider, _folder) = with_provider_on(engine).await;
        // The last is longer than an index entry of PostgreSQL.
        for subject in ["7\0", "\0", "a\u{1}b", &"x".repeat(5000)] {
            provider.seat(json!({"sub": subject, "name": "Nick", "email_verified": false}));
            let page = sign_in_at_provider(&stack).await;
            assert_eq!(page.status, 403, "{engine:?} {subject:?}: {}", page.text());
            assert!(page.text().contains("upstream_untrusted"), "{engine:?}: {}", page.text());
        }
        assert_eq!(people(&stack).await, [], "{engine:?}");
    }
}

#[tokio::test]
async fn a_name_from_github_is_cleaned_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let page = browser.open(&stack.at("/sign-in")).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let action = page.url.join("?").unwrap();
        let query = page.url.query().unwrap();
        let mut fields = pairs(query);
        fields.push(("user".into(), "other".into()));
        fields.push(("typed".into(), "Eve\0 Adams".into()));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
        let page = browser.post(action.as_str().trim_end_matches('?'), &fields).await;
        assert_eq!(page.status, 200, "{engine:?}: {}", page.text());
        assert_eq!(people(&stack).await[0].name.as_deref(), Some("Eve Adams"), "{engine:?}");
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn what_an_assertion_says_of_a_person_is_cleaned_or_refused_on_either_engine() {
    for engine in Engine::ALL {
        let issuer = TrustedIssuer::default();
        let people_here = json!({"people": {"create_accounts": true}});
        let stack = issuer.trusted_on(engine, &people_here).await;
        let client = Client::pre_registered(&stack, &["--grant-type", JWT_BEARER]).await;
        let post = async |change: Value| {
            let assertion = issuer.identity(&stack, &client.id, &change);
            let form = [("grant_type", JWT_BEARER.to_owned()), ("assertion", assertion)];
            client.post_authenticated("/token", &form).await
        };
        for change in [json!({"sub": "a\0b"}), json!({"jti": "a\0b"}), json!({"sub": "\u{7}"})] {
            let answer = post(change.clone()).await;
            assert_eq!(answer.text("error"), "invalid_grant", "{engine:?} {change}");
        }
        let answer = post(json!({"name": "Ni\0ck", "preferred_username": "\0", "picture": "\0",
            "email": "a\0@b.test", "email_verified": true}))
        .await;
        assert_eq!(answer.status, 200, "{engine:?}: {}", answer.json);
        let people = people(&stack).await;
        assert_eq!(people[0].name.as_deref(), Some("Nick"), "{engine:?}");
        assert_eq!((&people[0].email, &people[0].preferred_username), (&None, &None));
    }
}
