//! How a line becomes a call: `<tool> <text or key=value …>`.
//!
//! - `echo ping pong` puts the whole rest into the tool's only required text argument.
//! - `echo message="ping pong" times=2` names its arguments; values are read by the tool's schema.
//! - `search filter:={"tag":"a"}` gives a value as JSON.

use parameter::{Kind, Others, Parameter, declared};
use rmcp::model::{JsonObject, Tool};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::terminal::suggestion::closest;

pub mod limits;
pub mod parameter;
mod schema;

/// Shorter names are close to too many others to suggest one.
const MIN_RESEMBLING: usize = 3;

/// What stands after the tool's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// All of it, as free text.
    text: String,
    /// Word by word, quotes removed; `None` if a quote is never closed.
    words: Option<Vec<String>>,
    /// Names that resemble those of arguments and are meant all the same.
    meant: Vec<String>,
}

impl Given {
    /// The rest of a line that was typed at the prompt.
    pub fn from_line(rest: &str) -> Self {
        let words = split_words(rest);
        let text = match words.as_deref() {
            // Somebody who quotes all of it means what is inside.
            Some([only]) if rest.starts_with(['"', '\'']) => only.clone(),
            _ => rest.to_owned(),
        };
        Self { text, words, meant: Vec::new() }
    }

    /// The same with `name=…` read as it is, although it resembles an argument.
    #[must_use]
    pub fn meaning(mut self, name: &str) -> Self {
        self.meant.push(name.to_owned());
        self
    }

    /// The same with `right=…` in place of `wrong=…`.
    #[must_use]
    pub fn corrected(self, wrong: &str, right: &str) -> Self {
        let correct = |word: &str| match split_pair(word) {
            Some((name, _)) if name == wrong => {
                format!("{right}{}", word.get(name.len()..).unwrap_or_default())
            }
            _ => word.to_owned(),
        };
        let words = self.words.map(|words| words.iter().map(|word| correct(word)).collect());
        Self { text: correct(&self.text), words, ..self }
    }

    /// Word by word, quotes removed; `None` if a quote is never closed.
    pub fn words(&self) -> Option<&[String]> {
        self.words.as_deref()
    }

    /// The arguments of a command, which the shell has split already.
    pub fn from_words(words: Vec<String>) -> Self {
        Self { text: words.join(" "), words: Some(words), meant: Vec::new() }
    }
}

/// Why a line is not a call of the tool it names. Each error carries the tool's usage.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct GrammarError {
    problem: Problem,
    usage: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("`{tool}` needs {}", quoted(.names))]
    Missing { tool: String, names: Vec<String> },
    #[error("`{tool}` has no argument `{name}`; it has {}", quoted(.known))]
    Unknown { tool: String, name: String, known: Vec<String> },
    #[error("`{tool}` has no argument `{name}`; did you mean `{meant}`?")]
    Resembles { tool: String, name: String, meant: String, as_it_is: Option<String> },
    #[error("`{tool}` takes no arguments")]
    TakesNone { tool: String },
    #[error("`{word}` is not key=value; a value with spaces needs quotes")]
    NotAPair { word: String },
    #[error("`{name}` is given twice")]
    Twice { name: String },
    #[error("`{name}` must be {expected}, not `{value}`")]
    WrongValue { name: String, expected: String, value: String },
}

impl GrammarError {
    /// How the tool is called.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match &self.problem {
            Problem::Resembles { as_it_is: Some(way), .. } => {
                format!("to send it as it is, write {way}; usage: {}", self.usage)
            }
            _ => format!("usage: {}", self.usage),
        })
    }

    /// A name that was given, and the argument that it resembles.
    pub(crate) fn resembling(&self) -> Option<(&str, &str)> {
        match &self.problem {
            Problem::Resembles { name, meant, .. } => Some((name, meant)),
            _ => None,
        }
    }
}

/// The arguments that `given` means for `tool`.
///
/// # Errors
/// [`GrammarError`] naming the argument that is missing, unknown, given twice or of the wrong kind.
pub fn arguments(tool: &Tool, given: &Given) -> Result<JsonObject, GrammarError> {
    let (parameters, others) = declared(&tool.input_schema);
    read(tool, &parameters, &others, given)
        .and_then(|arguments| complete(tool, &parameters, arguments))
        .map_err(|problem| GrammarError { problem, usage: usage(tool, &parameters) })
}

/// The arguments that `given` means for `tool`, of which some may be missing still.
///
/// # Errors
/// [`GrammarError`] naming the argument that is unknown, given twice or of the wrong kind.
pub fn begun(tool: &Tool, given: &Given) -> Result<JsonObject, GrammarError> {
    let (parameters, others) = declared(&tool.input_schema);
    read(tool, &parameters, &others, given)
        .map_err(|problem| GrammarError { problem, usage: usage(tool, &parameters) })
}

fn read(
    tool: &Tool,
    parameters: &[Parameter],
    others: &Others,
    given: &Given,
) -> Result<JsonObject, Problem> {
    let mut arguments = JsonObject::new();
    match text_parameter(parameters) {
        Some(parameter) if !given.names_one_of(parameters) => {
            given.check_slip(tool, parameters, &parameter.name)?;
            if !given.text.is_empty() {
                let value = convert(parameter, &given.text)?;
                arguments.insert(parameter.name.clone(), value);
            }
        }
        _ => {
            let words = given.words.as_ref().ok_or(Problem::OpenQuote)?;
            if parameters.is_empty() && *others == Others::Forbidden && !words.is_empty() {
                return Err(Problem::TakesNone { tool: tool.name.to_string() });
            }
            for word in words {
                let pair = split_pair(word).filter(|(name, _)| !name.is_empty());
                let Some((name, value)) = pair else {
                    return Err(Problem::NotAPair { word: word.to_owned() });
                };
                let name = name.to_owned();
                let value = match parameters.iter().find(|parameter| parameter.name == name) {
                    Some(parameter) => spelled(parameter, &value)?,
                    None => unnamed(tool, parameters, others, (&name, &value), given)?,
                };
                if arguments.insert(name.clone(), value).is_some() {
                    return Err(Problem::Twice { name });
                }
            }
        }
    }
    Ok(arguments)
}

fn complete(
    tool: &Tool,
    parameters: &[Parameter],
    arguments: JsonObject,
) -> Result<JsonObject, Problem> {
    let missing: Vec<_> = parameters
        .iter()
        .filter(|parameter| parameter.is_required && !arguments.contains_key(&parameter.name))
        .map(|parameter| parameter.name.clone())
        .collect();
    if missing.is_empty() {
        return Ok(arguments);
    }
    Err(Problem::Missing { tool: tool.name.to_string(), names: missing })
}

impl Given {
    /// Whether the first word is `key=…` with a key the tool has, which settles how to read the
    /// rest. `a=b` with a key it has not may well be text.
    fn names_one_of(&self, parameters: &[Parameter]) -> bool {
        // Even a quote that is never closed comes after the first key.
        let first = self.words.as_ref().map_or(Some(&self.text), |words| words.first());
        first
            .and_then(|word| split_pair(word))
            .is_some_and(|(name, _)| parameters.iter().any(|parameter| parameter.name == name))
    }

    /// Text that begins like `mesage=…` is more likely a slip than text for the argument `text`.
    fn check_slip(&self, tool: &Tool, parameters: &[Parameter], text: &str) -> Result<(), Problem> {
        let first = self.words.as_ref().map_or(Some(&self.text), |words| words.first());
        let Some((name, Spelled::Text(_))) = first.and_then(|word| split_pair(word)) else {
            return Ok(());
        };
        self.check_name(tool, parameters, name, Some(format!("`{text}=\"{name}=…\"`")))
    }

    fn check_name(
        &self,
        tool: &Tool,
        parameters: &[Parameter],
        name: &str,
        as_it_is: Option<String>,
    ) -> Result<(), Problem> {
        if name.chars().count() < MIN_RESEMBLING || self.meant.iter().any(|meant| meant == name) {
            return Ok(());
        }
        match closest(name, parameters.iter().map(|parameter| parameter.name.as_str())) {
            None => Ok(()),
            Some(meant) => Err(Problem::Resembles {
                tool: tool.name.to_string(),
                name: name.to_owned(),
                meant: meant.to_owned(),
                as_it_is,
            }),
        }
    }
}

/// The only required text argument; of a tool that requires nothing, its only argument.
fn text_parameter(parameters: &[Parameter]) -> Option<&Parameter> {
    let mut texts = parameters.iter().filter(|one| one.is_required && one.kind == Kind::Text);
    match (texts.next(), texts.next(), parameters) {
        (Some(only), None, _) => Some(only),
        (None, None, [only]) if only.kind == Kind::Text => Some(only),
        _ => None,
    }
}

/// The value of an argument that the schema does not name, if it allows that.
fn unnamed(
    tool: &Tool,
    parameters: &[Parameter],
    others: &Others,
    (name, value): (&str, &Spelled<'_>),
    given: &Given,
) -> Result<Value, Problem> {
    let is_closed = *others == Others::Forbidden;
    if is_closed || matches!(value, Spelled::Text(_)) {
        let as_it_is = (!is_closed).then(|| format!("`{name}:=` and JSON"));
        given.check_name(tool, parameters, name, as_it_is)?;
    }
    let kind = match others {
        Others::Forbidden => {
            return Err(Problem::Unknown {
                tool: tool.name.to_string(),
                name: name.to_owned(),
                known: parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            });
        }
        Others::Unmentioned => Kind::Anything,
        Others::Described(kind) => kind.clone(),
    };
    spelled(&Parameter::unnamed(name, kind), value)
}

/// The value as the schema of `parameter` reads it.
fn spelled(parameter: &Parameter, value: &Spelled<'_>) -> Result<Value, Problem> {
    match value {
        Spelled::Text(text) => convert(parameter, text),
        Spelled::Json(json) => {
            let value = serde_json::from_str(json)
                .map_err(|_| wrong(parameter, "JSON".to_owned(), json))?;
            check(parameter, value, json)
        }
    }
}

fn convert(parameter: &Parameter, text: &str) -> Result<Value, Problem> {
    let value = parameter.convert(text);
    check(parameter, value.ok_or_else(|| wrong(parameter, parameter.expected(), text))?, text)
}

/// The server would only say the same, after a round trip and in its own words.
fn check(parameter: &Parameter, value: Value, text: &str) -> Result<Value, Problem> {
    match parameter.objection(&value) {
        Some(expected) => Err(wrong(parameter, expected, text)),
        None => Ok(value),
    }
}

fn wrong(parameter: &Parameter, expected: String, value: &str) -> Problem {
    Problem::WrongValue { name: parameter.name.clone(), expected, value: value.to_owned() }
}

/// A value as it was spelled: `key=text` or `key:=JSON`.
enum Spelled<'a> {
    Text(&'a str),
    Json(&'a str),
}

fn split_pair(word: &str) -> Option<(&str, Spelled<'_>)> {
    let (name, value) = word.split_once('=')?;
    match name.strip_suffix(':') {
        Some(name) => Some((name, Spelled::Json(value))),
        None => Some((name, Spelled::Text(value))),
    }
}

/// Words between spaces. Quotes hold words together and may begin inside one (`key="a b"`); in
/// double quotes and outside, a backslash keeps the next quote, space or backslash as it is. What
/// follows `:=` is JSON, whose quotes are its own. `None` if a quote is never closed.
fn split_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if quote.is_none() && word.as_ref().is_some_and(|word| word.ends_with(":=")) {
            let json = leading_json(rest);
            word.get_or_insert_default().push_str(json);
            rest = beyond(rest, json.len());
            if !json.is_empty() {
                continue;
            }
        }
        rest = beyond(rest, character.len_utf8());
        match (character, quote) {
            (character, Some(open)) if character == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => {
                let kept = rest.chars().next().filter(|next| "\"'\\ ".contains(*next));
                rest = beyond(rest, usize::from(kept.is_some()));
                word.get_or_insert_default().push(kept.unwrap_or('\\'));
            }
            (space, None) if space.is_whitespace() => words.extend(word.take()),
            (character, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn beyond(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

/// The JSON value that `text` begins with, as it is written; nothing if it begins with none.
fn leading_json(text: &str) -> &str {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => text.get(..values.byte_offset()).unwrap_or_default(),
        _ => "",
    }
}

/// How `tool` is called, in one line.
fn usage(tool: &Tool, parameters: &[Parameter]) -> String {
    let named = parameters.iter().map(Parameter::usage);
    let named = [tool.name.to_string()].into_iter().chain(named).collect::<Vec<_>>().join(" ");
    match text_parameter(parameters) {
        Some(text) if parameters.len() == 1 => {
            format!("{} <{}>   or   {named}", tool.name, text.name)
        }
        _ => named,
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
