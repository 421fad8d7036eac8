//! Upstreams are asked about people, at sign-ins and again while they are away; what they say decides.

use std::{fs, path::Path, time::Duration};

use auth::{state::AppState, storage::identities, upkeep};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::{
        client::{Answer, Client},
        mcp_client::{Session, Wire, call},
        operator,
    },
    servers::openid_provider::{Fault as ProviderFault, OpenIdProvider, person},
    stack::{
        Engine, Stack, config_file,
        github::{Fault, Membership, Restriction},
    },
};

/// The promise, and with it the interval of the settings.
const LIMIT: Duration = Duration::from_secs(2);
/// How long a busy machine may take for what is promised without a time.
const PATIENCE: Duration = Duration::from_secs(20);
/// How Nick Lucas is known at the stand-in.
const NICK: &str = "583231";

/// A stack where the members of acme, and whom `change` of `[access]` says, may come in.
async fn start(engine: Engine, change: Value) -> Stack {
    let mut access = json!({"allow": ["staff"], "recheck": 60,
        "groups": {"staff": {"github_organisations": ["Acme"]}}});
    for (name, value) in change.as_object().unwrap() {
        access[name] = value.clone();
    }
    started(engine, &json!({ "access": access })).await
}

async fn started(engine: Engine, document: &Value) -> Stack {
    let folder = tempfile::tempdir().unwrap();
    let options = config_file::write(&folder.path().join("portcullis.toml"), document);
    Stack::on_with(engine, &options.each_ref().map(String::as_str)).await
}

async fn sign_in(stack: &Stack, browser: &mut Browser, login: &str) -> Page {
    let page = browser.open(&stack.at("/sign-in?continue=/account")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", login).await
}

async fn status(stack: &Stack, token: &str) -> u16 {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status.as_u16()
}

async fn is_refused_in_time(stack: &Stack, tokens: &Answer) {
    let token = tokens.text("access_token");
    let refused = async { while status(stack, token).await != 401 {} };
    tokio::time::timeout(LIMIT, refused).await.unwrap();
}

/// Waits until the policy has ended what a person had.
async fn until_ended(stack: &Stack) {
    let none = json!([]);
    let ended = async { while asked(stack, &["audit", "--kind", "access_ended"]).await == none {} };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
}

/// The tokens of a client that Nick Lucas uses.
async fn at_work(stack: &Stack) -> Answer {
    let tokens = Client::register(stack).await.obtain_tokens(&mut Browser::default()).await;
    assert_eq!(status(stack, tokens.text("access_token")).await, 200);
    tokens
}

/// Moves the clock by an interval, until the upstream has been asked about Nick.
async fn until_asked_again(stack: &Stack) {
    stack.advance(60);
    let next = stack.state.clock.now() + 60;
    let asked = async { while nick(stack).await.recheck_at != Some(next) {} };
    tokio::time::timeout(PATIENCE, asked).await.unwrap();
}

/// Waits until nothing is kept any more to ask GitHub with. That comes after the tokens have ended.
async fn until_credential_is_dropped(stack: &Stack) {
    let dropped = async { while nick(stack).await.credential.is_some() {} };
    tokio::time::timeout(PATIENCE, dropped).await.unwrap();
}

async fn nick(stack: &Stack) -> identities::Model {
    let db = stack.state.db.connection();
    identities::find(db, "github", NICK).await.unwrap().unwrap()
}

async fn asked(stack: &Stack, arguments: &[&str]) -> Value {
    let answer = operator::carry_out(stack, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&answer.unwrap()).unwrap()
}

/// The rule by which what a person had was ended last.
async fn ending_rule(stack: &Stack) -> String {
    let audit = asked(stack, &["audit", "--kind", "access_ended"]).await;
    assert_eq!(audit[0]["actor"], "access policy", "{audit}");
    audit[0]["rule"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_an_active_member_whom_the_organisation_shows_comes_in() {
    let stack = start(Engine::Sqlite, json!({})).await;
    let hidden = [Restriction::SingleSignOn, Restriction::AppNotApproved];
    for membership in [Membership::None, Membership::Pending, Membership::Active] {
        stack.stand_in.set_membership("nick-lucas", "acme", membership);
        let page = sign_in(&stack, &mut Browser::default(), "nick-lucas").await;
        let expected = if membership == Membership::Active { 200 } else { 403 };
        assert_eq!(page.status, expected, "{membership:?}: {}", page.text());
    }
    for restriction in hidden {
        stack.stand_in.restrict("acme", Some(restriction));
        let page = sign_in(&stack, &mut Browser::default(), "nick-lucas").await;
        assert_eq!(page.status, 403, "{restriction:?}: {}", page.text());
        assert!(page.text().contains("person_not_allowed"), "{}", page.text());
    }
}

#[tokio::test]
async fn a_team_is_asked_about_like_an_organisation() {
    let groups = json!({"groups": {"staff": {"github_teams": ["acme/platform"]}}});
    let stack = start(Engine::Sqlite, groups).await;
    for membership in [Membership::Active, Membership::Pending, Membership::None] {
        stack.stand_in.set_membership("nick-lucas", "acme/platform", membership);
        let page = sign_in(&stack, &mut Browser::default(), "nick-lucas").await;
        let expected = if membership == Membership::Active { 200 } else { 403 };
        assert_eq!(page.status, expected, "{membership:?}: {}", page.text());
    }
}

#[tokio::test]
async fn a_github_that_cannot_say_who_is_a_member_lets_no_person_in() {
    let stack = start(Engine::Sqlite, json!({})).await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    stack.stand_in.misbehave(Fault::RateLimit);
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(page.text().contains("upstream_unreachable"), "{}", page.text());
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn github_is_asked_for_memberships_and_its_token_kept_only_where_a_rule_needs_it() {
    let everyone = json!({"access": {"anyone": true}});
    for (document, is_needed) in [
        (
            json!({"access": {"allow": ["staff"],
            "groups": {"staff": {"github_organisations": ["acme"]}}}}),
            true,
        ),
        (
            json!({"access": {"allow": ["staff"], "recheck": 0,
            "groups": {"staff": {"github_users": ["nick-lucas"]}}}}),
            false,
        ),
        (everyone, false),
    ] {
        let stack = started(Engine::Sqlite, &document).await;
        let mut browser = Browser::default();
        let page = browser.open(&stack.at("/sign-in")).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let scope = page.query("scope").unwrap();
        assert_eq!(scope.contains("read:org"), is_needed, "{document}: {scope}");
        let page = browser.press(&page, "user", "nick-lucas").await;
        assert_eq!(page.status, 200, "{}", page.text());
        let kept = nick(&stack).await;
        assert_eq!((kept.credential.is_some(), kept.recheck_at.is_some()), (is_needed, is_needed));
        assert!(kept.credential.is_none_or(|sealed| !sealed.contains("gho_")));
    }
}

#[tokio::test]
async fn a_leaver_is_refused_within_the_interval_and_two_seconds_on_either_engine() {
    for engine in Engine::ALL {
        let stack = start(engine, json!({})).await;
        let tokens = at_work(&stack).await;
        let mut browser = Browser::default();
        sign_in(&stack, &mut browser, "nick-lucas").await;
        until_asked_again(&stack).await;
        assert_eq!(status(&stack, tokens.text("access_token")).await, 200, "{engine:?}");
        let token = tokens.text("access_token");
        let session = Session::open(&stack.resource, token).await.unwrap();
        let mut stream = session.request(Method::GET, token).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        stack.stand_in.set_membership("nick-lucas", "acme", Membership::None);
        stack.advance(60);
        until_ended(&stack).await;
        is_refused_in_time(&stack, &tokens).await;
        // Without the guard's watch, this would wait for the client's own time-out and fail.
        while stream.chunk().await.unwrap().is_some() {}
        assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
        assert!(ending_rule(&stack).await.contains("allow"));

        stack.stand_in.set_membership("nick-lucas", "acme", Membership::Active);
        let page = sign_in(&stack, &mut browser, "nick-lucas").await;
        let told = "You were not allowed to use this server any more";
        assert!(page.text().contains(told), "{engine:?}: {}", page.text());
    }
}

#[tokio::test]
async fn a_leaver_who_signs_in_again_is_refused_at_once() {
    let stack = start(Engine::Sqlite, json!({})).await;
    let tokens = at_work(&stack).await;
    stack.stand_in.set_membership("nick-lucas", "acme", Membership::None);
    let page = sign_in(&stack, &mut Browser::default(), "nick-lucas").await;
    assert_eq!(page.status, 403, "{}", page.text());
    is_refused_in_time(&stack, &tokens).await;
    let audit = asked(&stack, &["audit", "--kind", "kept_out"]).await;
    assert_eq!((&audit[0]["subject"], &audit[0]["actor"]), (&json!("GitHub"), &json!("")));
    assert!(audit[0]["rule"].as_str().unwrap().contains("allow"), "{audit}");
}

#[tokio::test]
async fn a_person_for_whom_github_no_longer_answers_is_not_a_member() {
    for is_suspended in [true, false] {
        let stack = start(Engine::Sqlite, json!({})).await;
        let tokens = at_work(&stack).await;
        if is_suspended {
            stack.stand_in.suspend("nick-lucas", true);
        } else {
            stack.stand_in.forget_tokens("nick-lucas");
        }
        stack.advance(60);
        until_ended(&stack).await;
        is_refused_in_time(&stack, &tokens).await;
        until_credential_is_dropped(&stack).await;
    }
}

#[tokio::test]
async fn an_outage_locks_out_no_person() {
    let stack = start(Engine::Sqlite, json!({})).await;
    let tokens = at_work(&stack).await;
    for fault in [Fault::Outage, Fault::RateLimit] {
        stack.stand_in.misbehave(fault);
        for _ in 0..3 {
            until_asked_again(&stack).await;
            assert_eq!(status(&stack, tokens.text("access_token")).await, 200, "{fault:?}");
        }
    }
    assert_eq!(asked(&stack, &["audit", "--by-others"]).await, json!([]));
}

#[tokio::test]
async fn an_outage_of_two_intervals_locks_people_out_if_the_settings_say_so() {
    let stack = start(Engine::Sqlite, json!({"fail": "closed"})).await;
    let tokens = at_work(&stack).await;
    stack.stand_in.misbehave(Fault::Outage);
    until_asked_again(&stack).await;
    assert_eq!(status(&stack, tokens.text("access_token")).await, 200);
    stack.advance(60);
    until_ended(&stack).await;
    is_refused_in_time(&stack, &tokens).await;

    stack.stand_in.misbehave(Fault::None);
    until_asked_again(&stack).await;
    // The next credential is kept before the facts, which may take a moment longer.
    let known = async || asked(&stack, &["users", "show", "nick-lucas"]).await;
    let recovered =
        async { while known().await["facts"]["github"]["organisations"] != json!(["acme"]) {} };
    tokio::time::timeout(PATIENCE, recovered).await.unwrap();
}

#[tokio::test]
async fn a_claim_is_a_text_or_a_list_or_does_not_count() {
    let provider = OpenIdProvider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let claims = json!([{"upstream": "example", "claim": "groups", "any_of": ["evil", "7"]}]);
    let document = json!({
        "upstreams": [provider.entry("example", &folder.path().join("secret"))],
        "access": {"anyone": true, "deny": ["bad"], "groups": {"bad": {"claims": claims}}},
    });
    let stack = started(Engine::Sqlite, &document).await;
    let many: Vec<String> = (0..10_000).map(|number| format!("a{number}")).collect();
    let many_and_evil = [many, vec!["evil".into()]].concat();
    // Whether the ID token has the claim, or userinfo alone.
    let token = ProviderFault::None;
    let info = ProviderFault::Claim("groups", Value::Null);
    for (groups, place, expected) in [
        (json!("evil"), &token, 403),
        (json!(["fine", "evil"]), &token, 403),
        (json!(7), &token, 403),
        (json!([true, 7]), &info, 403),
        (json!("evil"), &info, 403),
        (json!(many_and_evil), &info, 403),
        // No ID token is so long. What cannot be read lets no person in.
        (json!(many_and_evil), &token, 403),
        (json!("fine"), &token, 200),
        (json!([]), &token, 200),
        (json!({"evil": true}), &token, 200),
        (json!([["evil"]]), &info, 200),
        (Value::Null, &token, 200),
    ] {
        let mut person = person("7", "nick@example.com");
        person["groups"] = groups.clone();
        provider.seat(person);
        provider.misbehave(place.clone());
        let mut browser = Browser::default();
        let page = browser.open(&stack.at("/sign-in")).await;
        let page = browser.send_form(&page, "/sign-in/example").await;
        assert_eq!(page.status, expected, "{:.60} {place:?}: {}", groups.to_string(), page.text());
    }
}

#[tokio::test]
async fn groups_of_an_openid_provider_are_asked_again_with_its_refresh_token() {
    for is_ended in [false, true] {
        let provider = OpenIdProvider::start().await;
        let folder = tempfile::tempdir().unwrap();
        let claims = json!([{"upstream": "example", "claim": "groups", "any_of": ["eng"]}]);
        let document = json!({
            "upstreams": [provider.entry("example", &folder.path().join("secret"))],
            "access": {"allow": ["staff"], "recheck": 60, "groups": {"staff": {"claims": claims}}},
        });
        let stack = started(Engine::Sqlite, &document).await;
        let with_groups = |groups: Value| {
            let mut person = person("7", "nick@example.com");
            person["groups"] = groups;
            person
        };
        provider.seat(with_groups(json!(["all", "eng"])));
        let client = Client::register(&stack).await;
        let mut browser = Browser::default();
        let page = browser.open(&client.authorize_url(&client.authorize_parameters())).await;
        let page = browser.send_form(&page, "/sign-in/example").await;
        let page = browser.press(&page, "decision", "allow").await;
        let code = page.query("code").unwrap();
        let tokens = client.post("/token", &client.code_form(&code)).await;
        for _ in 0..2 {
            stack.advance(60);
            let next = stack.state.clock.now() + 60;
            let db = stack.state.db.connection();
            let asked = async {
                while identities::find(db, "example", "7").await.unwrap().unwrap().recheck_at
                    != Some(next)
                {}
            };
            tokio::time::timeout(PATIENCE, asked).await.unwrap();
            assert_eq!(status(&stack, tokens.text("access_token")).await, 200);
        }
        if is_ended {
            provider.end_refresh_token();
        } else {
            provider.seat(with_groups(json!("all")));
        }
        stack.advance(60);
        until_ended(&stack).await;
        is_refused_in_time(&stack, &tokens).await;
    }
}

#[tokio::test]
async fn a_changed_policy_is_applied_to_everyone_at_the_start() {
    let stack = start(Engine::Sqlite, json!({})).await;
    let tokens = at_work(&stack).await;
    let file = stack.directory().join("changed.toml");
    let access = json!({"allow": ["ada"], "groups": {"ada": {"github_users": ["ada-park"]}}});
    config_file::write(&file, &json!({ "access": access }));
    let mut config = stack.state.config.clone();
    config.config_file = Some(file);
    let changed = AppState::start(config, stack.state.clock.clone()).await.unwrap();
    let _upkeep = upkeep::start(&changed);
    is_refused_in_time(&stack, &tokens).await;
    assert!(ending_rule(&stack).await.contains("allow"));
    // What no rule needs any more is dropped.
    until_credential_is_dropped(&stack).await;
}

#[tokio::test]
async fn the_company_in_the_file_of_make_dev_is_a_policy() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/portcullis.toml");
    let example = fs::read_to_string(example).unwrap();
    let company = example.lines().filter(|line| *line != "anyone = true");
    let company: Vec<&str> = company
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.toml");
    fs::write(&file, company.join("\n")).unwrap();
    let options = ["--config", file.to_str().unwrap(), "--resource", "http://localhost:3001/mcp"];
    let stack = Stack::start_with(&options, &[]).await;
    for (login, expected) in [("nick-lucas", 200), ("ada-park", 200), ("typed", 403)] {
        let page = sign_in(&stack, &mut Browser::default(), login).await;
        assert_eq!(page.status, expected, "{login}: {}", page.text());
    }
}
