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
    desk.type_line("client doctor 2> /dev/null").await;
    let found = "One of 140 checks fails: what was found, what follows, the fix and the section, and \
                 which clients that locks out. `--format` has forms for programs.";
    desk.shows(found, &["1 error", "✗", "TypeScript SDK"], "every check)\n$").await;
    desk.steps()
}
