//! What the user is asked: lines in `editor`, and single values here. Only this file names the
//! library that draws the questions.

use std::sync::Arc;

use inquire::{
    Confirm, InquireError, Select, Text,
    ui::{Color, ErrorMessageRenderConfig, RenderConfig, Styled},
    validator::Validation,
};

use crate::error::Error;

pub(crate) mod completion;
pub(crate) mod editor;
pub(crate) mod form;
pub(crate) mod secrecy;

/// Runs `ask` on a thread of its own, because the editor waits for keys without yielding.
async fn run_blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(ask).await.map_err(|error| Error::Input(error.into()))?
}

/// One value that is asked for.
pub(crate) struct Question {
    pub(crate) label: String,
    /// What is said about it, in one line.
    pub(crate) help: String,
    /// What is taken when nothing is typed.
    pub(crate) default: Option<String>,
    /// The values to choose from; empty for a value that is typed.
    pub(crate) choices: Vec<String>,
    /// Says what is wrong with an answer, if anything.
    pub(crate) judge: Arc<Judge>,
}

pub(crate) type Judge = dyn Fn(&str) -> Result<(), String> + Send + Sync;

/// Asks for one value, until it is a good one; `None` if the user cancels.
pub(crate) async fn ask_for(question: Question, coloured: bool) -> Result<Option<String>, Error> {
    run_blocking(move || ask_for_blocking(question, coloured)).await
}

fn ask_for_blocking(question: Question, coloured: bool) -> Result<Option<String>, Error> {
    let Question { label, help, default, choices, judge } = question;
    let answer = if choices.is_empty() {
        Text::new(&label)
            .with_help_message(&help)
            .with_validator(move |text: &str| {
                Ok(match judge(text.trim()) {
                    Ok(()) => Validation::Valid,
                    Err(wrong) => Validation::Invalid(wrong.into()),
                })
            })
            .with_render_config(appearance(coloured))
            .prompt()
            .map(|text| text.trim().to_owned())
    } else {
        let at = choices.iter().position(|choice| Some(choice) == default.as_ref());
        Select::new(&label, choices)
            .with_help_message(&help)
            .with_starting_cursor(at.unwrap_or(0))
            .with_render_config(appearance(coloured))
            .prompt()
    };
    unless_cancelled(answer)
}

/// Asks yes or no; Esc is no.
pub(crate) async fn confirm(question: &str, coloured: bool) -> Result<bool, Error> {
    let question = question.to_owned();
    run_blocking(move || {
        let asked = Confirm::new(&question)
            .with_default(false)
            .with_render_config(appearance(coloured))
            .prompt();
        Ok(unless_cancelled(asked)?.unwrap_or(false))
    })
    .await
}

fn unless_cancelled<T>(answer: Result<T, InquireError>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(InquireError::OperationCanceled) => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

fn failure(error: InquireError) -> Error {
    match error {
        InquireError::OperationInterrupted => Error::Interrupted,
        InquireError::IO(error) => Error::Input(error),
        other => Error::Input(std::io::Error::other(other)),
    }
}

fn appearance(coloured: bool) -> RenderConfig<'static> {
    let (base, prefix, wrong) = if coloured {
        (
            RenderConfig::default_colored(),
            Styled::new("❯").with_fg(Color::LightCyan),
            ErrorMessageRenderConfig::default_colored()
                .with_prefix(Styled::new("✗").with_fg(Color::LightRed)),
        )
    } else {
        (
            RenderConfig::empty(),
            Styled::new("❯"),
            ErrorMessageRenderConfig::empty().with_prefix(Styled::new("✗")),
        )
    };
    base.with_prompt_prefix(prefix)
        .with_error_message(wrong)
        .with_scroll_up_prefix(Styled::new("↑"))
        .with_scroll_down_prefix(Styled::new("↓"))
        .with_answered_prompt_prefix(prefix)
        .with_canceled_prompt_indicator(Styled::new(""))
}
