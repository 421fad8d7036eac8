//! How a line becomes a call: `<tool> <text or key=value …>`.
//!
//! - `echo ping pong` puts everything after the name into the tool's only required text argument.
//! - `echo message="ping pong" times=2` names its arguments; the schema says how to read values.
//! - `search filter:={"tag":"a"}` gives a value as JSON.

use rmcp::model::{JsonObject, Tool};
use serde_json::Value;

use self::{
    parameter::{Additional, Kind, Parameter, Parameters},
    words::{Spelled, split_pair},
};
use crate::terminal::suggestion::closest;

mod limits;
pub(crate) mod parameter;
mod schema;
mod words;

pub(crate) use self::words::RawArguments;

/// Shorter names resemble too many others to suggest one.
const MIN_RESEMBLING: usize = 3;

/// Why words are not arguments of a tool. Each error carries the usage of the tool.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ArgumentError {
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
    Resembles { tool: String, name: String, meant: String, verbatim: Option<String> },
    #[error("`{tool}` takes no arguments")]
    TakesNone { tool: String },
    #[error("`{word}` is not key=value; a value with spaces needs quotes")]
    NotAPair { word: String },
    #[error("`{name}` is given twice")]
    Twice { name: String },
    #[error("`{name}` must be {expected}, not `{value}`")]
    WrongValue { name: String, expected: String, value: String },
}

impl ArgumentError {
    pub(crate) fn hint(&self) -> String {
        match &self.problem {
            Problem::Resembles { verbatim: Some(spelling), .. } => {
                format!("to send it as it is, write {spelling}; usage: {}", self.usage)
            }
            _ => format!("usage: {}", self.usage),
        }
    }

    /// The unknown name and the argument that it resembles, if that is the problem.
    pub(crate) fn resembling(&self) -> Option<(&str, &str)> {
        match &self.problem {
            Problem::Resembles { name, meant, .. } => Some((name, meant)),
            _ => None,
        }
    }
}

/// The name and the parameters of a tool, parsed once from its schema.
#[derive(Debug)]
pub(crate) struct Signature {
    tool: String,
    parameters: Parameters,
}

impl Signature {
    pub(crate) fn parse(tool: &Tool) -> Self {
        Self { tool: tool.name.to_string(), parameters: Parameters::parse(&tool.input_schema) }
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters.named
    }

    /// Reads `raw` by the schema. Required arguments may still be missing.
    pub(crate) fn read(&self, raw: &RawArguments) -> Result<JsonObject, ArgumentError> {
        let read = match self.text_parameter() {
            Some(parameter) if !self.starts_with_known_name(raw) => self.read_text(parameter, raw),
            _ => self.read_pairs(raw),
        };
        read.map_err(|problem| self.error(problem))
    }

    /// Refuses `arguments` without all that the tool requires.
    pub(crate) fn complete(&self, arguments: JsonObject) -> Result<JsonObject, ArgumentError> {
        let names = self.missing(&arguments);
        if names.is_empty() {
            return Ok(arguments);
        }
        Err(self.error(Problem::Missing { tool: self.tool.clone(), names }))
    }

    /// The names of required arguments that `arguments` lacks.
    pub(crate) fn missing(&self, arguments: &JsonObject) -> Vec<String> {
        let required = self.parameters().iter().filter(|parameter| parameter.is_required);
        required
            .map(|parameter| parameter.name.clone())
            .filter(|name| !arguments.contains_key(name))
            .collect()
    }

    fn error(&self, problem: Problem) -> ArgumentError {
        ArgumentError { problem, usage: self.usage() }
    }

    fn find(&self, name: &str) -> Option<&Parameter> {
        self.parameters().iter().find(|parameter| parameter.name == name)
    }

    /// The only required text argument or, if nothing is required, the only argument.
    fn text_parameter(&self) -> Option<&Parameter> {
        let parameters = self.parameters();
        let mut texts = parameters.iter().filter(|one| one.is_required && one.kind == Kind::Text);
        match (texts.next(), texts.next(), parameters) {
            (Some(only), None, _) => Some(only),
            (None, None, [only]) if only.kind == Kind::Text => Some(only),
            _ => None,
        }
    }

    /// Whether the first word is `key=…` with a key that the tool has, so the others are pairs too.
    /// With any other key, `a=b` may be text.
    fn starts_with_known_name(&self, raw: &RawArguments) -> bool {
        raw.first_pair().is_some_and(|(name, _)| self.find(name).is_some())
    }

    fn read_text(&self, parameter: &Parameter, raw: &RawArguments) -> Result<JsonObject, Problem> {
        // Text that begins with `mesage=…` is more likely a typing error.
        if let Some((name, Spelled::Text(_))) = raw.first_pair() {
            let verbatim = format!("`{}=\"{name}=…\"`", parameter.name);
            self.check_spelling(name, raw, Some(verbatim))?;
        }
        let mut arguments = JsonObject::new();
        if !raw.text().is_empty() {
            arguments.insert(parameter.name.clone(), convert(parameter, raw.text())?);
        }
        Ok(arguments)
    }

    fn read_pairs(&self, raw: &RawArguments) -> Result<JsonObject, Problem> {
        let words = raw.words().ok_or(Problem::OpenQuote)?;
        let takes_none =
            self.parameters().is_empty() && self.parameters.additional == Additional::Forbidden;
        if takes_none && !words.is_empty() {
            return Err(Problem::TakesNone { tool: self.tool.clone() });
        }
        let mut arguments = JsonObject::new();
        for word in words {
            let pair = split_pair(word).filter(|(name, _)| !name.is_empty());
            let Some((name, value)) = pair else {
                return Err(Problem::NotAPair { word: word.to_owned() });
            };
            let value = match self.find(name) {
                Some(parameter) => read_value(parameter, &value)?,
                None => self.read_undeclared(name, &value, raw)?,
            };
            if arguments.insert(name.to_owned(), value).is_some() {
                return Err(Problem::Twice { name: name.to_owned() });
            }
        }
        Ok(arguments)
    }

    /// The value of an argument that the schema does not declare, if it allows that.
    fn read_undeclared(
        &self,
        name: &str,
        value: &Spelled<'_>,
        raw: &RawArguments,
    ) -> Result<Value, Problem> {
        let is_closed = self.parameters.additional == Additional::Forbidden;
        if is_closed || matches!(value, Spelled::Text(_)) {
            let verbatim = (!is_closed).then(|| format!("`{name}:=` and JSON"));
            self.check_spelling(name, raw, verbatim)?;
        }
        let kind = match &self.parameters.additional {
            Additional::Forbidden => {
                return Err(Problem::Unknown {
                    tool: self.tool.clone(),
                    name: name.to_owned(),
                    known: self.parameters().iter().map(|one| one.name.clone()).collect(),
                });
            }
            Additional::Unspecified => Kind::Anything,
            Additional::Of(kind) => kind.clone(),
        };
        read_value(&Parameter::undeclared(name, kind), value)
    }

    /// Refuses a name that resembles an argument, unless the user has confirmed it. The error
    /// suggests `verbatim` as the way to send the name all the same.
    fn check_spelling(
        &self,
        name: &str,
        raw: &RawArguments,
        verbatim: Option<String>,
    ) -> Result<(), Problem> {
        if name.chars().count() < MIN_RESEMBLING || raw.is_confirmed(name) {
            return Ok(());
        }
        match closest(name, self.parameters().iter().map(|parameter| parameter.name.as_str())) {
            None => Ok(()),
            Some(meant) => Err(Problem::Resembles {
                tool: self.tool.clone(),
                name: name.to_owned(),
                meant: meant.to_owned(),
                verbatim,
            }),
        }
    }

    /// How the tool is called, in one line.
    pub(crate) fn usage(&self) -> String {
        let named = self.parameters().iter().map(Parameter::usage);
        let named = [self.tool.clone()].into_iter().chain(named).collect::<Vec<_>>().join(" ");
        match self.text_parameter() {
            Some(text) if self.parameters().len() == 1 => {
                format!("{} <{}>   or   {named}", self.tool, text.name)
            }
            _ => named,
        }
    }
}

/// The value as the schema of `parameter` reads it.
fn read_value(parameter: &Parameter, value: &Spelled<'_>) -> Result<Value, Problem> {
    match value {
        Spelled::Text(text) => convert(parameter, text),
        Spelled::Json(json) => {
            let value = serde_json::from_str(json)
                .map_err(|_| wrong_value(parameter, "JSON".to_owned(), json))?;
            check(parameter, value, json)
        }
    }
}

fn convert(parameter: &Parameter, text: &str) -> Result<Value, Problem> {
    match parameter.convert(text) {
        Some(value) => check(parameter, value, text),
        None => Err(wrong_value(parameter, parameter.expected(), text)),
    }
}

/// Checks the value here, because the server would answer the same after a round trip and in its
/// own words.
fn check(parameter: &Parameter, value: Value, text: &str) -> Result<Value, Problem> {
    match parameter.expected_instead_of(&value) {
        Some(expected) => Err(wrong_value(parameter, expected, text)),
        None => Ok(value),
    }
}

fn wrong_value(parameter: &Parameter, expected: String, value: &str) -> Problem {
    Problem::WrongValue { name: parameter.name.clone(), expected, value: value.to_owned() }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
