//! A tool needs more than the first sign-in has asked for.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// More is needed than was allowed.
pub const STEP_UP: Walkthrough = Walkthrough {
    name: "step-up",
    title: "A tool that needs more",
    about: "Nick is signed in, and calls a tool that his token does not reach. The server says so \
            with a 403 that names the scopes, the client asks for those beside what it has.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::signed_in().await;
    desk.type_line("add_note text=\"Buy milk\"").await;
    let asking = "The browser opens once more. What was allowed before is asked for again, so that \
                  nothing is lost.";
    desk.shows(asking, &["wants you to allow more", "notes:write"], "Ctrl-C stops.").await;
    let page = desk.visit().await;
    assert!(page.text().contains("notes"), "{}", page.text());
    desk.browser.press(&page, "decision", "allow").await;
    let back = "Nick allows it, and the same call goes on.";
    desk.answers(back, &["Kept. You have 1 note now."]).await;
    desk.type_line("add_note text=\"Walk the dog\"").await;
    desk.answers("The next note asks nothing.", &["Kept. You have 2 notes now."]).await;
    desk.type_line("read notes://mine").await;
    let read = "Resources are read at the same prompt.";
    desk.answers(read, &["Buy milk\nWalk the dog"]).await;
    desk.steps()
}
