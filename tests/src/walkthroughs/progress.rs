//! A call takes long.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// Progress, and how it is stopped.
pub const PROGRESS: Walkthrough = Walkthrough {
    name: "progress",
    title: "A long call, and how it is stopped",
    about: "A tool that takes its time says how far it is.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::signed_in().await;
    desk.type_line("count_down from=4 pause=1000").await;
    let bar = "25 % · 3 to go · Ctrl-C stops";
    desk.shows("The bar moves as the server reports.", &["██"], bar).await;
    desk.terminal.press("C-c").await;
    let stopped = "Ctrl-C stops the call, here and at the server.";
    desk.answers(stopped, &["stopped by Ctrl-C"]).await;
    desk.type_line("echo still here").await;
    desk.answers("The prompt is still there.", &["Hello Nick Lucas: still here"]).await;
    desk.steps()
}
