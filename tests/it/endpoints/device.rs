//! `GET /device` and `POST /device`

use auth::storage::attempts::{self, Allowance};
use futures::future::join_all;
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, http},
    stack::{Engine, Stack},
};

use super::device_authorization::{DEVICE_CODE, register, valid_request};

const ALLOW: (&str, &str) = ("decision", "allow");
const STARTED: (&str, &str, bool) = ("started", "yes", true);

/// A device that has asked, and its codes.
pub(crate) async fn waiting_device(stack: &Stack) -> (Client, Answer) {
    let client = register(stack).await;
    let codes = client.post("/device_authorization", &valid_request(&client, stack)).await;
    assert_eq!(codes.status, 200, "{}", codes.json);
    (client, codes)
}

pub(crate) async fn poll(client: &Client, codes: &Answer) -> Answer {
    let form = [
        ("grant_type", DEVICE_CODE.into()),
        ("client_id", client.id.clone()),
        ("device_code", codes.text("device_code").into()),
    ];
    client.post("/token", &form).await
}

/// Opens an address of the page, signs in, and arrives at it.
async fn arrive(browser: &mut Browser, url: &str) -> Page {
    let page = browser.open(url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await
}

/// Types a code into the page.
async fn type_code(browser: &mut Browser, page: &Page, code: &str) -> Page {
    let csrf = page.hidden("csrf");
    let form = [("csrf", csrf.as_str()), ("user_code", code)];
    browser.post(page.url.as_str(), &form).await
}

/// The default user types the code and allows the device.
pub(crate) async fn allow(codes: &Answer) {
    let mut browser = Browser::default();
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    let page = type_code(&mut browser, &page, codes.text("user_code")).await;
    let page = browser.press_after(&page, ALLOW, &[STARTED]).await;
    assert!(page.text().contains("The device is connected"), "{}", page.text());
}

#[tokio::test]
async fn a_person_types_the_code_ticks_the_box_and_the_device_goes_on() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    assert_eq!(page.url.path(), "/device");
    let typed = codes.text("user_code").to_lowercase().replace('-', " ");
    let page = type_code(&mut browser, &page, &typed).await;
    let text = page.text();
    for shown in [codes.text("user_code"), "Test client", "this computer", "send you this code"] {
        assert!(text.contains(shown), "{shown} is missing in: {text}");
    }
    let page = browser.press_after(&page, ALLOW, &[STARTED]).await;
    assert!(page.text().contains("The device is connected"), "{}", page.text());
    let tokens = poll(&client, &codes).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    let account = browser.open(&stack.at("/account")).await.text();
    assert!(account.contains("You connected a device"), "{account}");
}

#[tokio::test]
async fn the_complete_address_only_fills_in_the_code() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri_complete")).await;
    assert_eq!(page.hidden("user_code"), codes.text("user_code"));
    assert!(!page.html.contains("name=\"decision\""));
    let address = format!("{}&decision=allow&started=yes", page.url);
    browser.open(&address).await;
    assert_eq!(poll(&client, &codes).await.text("error"), "authorization_pending");
}

#[tokio::test]
async fn without_the_tick_nothing_is_allowed() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    let page = type_code(&mut browser, &page, codes.text("user_code")).await;
    let page = browser.press(&page, "decision", "allow").await;
    assert!(page.text().contains("Tick the box first"), "{}", page.text());
    assert_eq!(poll(&client, &codes).await.text("error"), "authorization_pending");
}

#[tokio::test]
async fn a_denied_device_is_told_so_and_cannot_be_allowed_afterwards() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    let question = type_code(&mut browser, &page, codes.text("user_code")).await;
    let page = browser.press(&question, "decision", "deny").await;
    assert!(page.text().contains("was not connected"), "{}", page.text());
    let page = browser.press_after(&question, ALLOW, &[STARTED]).await;
    assert!(page.text().contains("device_stale"), "{}", page.text());
    assert_eq!(poll(&client, &codes).await.text("error"), "access_denied");
}

#[tokio::test]
async fn the_answer_counts_only_in_the_session_that_typed_the_code() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    let question = type_code(&mut browser, &page, codes.text("user_code")).await;
    let request = question.hidden("request");
    let form = [("request", request.as_str()), ("decision", "allow"), ("started", "yes")];

    let mut other = Browser::default();
    assert_eq!(other.post(&stack.at("/device"), &form).await.status, 403);
    arrive(&mut other, &stack.at("/device")).await;
    assert_eq!(other.post(&stack.at("/device"), &form).await.status, 403);
    let unproven = [("user_code", codes.text("user_code"))];
    assert_eq!(browser.post(&stack.at("/device"), &unproven).await.status, 403);
    assert_eq!(poll(&client, &codes).await.text("error"), "authorization_pending");
}

#[tokio::test]
async fn a_code_that_nothing_waits_for_is_said_to_be_unknown() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = arrive(&mut browser, &stack.at("/device")).await;
    for typed in ["BBBB-BBBB", "ＢＢＢＢＢＢＢＢ", "%", "' OR 1=1 --", "<script>", "\u{0}"]
    {
        let page = type_code(&mut browser, &page, typed).await;
        assert!(
            page.text().contains("No device is waiting for this code"),
            "{typed}: {}",
            page.text()
        );
        assert_eq!(page.status, 400, "{typed}");
        assert!(!page.html.contains("<script"));
    }
}

#[tokio::test]
async fn an_expired_code_is_as_good_as_none() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, &stack.at("/device")).await;
    stack.advance(600);
    let page = type_code(&mut browser, &page, codes.text("user_code")).await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("No device is waiting for this code"), "{}", page.text());
    assert!(page.html.contains("name=\"user_code\""), "the code can be typed again");
}

#[tokio::test]
async fn guessing_codes_is_stopped_and_waiting_helps_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let (_, codes) = waiting_device(&stack).await;
        let page = arrive(&mut browser, &stack.at("/device")).await;
        for _ in 0..10 {
            assert_eq!(type_code(&mut browser, &page, "BBBB-BBBB").await.status, 400);
        }
        for _ in 0..2 {
            let refused = type_code(&mut browser, &page, codes.text("user_code")).await;
            assert_eq!(refused.status, 429, "{engine:?}");
            let wait: i64 = refused.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait), "{engine:?}: {wait}");
            assert!(refused.text().contains("Too many codes"), "{}", refused.text());
            assert!(refused.html.contains("name=\"user_code\""), "a page, not an end");
        }
        stack.advance(60);
        let page = type_code(&mut browser, &page, codes.text("user_code")).await;
        assert!(page.html.contains("name=\"decision\""), "{engine:?}: {}", page.text());
    }
}

/// Another user than the default one, at the page.
async fn stranger(stack: &Stack, number: usize) -> (Browser, Page) {
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/device")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let name = format!("Person {number}");
    let typed = [("typed", "", false), ("typed", name.as_str(), true)];
    let page = browser.press_after(&page, ("user", "typed"), &typed).await;
    assert_eq!(page.url.path(), "/device", "{}", page.text());
    (browser, page)
}

/// The answer to a wrong code from `address`.
async fn guess_from(address: &str, (browser, page): &(Browser, Page)) -> u16 {
    let form = [("csrf", page.hidden("csrf")), ("user_code", "BBBB-BBBB".into())];
    let request = http().post(page.url.clone()).form(&form);
    let request = request.header("cookie", browser.cookies_for(page.url.as_str()));
    let answer = request.header("x-forwarded-for", address).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn an_address_has_its_limit_however_many_people_and_last_bits_of_ipv6_it_has() {
    let stack = Stack::start_with(&["--trusted-proxies", "1"], &[]).await;
    for number in 0..10 {
        let person = stranger(&stack, number).await;
        for last in 0..10 {
            let address = format!("2001:db8:1:2:{number:x}::{last:x}");
            assert_eq!(guess_from(&address, &person).await, 400, "{address}");
        }
    }
    // One comes back every six seconds, so it need not be the next that is one too many.
    let person = stranger(&stack, 10).await;
    let mut told = Vec::new();
    for _ in 0..10 {
        told.push(guess_from("2001:db8:1:2:a::1", &person).await);
    }
    assert!(told.contains(&429), "{told:?}");
    let person = stranger(&stack, 11).await;
    assert_eq!(guess_from("2001:db8:1:3::1", &person).await, 400);
}

#[tokio::test]
async fn wrong_codes_of_everybody_have_a_limit_together() {
    let stack = Stack::start().await;
    let person = stranger(&stack, 0).await;
    assert_eq!(guess_from("", &person).await, 400);
    let allowance = Allowance { most: 600, span: 600 };
    // A minute ahead of the stack's clock, so that nothing comes back while the test runs.
    let db = stack.state.db.connection();
    let soon = stack.state.clock.now() + 60;
    for _ in 0..600 {
        attempts::count(db, ("device_wrong", ""), allowance, soon).await.unwrap();
    }
    assert_eq!(guess_from("", &person).await, 429);
}

/// The count is in the database, so it is one for all who share that.
#[tokio::test]
async fn attempts_count_together_on_every_replica_on_either_engine() {
    let allowance = Allowance { most: 10, span: 600 };
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        // Ahead of the stack's own clock, whose clean-up would take what is over.
        let db = stack.state.db.connection();
        let start = stack.state.clock.now() + 3600;
        let tries = (0..32).map(|_| attempts::count(db, ("test", "a key"), allowance, start));
        let counted: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(counted.iter().filter(|wait| wait.is_none()).count(), 10, "{engine:?}");
        assert!(counted.iter().flatten().all(|wait| *wait == 60), "{engine:?}: {counted:?}");

        let count = |key, now| attempts::count(db, ("test", key), allowance, now);
        assert_eq!(count("another", start).await.unwrap(), None, "{engine:?}");
        assert_eq!(count("a key", start + 59).await.unwrap(), Some(1), "{engine:?}");
        assert_eq!(count("a key", start + 60).await.unwrap(), None, "{engine:?}");
        assert_eq!(count("a key", start + 60).await.unwrap(), Some(60), "{engine:?}");
        let whole = (0..11).map(|_| count("a key", start + 9999));
        let counted: Vec<_> = join_all(whole).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(counted.iter().flatten().count(), 1, "{engine:?}: {counted:?}");
    }
}

#[tokio::test]
async fn a_limit_reached_in_one_session_holds_in_another_of_the_same_person() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = arrive(&mut browser, &stack.at("/device")).await;
    for _ in 0..10 {
        type_code(&mut browser, &page, "BBBB-BBBB").await;
    }
    let mut other = Browser::default();
    let page = arrive(&mut other, &stack.at("/device")).await;
    assert_eq!(type_code(&mut other, &page, "BBBB-BBBB").await.status, 429);
}

#[tokio::test]
async fn an_answer_that_is_neither_leaves_the_question_open() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    let question = type_code(&mut browser, &page, codes.text("user_code")).await;
    let request = question.hidden("request");
    let form = [("request", request.as_str()), ("decision", "perhaps"), ("started", "yes")];
    assert_eq!(browser.post(&stack.at("/device"), &form).await.status, 400);
    let page = browser.press_after(&question, ALLOW, &[STARTED]).await;
    assert!(page.text().contains("The device is connected"), "{}", page.text());
    assert_eq!(poll(&client, &codes).await.status, 200);
}

#[tokio::test]
async fn a_device_of_an_account_that_was_deleted_meanwhile_gets_nothing() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, codes) = waiting_device(&stack).await;
    let page = arrive(&mut browser, codes.text("verification_uri")).await;
    let question = type_code(&mut browser, &page, codes.text("user_code")).await;
    let page = browser.press_after(&question, ALLOW, &[STARTED]).await;
    assert!(page.text().contains("The device is connected"), "{}", page.text());
    browser.delete_account(&stack.issuer).await;
    assert_eq!(poll(&client, &codes).await.text("error"), "invalid_grant");
}
