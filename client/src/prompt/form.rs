//! Asks for values one by one, as a JSON schema declares them: the arguments of a tool, or the form
//! of a server that wants to know something.

use std::sync::Arc;

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::{
    arguments::parameter::{Kind, Parameter, in_words},
    error::Error,
    prompt::{Question, ask_for},
    terminal::printable::{printable, printable_line},
};

const SKIP: &str = "(leave it out)";

/// Asks for each of `parameters` that `given` lacks; `None` if the user cancels.
pub(crate) async fn fill(
    parameters: &[Parameter],
    given: JsonObject,
    coloured: bool,
) -> Result<Option<JsonObject>, Error> {
    let mut values = given;
    for parameter in parameters {
        if values.contains_key(&parameter.name) {
            continue;
        }
        let Some(text) = ask_for(question(parameter), coloured).await? else { return Ok(None) };
        if let Some(value) = value(parameter, &text) {
            values.insert(parameter.name.clone(), value);
        }
    }
    Ok(Some(values))
}

fn question(parameter: &Parameter) -> Question {
    let judged = parameter.clone();
    Question {
        label: format!("{}:", shown_name(parameter)),
        help: help(parameter),
        default: parameter.default.as_ref().map(in_words),
        choices: choices(parameter),
        judge: Arc::new(move |text| judge(&judged, text)),
    }
}

/// The values to choose from; empty for a value that is typed. The library that draws the list does
/// not escape them, and the chosen one is sent unchanged, so values that cannot be shown as they
/// are are left out.
fn choices(parameter: &Parameter) -> Vec<String> {
    let mut choices: Vec<_> = match parameter.kind {
        Kind::Boolean => vec!["yes".to_owned(), "no".to_owned()],
        _ => parameter.choices.iter().map(in_words).filter(|choice| is_plain(choice)).collect(),
    };
    if !choices.is_empty() && !parameter.is_required {
        choices.push(SKIP.to_owned());
    }
    choices
}

/// Whether `choice` is shown as it is written, in one line.
fn is_plain(choice: &str) -> bool {
    printable(choice) == choice && !choice.contains(['\n', '\t'])
}

/// One line: what it is, its bounds, its default, whether it may be left out.
fn help(parameter: &Parameter) -> String {
    let mut parts = vec![match &parameter.kind {
        Kind::List(_) => format!("{}, separated by commas", parameter.expected()),
        _ => parameter.expected(),
    }];
    parts.extend(parameter.limits.in_words());
    if let Some(default) = &parameter.default {
        parts.push(format!("{} if left empty", in_words(default)));
    } else if !parameter.is_required {
        parts.push("Enter leaves it out".to_owned());
    }
    let facts = parts.join(" · ");
    match &parameter.description {
        Some(about) => printable_line(&format!("{} ({facts})", about.trim_end_matches('.'))),
        None => printable_line(&facts),
    }
}

fn shown_name(parameter: &Parameter) -> String {
    printable_line(parameter.title.as_deref().unwrap_or(&parameter.name))
}

fn bounds(parameter: &Parameter) -> String {
    format!("this must be {}", parameter.limits.in_words().unwrap_or_default())
}

/// What is wrong with `text`, if anything.
fn judge(parameter: &Parameter, text: &str) -> Result<(), String> {
    if text.is_empty() && (!parameter.is_required || parameter.default.is_some()) {
        return Ok(());
    }
    if text.is_empty() {
        return Err(format!("{} is needed", shown_name(parameter)));
    }
    match parameter.convert(text) {
        Some(value) if parameter.limits.allow(&value) => Ok(()),
        Some(_) => Err(bounds(parameter)),
        None => Err(format!("this must be {}", printable_line(&parameter.expected()))),
    }
}

/// The value that was meant; `None` for one that is left out.
fn value(parameter: &Parameter, text: &str) -> Option<Value> {
    match text {
        "" => parameter.default.clone(),
        SKIP => None,
        text => parameter.convert(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::arguments::parameter::Parameters;

    fn parameter(property: Value, required: bool) -> Parameter {
        let required = if required { vec!["x"] } else { vec![] };
        let schema = json!({"properties": {"x": property}, "required": required});
        Parameters::parse(schema.as_object().expect("an object")).named.remove(0)
    }

    #[test]
    fn bounds_and_default_are_told_and_errors_say_what_is_wanted() {
        let people =
            parameter(json!({"type": "integer", "minimum": 1, "maximum": 20, "default": 2}), true);
        assert_eq!(help(&people), "a whole number · from 1 to 20 · 2 if left empty");
        assert_eq!(judge(&people, ""), Ok(()));
        assert_eq!(value(&people, ""), Some(json!(2)));
        assert_eq!(judge(&people, "21"), Err("this must be from 1 to 20".to_owned()));
        assert_eq!(judge(&people, "many"), Err("this must be a whole number".to_owned()));
    }

    #[test]
    fn a_required_value_cannot_be_left_out_and_an_optional_one_can() {
        let needed = parameter(json!({"type": "string"}), true);
        assert_eq!(judge(&needed, ""), Err("x is needed".to_owned()));
        let titled = parameter(json!({"type": "string", "title": "Your name"}), true);
        assert_eq!(judge(&titled, ""), Err("Your name is needed".to_owned()));
        let optional = parameter(json!({"type": "string"}), false);
        assert_eq!((judge(&optional, ""), value(&optional, "")), (Ok(()), None));
    }

    #[test]
    fn a_choice_that_would_draw_on_the_terminal_is_not_offered() {
        let hostile = ["\u{1b}]52;c;bHM=\u{7}a", "\u{1b}[2Jb", "c\rd", "e\nf", "\u{202e}g"];
        let choice = |values: Vec<&str>| parameter(json!({"enum": values}), true);
        let mixed = choice([&hostile[..], &["red  blue"]].concat());
        assert_eq!(choices(&mixed), ["red  blue"]);
        let none = choice(hostile.to_vec());
        assert_eq!(choices(&none), Vec::<String>::new());
        let question = question(&none);
        assert!(question.choices.is_empty());
        let shown = format!("{}{}", question.label, question.help);
        assert!(!shown.contains(['\u{1b}', '\r', '\n', '\u{202e}']), "{shown:?}");
    }

    #[test]
    fn yes_or_no_and_listed_values_are_chosen() {
        let sure = parameter(json!({"type": "boolean"}), true);
        assert_eq!(choices(&sure), ["yes", "no"]);
        assert_eq!(value(&sure, "yes"), Some(json!(true)));
        let colour = parameter(json!({"type": "string", "enum": ["red", "blue"]}), false);
        assert_eq!(choices(&colour), ["red", "blue", SKIP]);
        assert_eq!(value(&colour, SKIP), None);
        let tags = parameter(json!({"type": "array", "items": {"type": "string"}}), true);
        assert_eq!(value(&tags, "a, b"), Some(json!(["a", "b"])));
    }
}
