//! What people do with the client, from the first sign-in on: each is played in a real terminal
//! against a real stack. Tests play them and compare; `make recordings` plays them and keeps the
//! pictures in `docs/terminal`.

mod arguments;
mod device_login;
mod doctor;
mod elicitation;
mod explain;
mod first_sign_in;
mod progress;
mod scripts;
mod step_up;
mod visit;

use std::fmt::Write;

use futures::future::BoxFuture;

use crate::people::desk::Step;

pub use self::{
    arguments::ARGUMENTS, device_login::DEVICE_LOGIN, doctor::DOCTOR, elicitation::ELICITATION,
    explain::EXPLAIN, first_sign_in::FIRST_SIGN_IN, progress::PROGRESS, scripts::SCRIPTS,
    step_up::STEP_UP, visit::VISIT,
};

/// All of them, in the order in which they are best read.
pub const ALL: [Walkthrough; 10] = [
    FIRST_SIGN_IN,
    ARGUMENTS,
    STEP_UP,
    ELICITATION,
    VISIT,
    PROGRESS,
    DEVICE_LOGIN,
    EXPLAIN,
    DOCTOR,
    SCRIPTS,
];

#[derive(Clone, Copy)]
pub struct Walkthrough {
    /// What its files are called.
    pub name: &'static str,
    pub title: &'static str,
    /// What it is about, in a sentence or two.
    pub about: &'static str,
    /// Plays it, and fails where the screen does not show what it should.
    pub play: fn() -> BoxFuture<'static, Vec<Step>>,
}

impl Walkthrough {
    /// The steps as text: each sentence, and below it what is new on the screen.
    pub fn transcript(&self, steps: &[Step]) -> String {
        let mut text = format!("{}\n\n{}\n", self.title, self.about);
        for (number, step) in steps.iter().enumerate() {
            let _ = write!(text, "\n{}. {}\n\n", number + 1, step.sentence);
            for line in &step.news.lines {
                let line = format!("    {}", line.text());
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
        text
    }
}
