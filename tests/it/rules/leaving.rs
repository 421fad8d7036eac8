//! People who leave: what operators end is refused everywhere, and the audit tells of it.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::{
        client::{Answer, Client},
        mcp_client::{Wire, call},
        operator,
    },
    servers::trusted_issuer::TrustedIssuer,
    stack::{Engine, Stack, access_token::claims, config_file},
};

/// The promise.
const LIMIT: Duration = Duration::from_secs(2);

/// Carries out a command and reads its JSON.
async fn asked(stack: &Stack, arguments: &[&str]) -> Value {
    let answer = operator::carry_out(stack, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&answer.unwrap()).unwrap()
}

async fn status(stack: &Stack, token: &str) -> u16 {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status.as_u16()
}

/// Calls until the token is refused; fails the test if that takes longer than promised.
async fn is_refused_in_time(stack: &Stack, token: &str) {
    let refused = async { while status(stack, token).await != 401 {} };
    tokio::time::timeout(LIMIT, refused).await.unwrap();
}

/// Nick Lucas, signed in in a browser, and the tokens of a client that is in use.
async fn at_work(stack: &Stack) -> (Browser, Client, Answer) {
    let client = Client::register(stack).await;
    let mut browser = Browser::default();
    let tokens = client.obtain_tokens(&mut browser).await;
    assert_eq!(status(stack, tokens.text("access_token")).await, 200);
    (browser, client, tokens)
}

async fn sign_in(stack: &Stack, browser: &mut Browser) -> Page {
    let page = browser.open(&stack.at("/sign-in?continue=/account")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await
}

/// Neither the browser nor the tokens are of use any more.
async fn has_left(stack: &Stack, browser: &mut Browser, client: &Client, tokens: &Answer) {
    is_refused_in_time(stack, tokens.text("access_token")).await;
    assert_eq!(client.user_info(tokens.text("access_token")).await.status, 401);
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant", "{}", refreshed.json);
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_disabled_person_has_left_until_they_are_enabled_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let (mut browser, client, tokens) = at_work(&stack).await;
        let done = asked(&stack, &["users", "disable", "Nick-Lucas", "--by", "Grace"]).await;
        assert_eq!((&done["ended_sessions"], &done["ended_grants"]), (&json!(1), &json!(1)));
        has_left(&stack, &mut browser, &client, &tokens).await;
        let page = sign_in(&stack, &mut browser).await;
        assert!(page.text().contains("person_disabled"), "{engine:?}: {}", page.text());
        let disabled = asked(&stack, &["users", "list", "--disabled"]).await;
        assert_eq!(disabled[0]["sub"], done["sub"]);

        asked(&stack, &["users", "enable", "nick-lucas@example.com"]).await;
        let page = sign_in(&stack, &mut browser).await;
        assert!(page.text().contains("An operator disabled your account"), "{}", page.text());
        assert_eq!(asked(&stack, &["users", "list", "--disabled"]).await, json!([]));
        let audit = asked(&stack, &["audit", "--by-others"]).await;
        let told: Vec<_> = audit.as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
        assert_eq!(told, ["account_enabled", "account_disabled"]);
        assert_eq!(audit[1]["actor"], "operator Grace");
        // The old tokens stay refused.
        assert_eq!(status(&stack, tokens.text("access_token")).await, 401);
    }
}

#[tokio::test]
async fn a_person_who_is_signed_out_by_an_operator_may_come_back() {
    let stack = Stack::start().await;
    let (mut browser, client, tokens) = at_work(&stack).await;
    asked(&stack, &["users", "sign-out", "nick-lucas"]).await;
    has_left(&stack, &mut browser, &client, &tokens).await;
    let page = sign_in(&stack, &mut browser).await;
    assert!(page.text().contains("An operator signed you out everywhere"), "{}", page.text());
}

#[tokio::test]
async fn a_deleted_person_has_left_and_comes_back_as_another() {
    let stack = Stack::start().await;
    let (mut browser, client, tokens) = at_work(&stack).await;
    let before = asked(&stack, &["users", "show", "nick-lucas"]).await;
    let sub = before["sub"].as_str().unwrap();
    asked(&stack, &["users", "delete", "nick-lucas"]).await;
    has_left(&stack, &mut browser, &client, &tokens).await;
    let audit = asked(&stack, &["audit", "--user", sub]).await;
    assert_eq!(audit.as_array().unwrap().len(), 1, "{audit}");
    assert_eq!(audit[0]["kind"], "account_deleted");
    let page = sign_in(&stack, &mut browser).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_ne!(asked(&stack, &["users", "show", "nick-lucas"]).await["sub"], before["sub"]);
}

#[tokio::test]
async fn one_grant_is_listed_and_revoked_and_the_others_go_on() {
    let stack = Stack::start().await;
    let (mut browser, client, tokens) = at_work(&stack).await;
    let other = Client::register(&stack).await.obtain_tokens(&mut browser).await;
    let grants = asked(&stack, &["grants", "list", "--client", &client.id]).await;
    assert_eq!(grants.as_array().unwrap().len(), 1, "{grants}");
    assert_eq!(grants[0]["scope"], tokens.json["scope"]);
    let id = grants[0]["id"].as_str().unwrap();
    operator::carry_out(&stack, &["grants", "revoke", id]).await.unwrap();
    is_refused_in_time(&stack, tokens.text("access_token")).await;
    assert_eq!(status(&stack, other.text("access_token")).await, 200);
    let left = asked(&stack, &["grants", "list", "--user", "nick-lucas"]).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    let again = operator::carry_out(&stack, &["grants", "revoke", id]).await.unwrap_err();
    assert!(again.contains("auth grants list"), "{again}");
    let page = browser.open(&stack.at("/account")).await;
    assert!(page.text().contains("An operator removed the access of an app"), "{}", page.text());
}

#[tokio::test]
async fn a_person_is_shown_with_what_is_known_of_them_and_without_a_secret() {
    let stack = Stack::start().await;
    let (browser, _, tokens) = at_work(&stack).await;
    let shown = operator::carry_out(&stack, &["users", "show", "nick-lucas"]).await.unwrap();
    let json: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(json["facts"]["github"]["verified_emails"], json!(["nick-lucas@example.com"]));
    assert_eq!(json["identities"][0]["provider"], "github");
    assert_eq!(json["grants"][0]["client_name"], "Test client");
    assert_eq!(json["sessions"].as_array().unwrap().len(), 1);
    assert!(!shown.contains(tokens.text("refresh_token")) && !shown.contains("hash"), "{shown}");
    let cookies = browser.cookies_for(&stack.issuer);
    assert!(!cookies.is_empty() && !shown.contains(cookies.rsplit('=').next().unwrap()));
    let list = operator::carry_out(&stack, &["users", "list"]).await.unwrap();
    assert!(list.starts_with("SUB") && list.contains("nick-lucas@example.com"), "{list}");
}

#[tokio::test]
async fn an_operator_who_names_no_known_person_is_told_where_to_look() {
    let stack = Stack::start().await;
    let (_, _, _) = at_work(&stack).await;
    let absent = "00000000-0000-7000-8000-000000000000";
    for person in ["ada-park", absent, ""] {
        for command in ["show", "disable", "enable", "delete", "sign-out"] {
            let refused = operator::carry_out(&stack, &["users", command, person]).await;
            assert!(refused.unwrap_err().contains("auth users list"), "{command} {person}");
        }
    }
    let neither = operator::carry_out(&stack, &["grants", "list"]).await.unwrap_err();
    assert!(neither.contains("--user"), "{neither}");
}

#[tokio::test]
async fn the_audit_is_narrowed_by_person_kind_and_time() {
    let stack = Stack::start().await;
    at_work(&stack).await;
    stack.advance(3 * 86_400);
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "ada-park").await;
    let number = async |filter: &[&str]| {
        let events = asked(&stack, &[&["audit"], filter].concat()).await;
        events.as_array().unwrap().len()
    };
    assert_eq!(number(&[]).await, 3);
    assert_eq!(number(&["--user", "nick-lucas"]).await, 2);
    assert_eq!(number(&["--kind", "signed_in"]).await, 2);
    assert_eq!(number(&["--days", "1"]).await, 1);
    assert_eq!(number(&["--limit", "1"]).await, 1);
    assert_eq!(number(&["--by-others"]).await, 0);
    let table = operator::carry_out(&stack, &["audit"]).await.unwrap();
    assert!(table.lines().nth(1).unwrap().contains("signed_in"), "{table}");
    let unknown = operator::carry_out(&stack, &["audit", "--kind", "x"]).await.unwrap_err();
    assert!(unknown.contains("account_disabled"), "{unknown}");
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A stack that lets in the engineers of an issuer, and a client that presents its assertions.
async fn believing(engine: Engine, issuer: &TrustedIssuer) -> (Stack, Client) {
    let directory = tempfile::tempdir().unwrap();
    let mut entry = issuer.entry();
    entry["people"] = json!({"provider": "corp", "create_accounts": true});
    let engineers = json!({"claims": [{"upstream": "corp", "claim": "groups", "any_of": ["eng"]}]});
    let document = json!({"trusted_issuers": [entry],
        "access": {"allow": ["engineers"], "groups": {"engineers": engineers}}});
    let options = config_file::write(&directory.path().join("portcullis.toml"), &document);
    let stack = Stack::on_with(engine, &options.each_ref().map(String::as_str)).await;
    let grants = ["--grant-type", JWT_BEARER, "--grant-type", EXCHANGE];
    let client = Client::pre_registered(&stack, &grants).await;
    (stack, client)
}

#[tokio::test]
async fn a_token_without_a_grant_ends_with_its_person_too_on_either_engine() {
    for engine in Engine::ALL {
        let issuer = TrustedIssuer::default();
        let (stack, client) = believing(engine, &issuer).await;
        let asserted = async |sub: &str, group: &str| {
            let claims = json!({"sub": sub, "groups": [group]});
            let assertion = issuer.identity(&stack, &client.id, &claims);
            let form = [("grant_type", JWT_BEARER.into()), ("assertion", assertion)];
            client.post_authenticated("/token", &form).await
        };
        for leaving in ["disable", "delete", "policy"] {
            let answer = asserted(leaving, "eng").await;
            let token = answer.text("access_token");
            let form = [
                ("grant_type", EXCHANGE.into()),
                ("subject_token", token.to_owned()),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token".into()),
            ];
            let exchanged = client.post_authenticated("/token", &form).await;
            let tokens = [token, exchanged.text("access_token")];
            for token in tokens {
                assert_eq!(status(&stack, token).await, 200, "{leaving}");
            }
            let sub = claims(token)["sub"].as_str().unwrap().to_owned();
            if leaving == "policy" {
                let refused = asserted(leaving, "sales").await;
                assert_eq!(refused.text("error"), "invalid_grant", "{}", refused.json);
            } else {
                asked(&stack, &["users", leaving, &sub]).await;
            }
            for token in tokens {
                is_refused_in_time(&stack, token).await;
            }
            // Who may come back gets tokens that are good.
            stack.advance(6);
            if leaving == "disable" {
                asked(&stack, &["users", "enable", &sub]).await;
            }
            let again = asserted(leaving, "eng").await;
            assert_eq!(status(&stack, again.text("access_token")).await, 200, "{leaving}");
            assert_eq!(status(&stack, tokens[0]).await, 401, "{leaving}");
        }
    }
}
