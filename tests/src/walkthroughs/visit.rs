//! A server sends the person to a page.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// A page of the server.
pub const VISIT: Walkthrough = Walkthrough {
    name: "visit",
    title: "The server sends you to a page",
    about: "What neither the client nor the model should see is typed into a page (elicitation in \
            URL mode). The whole address is shown, and nothing is opened unasked.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::signed_in().await;
    desk.type_line("review_access").await;
    let asked = "The address in full, and its host in the question.";
    let question = "Open localhost? (y/N)";
    desk.shows(asked, &["It wants you to open this page", "/account"], question).await;
    desk.type_line("y").await;
    let page = desk.visit().await;
    assert!(page.text().contains("Connected"), "{}", page.text());
    desk.answers("The page opens in the browser.", &["The page was opened."]).await;

    desk.type_line("review_access").await;
    desk.terminal.wait_for_end(&["was opened."], question).await;
    desk.type_line("n").await;
    let declined = "Said no: nothing is opened, and the server is told.";
    desk.answers(declined, &["The page was not opened."]).await;
    assert_eq!(desk.terminal.all_opened().len(), 2, "the sign-in and one visit");
    desk.steps()
}
