//! A person without a mouse and without JavaScript, in a real browser, through every flow.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use serde_json::json;
use tests::{
    people::{browser::Browser, chromium::Chromium},
    programs::{
        client::{Answer, Client, with},
        command_line::CommandLine,
    },
    stack::Stack,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::unix::pipe::{self, Receiver},
    time::timeout,
};

use crate::endpoints::{
    device::{poll, waiting_device},
    sign_in::with_provider,
};

const SCHEME: &str = "test.portcullis";

/// From the sign-in page to wherever the person was heading.
async fn sign_in(browser: &Chromium) {
    browser.enter("Continue with GitHub").await;
    browser.wait_for_heading("Stand-in for GitHub").await;
    browser.enter("Sign in as Nick Lucas").await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_allows_a_part_and_later_removes_it() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&["call", "echo", "message=ping"]).await;
    let browser = Chromium::start(false).await;
    browser.open(&waiting.url).await;
    sign_in(&browser).await;

    browser.read("form[action='/consent']").await;
    browser.space("email").await;
    browser.enter("Allow").await;
    browser.wait_for_heading("Back to the terminal").await;
    let outcome = waiting.finish().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "Hello Nick Lucas: ping\n"));

    browser.open(&stack.at("/account")).await;
    browser.enter("Portcullis client Unverified").await;
    let apps = browser.read("#apps").await;
    assert!(apps.contains("See your name") && !apps.contains("See your e-mail"), "{apps}");
    assert!(apps.contains("Chrome on Linux, this computer"), "{apps}");
    browser.enter("Remove access").await;
    browser.read(".done").await;
    assert!(browser.read("main").await.contains("No app has access"));
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_denies() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&["login"]).await;
    let browser = Chromium::start(false).await;
    browser.open(&waiting.url).await;
    sign_in(&browser).await;
    browser.read("form[action='/consent']").await;
    browser.enter("Deny").await;
    browser.wait_for_heading("Nothing was allowed").await;
    assert_eq!(waiting.finish().await.code, 4);
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_switches_accounts_signs_out_and_deletes_everything() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let browser = Chromium::start(false).await;
    browser.open(&client.authorize_url(&client.authorize_parameters())).await;
    sign_in(&browser).await;
    browser.read("form[action='/consent']").await;
    browser.enter("Change").await;
    browser.wait_for_heading("You are signed out").await;
    browser.enter("Sign in again").await;
    browser.wait_for_heading("Sign in").await;
    browser.enter("Continue with GitHub").await;
    browser.wait_for_heading("Stand-in for GitHub").await;
    browser.enter("Sign in as Ada Park").await;
    browser.read("form[action='/consent']").await;
    assert!(browser.read(".account").await.contains("Ada Park"));

    browser.open(&stack.at("/account")).await;
    browser.enter("Delete my account").await;
    browser.wait_for_heading("Delete your account?").await;
    browser.space("yes").await;
    browser.enter("Delete my account").await;
    browser.wait_for_heading("Your account is gone").await;
    browser.enter("Go to the start page").await;
    browser.wait_for_heading("You are in the right place").await;
    browser.close().await;
}

/// Starts at the address that the device shows and types its code into the field, which has the
/// focus, up to the question.
async fn type_code(stack: &Stack, browser: &Chromium, codes: &Answer) {
    assert_eq!(codes.text("verification_uri"), stack.at("/device"));
    browser.open(codes.text("verification_uri")).await;
    sign_in(browser).await;
    browser.wait_for_heading("Connect a device").await;
    browser.type_text(codes.text("user_code")).await;
    browser.enter("Continue").await;
    browser.read("form .code").await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_connects_a_device() {
    let stack = Stack::start().await;
    let (device, codes) = waiting_device(&stack).await;
    let browser = Chromium::start(false).await;
    type_code(&stack, &browser, &codes).await;
    browser.space("yes").await;
    browser.enter("Allow").await;
    browser.wait_for_heading("The device is connected").await;
    let tokens = poll(&device, &codes).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);

    browser.enter("Go to your account").await;
    browser.wait_for_heading("Your account").await;
    assert!(browser.read("main").await.contains("You connected a device"));
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_mistypes_a_code_and_denies_the_device() {
    let stack = Stack::start().await;
    let (device, codes) = waiting_device(&stack).await;
    let browser = Chromium::start(false).await;
    browser.open(&stack.at("/device")).await;
    sign_in(&browser).await;
    browser.wait_for_heading("Connect a device").await;
    browser.type_text("BBBB-BBBB").await;
    browser.enter("Continue").await;
    assert!(browser.read(".problem").await.contains("No device is waiting for this code"));

    browser.open(codes.text("verification_uri_complete")).await;
    browser.enter("Continue").await;
    browser.read("form .code").await;
    browser.enter("Deny").await;
    browser.wait_for_heading("The device was not connected").await;
    assert_eq!(poll(&device, &codes).await.text("error"), "access_denied");
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_signs_out_another_browser_and_then_this_one() {
    let stack = Stack::start().await;
    let mut elsewhere = Browser::default();
    Client::register(&stack).await.obtain_code(&mut elsewhere).await;
    let browser = Chromium::start(false).await;
    browser.open(&stack.at("/account")).await;
    sign_in(&browser).await;
    browser.wait_for_heading("Your account").await;
    browser.enter("Sign out there").await;
    browser.read(".done").await;
    assert_eq!(elsewhere.open(&stack.at("/account")).await.url.path(), "/sign-in");

    browser.enter("Sign out").await;
    browser.wait_for_heading("You are signed out").await;
    browser.open(&stack.at("/account")).await;
    browser.wait_for_heading("Sign in").await;
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_signs_out_everywhere_else() {
    let stack = Stack::start().await;
    let mut phone = Browser::default();
    let mut desk = Browser::default();
    for elsewhere in [&mut phone, &mut desk] {
        Client::register(&stack).await.obtain_code(elsewhere).await;
    }
    let browser = Chromium::start(false).await;
    browser.open(&stack.at("/account")).await;
    sign_in(&browser).await;
    browser.wait_for_heading("Your account").await;
    browser.enter("Sign out everywhere else").await;
    assert!(browser.read(".done").await.contains("Every other browser was signed out"));
    for mut elsewhere in [phone, desk] {
        assert_eq!(elsewhere.open(&stack.at("/account")).await.url.path(), "/sign-in");
    }
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_adds_a_way_to_sign_in_and_removes_the_other() {
    let (stack, _provider, _folder) = with_provider().await;
    let browser = Chromium::start(false).await;
    browser.open(&stack.at("/account")).await;
    sign_in(&browser).await;
    browser.wait_for_heading("Your account").await;
    // The provider knows the person and sends them straight back.
    browser.enter("Add Example ID").await;
    browser.read("#identities summary").await;
    browser.enter("Remove").await;
    browser.enter("Remove this way to sign in").await;
    assert!(browser.read(".done").await.contains("is no longer a way to sign in"));
    assert!(browser.read("#identities").await.contains("your only way to sign in"));
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_answers_a_program_that_asks_to_sign_them_out() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let browser = Chromium::start(false).await;
    browser.open(&stack.at("/account")).await;
    sign_in(&browser).await;
    browser.wait_for_heading("Your account").await;
    let asks = stack.at(&format!("/end_session?client_id={}", client.id));
    browser.open(&asks).await;
    browser.wait_for_heading("Sign out?").await;
    browser.enter("Stay signed in").await;
    browser.wait_for_heading("You are in the right place").await;
    browser.open(&asks).await;
    browser.enter("Sign out").await;
    browser.wait_for_heading("You are signed out").await;
    browser.close().await;
}

#[tokio::test]
async fn by_keyboard_alone_a_person_finds_the_way_on_from_a_refusal() {
    let stack = Stack::start().await;
    let browser = Chromium::start(false).await;
    browser.open(&stack.at("/nowhere")).await;
    browser.wait_for_heading("Page not found").await;
    browser.enter("Go to the start page").await;
    browser.wait_for_heading("You are in the right place").await;
    browser.enter("Sign in").await;
    sign_in(&browser).await;
    browser.wait_for_heading("You are in the right place").await;
    assert!(browser.read(".who").await.contains("Nick Lucas"));
    browser.close().await;
}

/// A program of the name that Chromium hands links of private-use schemes to. It writes the link
/// to a pipe, so that a test can wait for it.
fn app(directory: &Path) -> Lines<BufReader<Receiver>> {
    let program = directory.join("xdg-open");
    let pipe = directory.join("opened");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    fs::write(&program, format!("#!/bin/sh\necho \"$1\" >'{}'\n", pipe.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let receiver = pipe::OpenOptions::new().read_write(true).open_receiver(&pipe).unwrap();
    BufReader::new(receiver).lines()
}

#[tokio::test]
async fn an_answer_to_a_private_use_scheme_reaches_the_app() {
    let stack = Stack::start().await;
    let redirect_uri = format!("{SCHEME}://callback");
    let metadata = json!({"redirect_uris": [redirect_uri]});
    let client = Client::register_as(&stack, metadata).await;
    let directory = tempfile::tempdir().unwrap();
    let mut opened = app(directory.path());
    let browser = Chromium::start_with_app(&stack.issuer, SCHEME, directory.path()).await;

    let request = with(client.authorize_parameters(), "redirect_uri", &redirect_uri);
    browser.open(&client.authorize_url(&request)).await;
    sign_in(&browser).await;
    browser.read("form[action='/consent']").await;
    assert!(browser.read("main").await.contains("whichever app on this device"));
    browser.enter("Allow").await;

    let opened = timeout(Duration::from_secs(20), opened.next_line()).await;
    let opened = opened.expect("the app is opened within 20 seconds").unwrap().unwrap();
    assert!(opened.starts_with(&format!("{redirect_uri}?code=pcc_")), "{opened}");
    assert!(opened.contains("&state=the-state&iss="), "{opened}");
    browser.close().await;
}
