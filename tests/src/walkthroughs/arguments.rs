//! A tool is named without its arguments.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// Arguments that are asked for.
pub const ARGUMENTS: Walkthrough = Walkthrough {
    name: "arguments",
    title: "Arguments are asked for",
    about: "A tool is named without its arguments. They are asked for one by one, by its schema.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::signed_in().await;
    desk.type_line("count_down").await;
    let asked = "What it needs is named, with its kind and bounds.";
    let bounds = "[Where to start (a whole number · from 1 to 100)]";
    desk.shows(asked, &["Esc at any argument", "❯ from:"], bounds).await;
    desk.type_line("").await;
    let needed = "Nothing is no number, and that is said at once.";
    desk.shows(needed, &["✗ from is needed"], bounds).await;
    desk.type_line("3").await;
    let optional = "What may be left out says what is taken then.";
    desk.shows(optional, &["❯ from: 3", "❯ pause:"], "· 100 if left empty)]").await;
    desk.type_line("").await;
    desk.answers("Only then is the tool called.", &["Counted down from 3."]).await;
    desk.steps()
}
