//! Several people at once: each answer and each page belongs to who asked, although all ask the same.

use std::pin::pin;

use futures::future::{join_all, select};
use serde_json::json;
use tests::{
    people::browser::{Browser, Page},
    programs::{
        client::Client,
        mcp_client::{Session, Wire, call, text},
    },
    stack::{Stack, access_token::signed},
};

const CALLERS: usize = 12;
const VISITORS: usize = 4;

/// Calls of one caller on both wires, some of them given up, always with the same ids.
async fn call_and_compare(stack: &Stack, number: usize) {
    let change = json!({"sub": format!("caller-{number}"), "name": format!("Name {number}")});
    let token = signed(stack, &change);
    let session = Session::open(&stack.resource, &token).await.unwrap();
    for round in 0..2 {
        let message = format!("marker {number} of {round}");
        let expected = format!("Hello Name {number}: {message}");
        let arguments = json!({"message": message});
        let params = json!({"name": "echo", "arguments": arguments});
        let new = || call(&stack.resource, Wire::V2026, &token, "echo", arguments.clone());
        let old = || session.send(&token, "tools/call", params.clone());
        if (number + round).is_multiple_of(3) {
            // The slower one is given up.
            drop(select(pin!(new()), pin!(old())).await);
        }
        let (new, old) = futures::join!(new(), old());
        assert_eq!(text(&new), expected, "{}", new.json);
        assert_eq!(text(&old), expected, "{}", old.json);
    }
}

#[tokio::test]
async fn of_callers_with_the_same_ids_at_once_each_gets_its_own_answer() {
    let stack = Stack::start().await;
    join_all((0..CALLERS).map(|number| call_and_compare(&stack, number))).await;
}

/// Whom and which program a page names, of all that take part.
fn named(page: &Page) -> Vec<String> {
    let text = page.text();
    let names = (0..VISITORS).flat_map(|number| [person(number), program(number)]);
    names.filter(|name| text.contains(name)).collect()
}

fn person(number: usize) -> String {
    format!("Person {number:03}")
}

fn program(number: usize) -> String {
    format!("Program {number:03}")
}

/// Signs in as a person of this number, and looks at the consent page of a program of this number.
async fn visit(stack: &Stack, number: usize) {
    let metadata = json!({"token_endpoint_auth_method": "none", "client_name": program(number)});
    let client = Client::register_as(stack, metadata).await;
    let mut browser = Browser::default();
    let url = client.authorize_url(&client.authorize_parameters());
    let page = browser.open(&url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let name = person(number);
    let typed = [("typed", "", false), ("typed", name.as_str(), true)];
    let mut page = browser.press_after(&page, ("user", "typed"), &typed).await;
    for _ in 0..2 {
        assert_eq!(named(&page), [name.clone(), program(number)], "{}", page.text());
        page = browser.open(&url).await;
    }
    let home = browser.open(&stack.at("/account")).await;
    assert_eq!(named(&home), [name], "{}", home.text());
}

#[tokio::test]
async fn of_browsers_at_once_each_shows_its_own_person_and_program() {
    let stack = Stack::start().await;
    join_all((0..VISITORS).map(|number| visit(&stack, number))).await;
}
