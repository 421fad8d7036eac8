//! A server asks while it works, with a form.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// A form of the server.
pub const ELICITATION: Walkthrough = Walkthrough {
    name: "elicitation",
    title: "The server asks back",
    about: "While a tool works, its server may want to know something (elicitation in form mode).",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::signed_in().await;
    desk.type_line("book_table restaurant=\"Da Enzo\"").await;
    let asked = "Who asks and what for is said first; the schema of the form gives the bounds.";
    let bounds = "[a whole number · from 1 to 20 · 2 if left empty]";
    desk.shows(asked, &[" asks: A table at Da Enzo", "❯ How many people:"], bounds).await;
    desk.type_line("21").await;
    let wrong = "An answer out of bounds is not taken.";
    desk.shows(wrong, &["✗ this must be from 1 to 20"], bounds).await;
    desk.terminal.press("BSpace").await;
    desk.terminal.press("BSpace").await;
    desk.type_line("3").await;
    desk.shows("The next field.", &["❯ When:"], "[For example 19:30 (text)]").await;
    desk.type_line("19:30").await;
    let question = "Nothing leaves the machine before it is confirmed.";
    desk.shows(question, &["❯ When: 19:30"], "Send this to the server? (y/N)").await;
    desk.type_line("y").await;
    let done = "The tool goes on with the answer.";
    desk.answers(done, &["A table for 3 at Da Enzo, at 19:30."]).await;

    desk.type_line("book_table restaurant=\"Da Enzo\"").await;
    desk.terminal.wait_for_end(&["for 3 at Da Enzo"], bounds).await;
    desk.terminal.press("Escape").await;
    let declined = "Esc declines. The server is told so, and that is an answer too.";
    desk.answers(declined, &["Nothing was booked."]).await;
    desk.steps()
}
