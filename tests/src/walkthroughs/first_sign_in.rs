//! The first call of a tool, which leads to the first sign-in.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

pub const FIRST_SIGN_IN: Walkthrough = Walkthrough {
    name: "first-sign-in",
    title: "The first sign-in",
    about: "Nobody has signed in yet. The call is typed once: the sign-in happens on the way.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::new().await;
    desk.type_line("client").await;
    let greeting = "The prompt names the server and says what to type.";
    desk.answers(greeting, &["`help` explains"]).await;

    desk.type_line("echo ping pong").await;
    let asking = "The server wants a sign-in. The browser opens at the authorization server, and the \
                  terminal says where it leads and what will be asked.";
    let wish = "It will ask you to allow: mcp:tools profile email";
    desk.shows(asking, &[wish], "Ctrl-C stops.").await;
    let page = desk.sign_in().await;
    assert!(page.text().contains("Back to the terminal"), "{}", page.text());
    let back =
        "Nick signs in with GitHub and allows it. The call that was typed goes on by itself.";
    desk.answers(back, &["Signed in as Nick Lucas.", "Hello Nick Lucas: ping pong"]).await;

    desk.terminal.type_text("re").await;
    desk.terminal.press("Tab").await;
    let offered = "From now on the tools are known. Tab offers what fits, and the arrows choose.";
    desk.shows(offered, &["❯ re\n", "Opens the page on which"], "`logout` ends them").await;
    desk.terminal.press("Escape").await;
    desk.wait_for_prompt().await;
    desk.terminal.press("C-d").await;
    desk.terminal.wait_for_end(&[], "\n$").await;
    desk.type_line("client call echo still signed in").await;
    let next = "The next start asks nothing: the tokens are kept, and renewed when due.";
    desk.shows(next, &["Hello Nick Lucas: still signed in"], "\n$").await;
    desk.steps()
}
