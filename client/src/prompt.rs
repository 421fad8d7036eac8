//! The line editor: the only file that knows which library draws it.

use std::sync::{Arc, Mutex, PoisonError};

use inquire::{
    Autocomplete, CustomUserError, InquireError, Text,
    autocompletion::Replacement,
    ui::{Color, RenderConfig, Styled},
};

use crate::{completion::Completer, error::Error};

/// What came of asking for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A line was typed.
    Line(String),
    /// The line was given up (Esc, or Ctrl-D after something had been typed).
    GivenUp,
    /// The person wants to leave (Esc or Ctrl-D on an empty line).
    Leave,
    /// Ctrl-C.
    Interrupted,
}

/// Asks for one line, offering what `completer` knows.
///
/// # Errors
/// [`Error::Input`] when the terminal cannot be used.
pub async fn ask(completer: Completer, coloured: bool) -> Result<Asked, Error> {
    // The editor waits for keys without yielding.
    let asked = tokio::task::spawn_blocking(move || ask_blocking(completer, coloured)).await;
    asked.map_err(|error| Error::Input(error.into()))?
}

fn ask_blocking(completer: Completer, coloured: bool) -> Result<Asked, Error> {
    let offers = Offers { completer, typed: Arc::default() };
    let typed = Arc::clone(&offers.typed);
    let asked = Text::new("")
        .with_autocomplete(offers.clone())
        .with_help_message("tab completes · ↑↓ choose · help · quit")
        .with_render_config(appearance(coloured))
        .prompt();
    let nothing_typed = || typed.lock().unwrap_or_else(PoisonError::into_inner).trim().is_empty();
    match asked {
        Ok(line) => Ok(Asked::Line(offers.line_of(line))),
        Err(InquireError::OperationCanceled) if nothing_typed() => Ok(Asked::Leave),
        Err(InquireError::OperationCanceled) => Ok(Asked::GivenUp),
        Err(InquireError::OperationInterrupted) => Ok(Asked::Interrupted),
        Err(InquireError::IO(error)) => Err(Error::Input(error)),
        Err(other) => Err(Error::Input(std::io::Error::other(other))),
    }
}

fn appearance(coloured: bool) -> RenderConfig<'static> {
    let (base, prefix) = match coloured {
        true => (RenderConfig::default_colored(), Styled::new("❯").with_fg(Color::LightCyan)),
        false => (RenderConfig::empty(), Styled::new("❯")),
    };
    base.with_prompt_prefix(prefix)
        .with_answered_prompt_prefix(prefix)
        .with_canceled_prompt_indicator(Styled::new(""))
}

/// Hands the completer's suggestions to the editor, which shows text and gives the same text back.
#[derive(Clone)]
struct Offers {
    completer: Completer,
    /// What stands in the line now; the editor does not say what was typed when it is given up.
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
