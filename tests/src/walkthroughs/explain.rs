//! A sign-in that explains itself.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

/// Each step of a sign-in, with the rule it follows.
pub const EXPLAIN: Walkthrough = Walkthrough {
    name: "explain",
    title: "A sign-in that explains itself",
    about: "`--explain` tells each step as it happens: the request, what is decisive in the answer, \
            the rule and where it is written. Secrets are named and never shown.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::new().await;
    desk.type_line("client login --explain").await;
    let before = "From the challenge to the browser.";
    let told = ["Read the challenge", "code_challenge_method: S256"];
    desk.shows(before, &told, "Ctrl-C stops.").await;
    desk.sign_in().await;
    let after = "From the browser's answer to the tokens.";
    let told = ["Take the answer from the browser", "access_token: [secret]"];
    desk.shows(after, &told, "Signed in as Nick Lucas.\n$").await;
    desk.steps()
}
