//! The line editor of the prompt, with the keys of Emacs. Only this file names the library that
//! draws it.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use nu_ansi_term::Style;
use reedline::{
    Color, ColumnarMenu, EditCommand, EditMode, Emacs, FileBackedHistory, Highlighter,
    History as _, HistoryItem, KeyCode, KeyModifiers, Keybindings, MenuBuilder as _, Prompt,
    PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline, ReedlineEvent,
    ReedlineMenu, ReedlineRawEvent, Signal, Span, StyledText, Suggestion,
    default_emacs_keybindings,
};

use crate::{
    error::Error,
    files::history::{History, MAX_LINES},
    prompt::{completion::Completer, run_blocking},
};

const COMPLETION_MENU: &str = "completion";
/// What shows that a line is read.
pub(crate) const SIGN: &str = "❯ ";

/// What the user made of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineAnswer {
    Line {
        line: String,
        /// What was typed or pasted after it while no prompt was open: further lines, and perhaps the
        /// beginning of one.
        further: String,
    },
    /// The line was given up with Ctrl-C.
    Cancelled,
    /// The user wants to leave: Ctrl-D on an empty line.
    Leave,
}

/// Asks for one line, which begins with `typed`. Tab offers what `completer` knows; Up and Ctrl-R
/// find lines of `history`.
pub(crate) async fn ask(
    history: &History,
    completer: Completer,
    typed: String,
    coloured: bool,
) -> Result<LineAnswer, Error> {
    let earlier: Vec<_> = history.lines().map(plain).collect();
    run_blocking(move || ask_blocking(earlier, completer, typed, coloured)).await
}

fn ask_blocking(
    earlier: Vec<String>,
    completer: Completer,
    typed: String,
    coloured: bool,
) -> Result<LineAnswer, Error> {
    // In memory only: what is written to the file is decided elsewhere.
    let mut history = FileBackedHistory::new(MAX_LINES).map_err(failure)?;
    for line in earlier {
        history.save(HistoryItem::from_command_line(line)).map_err(failure)?;
    }
    let further = Arc::new(Mutex::new(String::new()));
    let keys =
        Keys { emacs: Emacs::new(keys()), is_submitted: false, further: Arc::clone(&further) };
    let mut editor = Reedline::create()
        .with_history(Box::new(history))
        .with_edit_mode(Box::new(keys))
        .with_completer(Box::new(Offers(completer)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu(coloured))))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_highlighter(Box::new(Plain))
        .use_bracketed_paste(true);
    if !typed.is_empty() {
        editor.run_edit_commands(&[EditCommand::InsertString(typed)]);
    }
    Ok(match editor.read_line(&Sign { coloured }).map_err(Error::Input)? {
        Signal::Success(line) => {
            let mut further = further.lock().unwrap_or_else(PoisonError::into_inner);
            LineAnswer::Line { line, further: std::mem::take(&mut further) }
        }
        Signal::CtrlD => LineAnswer::Leave,
        _ => LineAnswer::Cancelled,
    })
}

fn failure(error: reedline::ReedlineError) -> Error {
    Error::Input(std::io::Error::other(error))
}

/// The library's keys of Emacs, where they are those of readline. Its Ctrl-W stops at punctuation,
/// its Ctrl-U takes other lines too, its Ctrl-G repeats, its Esc leaves the line as it is.
fn keys() -> Keybindings {
    let mut keys = default_emacs_keybindings();
    let edit = |command| ReedlineEvent::Edit(vec![command]);
    let control = KeyModifiers::CONTROL;
    keys.add_binding(control, KeyCode::Char('w'), edit(EditCommand::CutBigWordLeft));
    keys.add_binding(control, KeyCode::Char('u'), edit(EditCommand::CutFromLineStart));
    keys.remove_binding(control, KeyCode::Char('o'));
    // What was typed while no prompt was open ends its lines so, and always ends them.
    keys.add_binding(control, KeyCode::Char('j'), ReedlineEvent::Submit);
    // The second is for the search, where the first has no meaning.
    let clear = ReedlineEvent::UntilFound(vec![
        ReedlineEvent::Multiple(vec![ReedlineEvent::Esc, edit(EditCommand::Clear)]),
        ReedlineEvent::Esc,
    ]);
    keys.add_binding(control, KeyCode::Char('g'), clear.clone());
    keys.add_binding(KeyModifiers::NONE, KeyCode::Esc, clear);
    let complete = ReedlineEvent::UntilFound(vec![
        ReedlineEvent::Menu(COMPLETION_MENU.to_owned()),
        ReedlineEvent::MenuNext,
    ]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    keys
}

/// One candidate to a line, with its description. NO_COLOR forbids colours; the chosen line is
/// reversed with and without them.
fn menu(coloured: bool) -> ColumnarMenu {
    let usual = Style::new();
    let described = if coloured { usual.dimmed() } else { usual };
    ColumnarMenu::default()
        .with_name(COMPLETION_MENU)
        .with_marker(SIGN)
        .with_columns(1)
        .with_text_style(usual)
        .with_match_text_style(usual)
        .with_selected_text_style(usual.reverse().bold())
        .with_selected_match_text_style(usual.reverse().bold())
        .with_description_text_style(described)
}

/// Keys as [`keys`] binds them, and pasted text without characters that steer the terminal.
///
/// The editor reads everything that was typed while no prompt was open at once, and would drop what
/// follows the first line.
struct Keys {
    emacs: Emacs,
    /// Whether the line has ended, so that what comes now belongs to further ones.
    is_submitted: bool,
    further: Arc<Mutex<String>>,
}

impl Keys {
    fn keep(&self, event: ReedlineEvent) {
        let mut further = self.further.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            ReedlineEvent::Edit(commands) => {
                for command in commands {
                    match command {
                        EditCommand::InsertChar(character) => further.push(character),
                        EditCommand::InsertString(text) => further.push_str(&text),
                        _ => {}
                    }
                }
            }
            ReedlineEvent::Enter | ReedlineEvent::Submit => further.push('\n'),
            _ => {}
        }
    }
}

impl EditMode for Keys {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = self.emacs.parse_event(event);
        if self.is_submitted {
            self.keep(event);
            return ReedlineEvent::None;
        }
        self.is_submitted = event == ReedlineEvent::Submit;
        match event {
            ReedlineEvent::Edit(commands) => {
                let commands = commands.into_iter().map(|command| match command {
                    EditCommand::InsertString(pasted) => {
                        EditCommand::InsertString(plain(pasted.trim_end_matches('\n')))
                    }
                    other => other,
                });
                ReedlineEvent::Edit(commands.collect())
            }
            other => other,
        }
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.emacs.edit_mode()
    }
}

/// `text` as the editor can draw it: line breaks stay, tabs become spaces, and other control
/// characters go.
fn plain(text: &str) -> String {
    let drawn = text.chars().map(|character| if character == '\t' { ' ' } else { character });
    drawn.filter(|character| *character == '\n' || !character.is_control()).collect()
}

struct Offers(Completer);

impl reedline::Completer for Offers {
    fn complete(&mut self, line: &str, position: usize) -> Vec<Suggestion> {
        let typed = line.get(..position).unwrap_or(line);
        let offers = self.0.offers(typed).into_iter().map(|offer| Suggestion {
            value: offer.text,
            description: Some(offer.about).filter(|about| !about.is_empty()),
            span: Span { start: offer.start, end: typed.len() },
            append_whitespace: offer.is_whole,
            ..Suggestion::default()
        });
        offers.collect()
    }
}

/// Draws the line as it is.
struct Plain;

impl Highlighter for Plain {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut text = StyledText::new();
        text.push((Style::new(), line.to_owned()));
        text
    }
}

struct Sign {
    coloured: bool,
}

impl Prompt for Sign {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        SIGN.into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "  ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let found = match search.status {
            PromptHistorySearchStatus::Passing => "search",
            PromptHistorySearchStatus::Failing => "nothing found",
        };
        format!("({found}: {}) ", search.term).into()
    }

    fn get_indicator_color(&self) -> Color {
        if self.coloured { Color::Cyan } else { Color::Reset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2J\tb\u{9b}31m\r\nc\u{7f}"), "a[2J b31m\nc");
    }
}
