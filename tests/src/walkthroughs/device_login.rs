//! A machine without a browser.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// A code that is typed elsewhere.
pub const DEVICE_LOGIN: Walkthrough = Walkthrough {
    name: "device-login",
    title: "A machine without a browser",
    about: "On a server, over ssh or in a container: a code is shown here and typed elsewhere.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::new().await;
    desk.type_line("client login --device").await;
    let asked = "What is wanted, where to go with any other device, and the code.";
    let screen = desk.shows(asked, &["type the code", "user_code="], "Ctrl-C stops.").await;
    let code = screen.split_once("user_code=").expect("a code").1;
    let code = code.split_whitespace().next().expect("a code").to_owned();
    desk.call(&code, "BCDF-GHJK");

    let page = desk.browser.open(&desk.stack.at("/device")).await;
    let page = desk.browser.send_form(&page, "/sign-in/github").await;
    let page = desk.browser.press(&page, "user", "nick-lucas").await;
    let wrong = [("csrf", page.hidden("csrf")), ("user_code", "BBBB-BBBB".to_owned())];
    let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = desk.browser.post(page.url.as_str(), &wrong).await;
    assert!(page.text().contains("No device is waiting for this code"), "{}", page.text());

    let right = [("csrf", page.hidden("csrf")), ("user_code", code.clone())];
    let right = right.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = desk.browser.post(page.url.as_str(), &right).await;
    assert!(page.text().contains(&code), "{}", page.text());
    let started = [("started", "yes", true)];
    let page = desk.browser.press_after(&page, ("decision", "allow"), &started).await;
    assert!(page.text().contains("The device is connected"), "{}", page.text());
    let back = "On a telephone, Nick types the code, compares it, and says that he has started \
                this. The terminal notices by itself.";
    desk.shows(back, &["Signed in as Nick Lucas."], "\n$").await;

    desk.type_line("client call echo from afar").await;
    let call = "Calls work as after any sign-in.";
    desk.shows(call, &["Hello Nick Lucas: from afar"], "\n$").await;
    assert_eq!(desk.terminal.all_opened(), Vec::<String>::new(), "no browser is opened here");
    desk.steps()
}
