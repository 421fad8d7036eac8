//! Values that count once: of any number of callers who bring one at the same moment, one is served,
//! on either engine. For authorization codes see `torture.rs` and `engines.rs`.

use std::fs;

use auth::{oauth::client_assertion::ASSERTION_TYPE, storage::single_use};
use futures::future::join_all;
use keys::{Algorithm, DpopRequest, SigningKey, TokenType};
use serde_json::json;
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, REDIRECT_URI, VERIFIER},
    servers::trusted_issuer::TrustedIssuer,
    stack::{Engine, Stack, config_file},
};

use crate::endpoints::device_authorization::{DEVICE_CODE, register, valid_request};

const CALLERS: usize = 12;

type Form = Vec<(&'static str, String)>;

/// Sends one form so many times at once.
async fn at_once(client: &Client, form: &Form) -> Vec<Answer> {
    join_all((0..CALLERS).map(|_| client.post_authenticated("/token", form))).await
}

fn assert_one_wins(engine: Engine, answers: &[Answer], refusal: (u16, &str)) {
    let is_refused =
        |answer: &&Answer| (answer.status.as_u16(), answer.text("error")) == (refusal.0, refusal.1);
    let refused = answers.iter().filter(is_refused).count();
    let outcomes: Vec<_> = answers.iter().map(|answer| (answer.status, &answer.json)).collect();
    assert_eq!(refused, CALLERS - 1, "{engine:?}: {outcomes:?}");
}

/// Presses a button in copies of one browser, each on its page, at the same moment.
async fn press_at_once(browser: &Browser, pages: &[Page], button: (&str, &str)) -> Vec<Page> {
    let presses = pages.iter().map(|page| {
        let mut copy = browser.clone();
        async move { copy.press(page, button.0, button.1).await }
    });
    join_all(presses).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_remember_a_value_one_is_the_first_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let db = stack.state.db.connection();
        let until = stack.state.clock.now() + 60;
        for round in 0..20 {
            let value = round.to_string();
            let all =
                join_all((0..64).map(|_| single_use::remember(db, "test", &value, until))).await;
            let first = all.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count();
            assert_eq!(first, 1, "{engine:?}, round {round}");
            assert!(single_use::remember(db, "other", &value, until).await.unwrap(), "{engine:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_assertion_counts_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let file = stack.directory().join("keys.json");
        fs::write(&file, json!({"keys": [key.public_jwk()]}).to_string()).unwrap();
        let file = file.display().to_string();
        let options = ["--auth-method", "private_key_jwt", "--jwks-file", &file];
        let options = [&options[..], &["--redirect-uri", REDIRECT_URI]].concat();
        let client = Client::pre_registered(&stack, &options).await;
        let now = stack.state.clock.now();
        let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "iat": now,
            "exp": now + 60, "jti": "the-only-one"});
        let assertion = key.sign(TokenType::IdToken, &claims).unwrap();
        // An authenticated client is told that the code is invalid.
        let form = vec![
            ("grant_type", "authorization_code".into()),
            ("code", "x".into()),
            ("code_verifier", VERIFIER.into()),
            ("client_assertion_type", ASSERTION_TYPE.into()),
            ("client_assertion", assertion),
        ];
        let answers = at_once(&client, &form).await;
        assert_one_wins(engine, &answers, (401, "invalid_client"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_proof_of_possession_counts_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let url = stack.at("/token");
        let now = stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        let proof = key.dpop_proof(&request).unwrap();
        // Within its grace, the refresh token alone would be taken from everybody.
        let form: Form = vec![
            ("grant_type", "refresh_token".into()),
            ("client_id", client.id.clone()),
            ("refresh_token", tokens.text("refresh_token").into()),
        ];
        let calls = (0..CALLERS).map(|_| client.post_with_proof("/token", &form, &proof));
        assert_one_wins(engine, &join_all(calls).await, (400, "invalid_dpop_proof"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_identity_assertion_counts_once_on_either_engine() {
    const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let issuer = TrustedIssuer::default();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let options = config_file::write(&file, &json!({"trusted_issuers": [issuer.entry()]}));
    let options = options.each_ref().map(String::as_str);
    for engine in Engine::ALL {
        let stack = Stack::on_with(engine, &options).await;
        issuer.enter_person(&stack).await;
        let client = Client::pre_registered(&stack, &["--grant-type", GRANT]).await;
        let assertion = issuer.identity(&stack, &client.id, &json!({}));
        let form = vec![("grant_type", GRANT.into()), ("assertion", assertion)];
        let answers = at_once(&client, &form).await;
        assert_one_wins(engine, &answers, (400, "invalid_grant"));
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_device_code_is_redeemed_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let client = register(&stack).await;
        let codes = client.post("/device_authorization", &valid_request(&client, &stack)).await;
        let page = browser.open(codes.text("verification_uri")).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let page = browser.press(&page, "user", "nick-lucas").await;
        let csrf = page.hidden("csrf");
        let code = codes.text("user_code");
        let typed = [("csrf", csrf.as_str()), ("user_code", code)];
        let page = browser.post(page.url.as_str(), &typed).await;
        browser.press_after(&page, ("decision", "allow"), &[("started", "yes", true)]).await;
        let form = vec![
            ("grant_type", DEVICE_CODE.into()),
            ("client_id", client.id.clone()),
            ("device_code", codes.text("device_code").into()),
        ];
        let answers = at_once(&client, &form).await;
        assert_one_wins(engine, &answers, (400, "invalid_grant"));
        let won = answers.iter().find(|answer| answer.status == 200).unwrap();
        assert_eq!(client.refresh(won.text("refresh_token")).await.status, 200, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_consent_page_is_answered_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let client = Client::register(&stack).await;
        let url = client.authorize_url(&client.authorize_parameters());
        let page = client.reach_consent(&mut browser, &url).await;
        let pages = vec![page; CALLERS];
        let answered = press_at_once(&browser, &pages, ("decision", "allow")).await;
        let codes = answered.iter().filter(|page| page.query("code").is_some()).count();
        assert_eq!(codes, 1, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_name_of_a_pushed_request_is_answered_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let client = Client::register(&stack).await;
        let pushed = client.post("/par", &client.authorize_parameters()).await;
        let name = pushed.text("request_uri").to_owned();
        let query = [("client_id", client.id.clone()), ("request_uri", name)];
        let mut pages = Vec::new();
        for _ in 0..CALLERS {
            pages.push(client.reach_consent(&mut browser, &client.authorize_url(&query)).await);
        }
        let answered = press_at_once(&browser, &pages, ("decision", "allow")).await;
        let codes = answered.iter().filter(|page| page.query("code").is_some()).count();
        assert_eq!(codes, 1, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_state_of_a_sign_in_is_answered_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let page = browser.open(&stack.at("/sign-in")).await;
        // Each press gives a fresh code of the upstream, all with one state.
        let page = browser.send_form(&page, "/sign-in/github").await;
        let pages = vec![page; CALLERS];
        let answered = press_at_once(&browser, &pages, ("user", "nick-lucas")).await;
        let signed_in = answered.iter().filter(|page| page.url.path() == "/").count();
        assert_eq!(signed_in, 1, "{engine:?}");
        let refused = answered.iter().filter(|page| page.text().contains("sign_in_answered"));
        assert_eq!(refused.count(), CALLERS - 1, "{engine:?}");
    }
}
