//! A sign-in fails for an unknown reason.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::{
    people::desk::{Desk, Step},
    servers::seeded::Seeded,
    stack::Stack,
};

/// A server that is examined.
pub const DOCTOR: Walkthrough = Walkthrough {
    name: "doctor",
    title: "What is wrong with a server",
    about: "The doctor looks at the authorization of any MCP server from outside. This one ends its \
            resource with a slash that its address has not.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let seeded = Seeded::start("resource.trailing_slash").await;
    let mut desk = Desk::at(Stack::start().await, &seeded.server).await;
    desk.type_line("client doctor > report; echo status $?").await;
    let status = "It looks at everything a client would meet. The exit status is for CI.";
    desk.shows(status, &["asking for tokens"], "status 1\n$").await;
    desk.type_line("tail -1 report; grep -A4 ✗ report").await;
    let found = "Of a hundred checks one fails, and says whom it locks out, the fix and the \
                 section; `--json` is for programs.";
    desk.shows(found, &["1 wrong", "✗", "TypeScript SDK"], "RFC 9728 §3.3\n$").await;
    desk.steps()
}
