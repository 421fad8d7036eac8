//! The line editor. Only this file names the library that draws it.

use std::sync::{Arc, Mutex, PoisonError};

use inquire::{
    Autocomplete, Confirm, CustomUserError, InquireError, Select, Text,
    autocompletion::Replacement,
    ui::{Color, ErrorMessageRenderConfig, RenderConfig, Styled},
    validator::Validation,
};

use crate::{error::Error, prompt::completion::Completer};

pub(crate) mod completion;
pub(crate) mod form;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineAnswer {
    Line(String),
    /// The line was given up (Esc, or Ctrl-D after something had been typed).
    Cancelled,
    /// The user wants to leave (Esc or Ctrl-D on an empty line).
    Leave,
    Interrupted,
}

/// Runs `ask` on a thread of its own, because the editor waits for keys without yielding.
async fn run_blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(ask).await.map_err(|error| Error::Input(error.into()))?
}

/// Asks for one line, offering what `completer` knows.
pub(crate) async fn ask(completer: Completer, coloured: bool) -> Result<LineAnswer, Error> {
    run_blocking(move || ask_blocking(completer, coloured)).await
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

fn ask_blocking(completer: Completer, coloured: bool) -> Result<LineAnswer, Error> {
    let offers = Offers { completer, typed: Arc::default() };
    let asked = Text::new("")
        .with_autocomplete(offers.clone())
        .with_help_message("tab completes · ↑↓ choose · help · quit")
        .with_render_config(appearance(coloured))
        .prompt();
    match asked {
        Ok(line) => Ok(LineAnswer::Line(offers.line_of(line))),
        Err(InquireError::OperationCanceled) if offers.current().trim().is_empty() => {
            Ok(LineAnswer::Leave)
        }
        Err(InquireError::OperationCanceled) => Ok(LineAnswer::Cancelled),
        Err(InquireError::OperationInterrupted) => Ok(LineAnswer::Interrupted),
        Err(error) => Err(failure(error)),
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

/// Hands the completer's suggestions to the editor, which shows text and gives the same text back.
#[derive(Clone)]
struct Offers {
    completer: Completer,
    /// The current line, because the editor does not report what was typed when it is cancelled.
    typed: Arc<Mutex<String>>,
}

impl Offers {
    fn current(&self) -> String {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The line meant by `answer`, which is what was shown if a suggestion was chosen.
    fn line_of(&self, answer: String) -> String {
        let chosen = self.completer.suggestions(&self.current());
        let chosen = chosen.into_iter().find(|suggestion| suggestion.shown == answer);
        chosen.map_or(answer, |suggestion| suggestion.line)
    }
}

impl Autocomplete for Offers {
    fn get_suggestions(&mut self, input: &str) -> Result<Vec<String>, CustomUserError> {
        *self.typed.lock().unwrap_or_else(PoisonError::into_inner) = input.to_owned();
        let suggestions = self.completer.suggestions(input);
        Ok(suggestions.into_iter().map(|suggestion| suggestion.shown).collect())
    }

    fn get_completion(
        &mut self,
        input: &str,
        chosen: Option<String>,
    ) -> Result<Replacement, CustomUserError> {
        Ok(match chosen {
            Some(chosen) => Some(self.line_of(chosen)),
            None => self.completer.complete(input),
        })
    }
}
