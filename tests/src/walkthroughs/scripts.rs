//! No person, but a script.

use futures::future::FutureExt;

use super::Walkthrough;
use crate::people::desk::{Desk, Step};

pub const SCRIPTS: Walkthrough = Walkthrough {
    name: "scripts",
    title: "In scripts",
    about: "Every question has a flag that answers it, and every answer has a form for programs.",
    play: || play().boxed(),
};

async fn play() -> Vec<Step> {
    let mut desk = Desk::new().await;
    desk.type_line("client --no-input --json tools; echo status $?").await;
    let refused = "A script never hangs at a question: the error is JSON on stderr, and has a \
                   status of its own.";
    desk.shows(refused, &["sign_in_needed"], "status 4\n$").await;

    desk.type_line("client login").await;
    desk.sign_in().await;
    desk.terminal.wait_for(&["Signed in as Nick Lucas.\n$"]).await;
    desk.forget().await;
    desk.type_line("client call echo message='ping pong' | tr a-z A-Z").await;
    let data = "Once somebody has signed in, results go to stdout and everything else to stderr.";
    desk.shows(data, &[], "HELLO NICK LUCAS: PING PONG\n$").await;
    desk.type_line("printf 'echo one\\necho two\\n' | client").await;
    let piped = "Lines from a pipe are run one by one.";
    desk.shows(piped, &["Hello Nick Lucas: one\n"], "Hello Nick Lucas: two\n$").await;
    desk.type_line("client --json call echo hi").await;
    desk.shows("As JSON, the whole result.", &["Hello Nick Lucas: hi\""], "}\n$").await;
    desk.type_line("client call ecko hi; echo status $?").await;
    desk.shows("Mistakes say what was probably meant.", &["did you mean"], "status 2\n$").await;
    desk.steps()
}
