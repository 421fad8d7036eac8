//! The arguments of a tool, as its JSON schema declares them.

use rmcp::model::JsonObject;
use serde_json::{Map, Value};

use super::limits::Limits;

/// References followed inside one schema before it counts as a knot.
const DEEPEST_REFERENCE: usize = 8;

/// What kind of value an argument takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// Yes or no.
    Boolean,
    /// Several values of one kind, separated by commas or as JSON.
    List(Box<Kind>),
    /// A JSON object.
    Object,
    /// The schema does not say, or allows several kinds.
    Anything,
}

/// One argument of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What people call it, if that is something else.
    pub title: Option<String>,
    /// What it takes.
    pub kind: Kind,
    /// Whether the tool cannot do without it.
    pub is_required: bool,
    /// What the server says about it.
    pub description: Option<String>,
    /// What is taken when it is left out.
    pub default: Option<Value>,
    /// The only values it takes, if they are listed.
    pub choices: Vec<Value>,
    /// How large, long or many it may be.
    pub limits: Limits,
}

/// The arguments that `schema` declares: the required ones first, otherwise in its order.
pub fn parameters(schema: &JsonObject) -> Vec<Parameter> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut parameters: Vec<_> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| Parameter::read(schema, name, property, is_required(name)))
        .collect();
    parameters.sort_by_key(|parameter| !parameter.is_required);
    parameters
}

impl Parameter {
    fn read(root: &JsonObject, name: &str, property: &Value, is_required: bool) -> Self {
        let resolved = resolve(root, property);
        let member = |key: &str| property.get(key).or_else(|| resolved.get(key));
        let choices = resolved.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        Self {
            name: name.to_owned(),
            title: member("title").and_then(Value::as_str).map(str::to_owned),
            kind: kind(root, resolved),
            is_required,
            description: member("description").and_then(Value::as_str).map(str::to_owned),
            default: member("default").filter(|value| !value.is_null()).cloned(),
            choices,
            limits: Limits::read(resolved),
        }
    }

    /// The value that `text` means, or `None` if it means none.
    pub fn convert(&self, text: &str) -> Option<Value> {
        let value = self.kind.convert(text)?;
        let is_allowed = self.choices.is_empty() || self.choices.contains(&value);
        is_allowed.then_some(value)
    }

    /// What a value must be, in words.
    pub fn expected(&self) -> String {
        if self.choices.is_empty() {
            return self.kind.in_words();
        }
        let choices: Vec<_> = self.choices.iter().map(in_words).collect();
        format!("one of {}", choices.join(", "))
    }

    /// `name=<…>`, in brackets if it may be left out.
    pub fn usage(&self) -> String {
        let usage = match &self.kind {
            Kind::Object => format!("{}:=<JSON>", self.name),
            _ => format!("{}=<{}>", self.name, self.expected()),
        };
        if self.is_required { usage } else { format!("[{usage}]") }
    }
}

impl Kind {
    fn convert(&self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(text.into()),
            Self::Integer => text.parse::<i64>().ok().map(Value::from),
            Self::Number => text.parse::<serde_json::Number>().ok().map(Value::from),
            Self::Boolean => boolean(text).map(Value::from),
            Self::List(_) if text.trim_start().starts_with('[') => serde_json::from_str(text).ok(),
            Self::List(item) => text
                .split(',')
                .map(|part| item.convert(part.trim()))
                .collect::<Option<Vec<_>>>()
                .map(Value::from),
            Self::Object => serde_json::from_str::<Map<_, _>>(text).ok().map(Value::from),
            Self::Anything => Some(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::List(item) => format!("{},…", item.in_words()),
            Self::Object => "a JSON object".to_owned(),
            Self::Anything => "any value".to_owned(),
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A value as a person would write it.
pub fn in_words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The kind of a resolved schema. `["string", "null"]`, which optional members often are, is text.
fn kind(root: &JsonObject, schema: &Value) -> Kind {
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => {
            let mut others = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            others.next().filter(|_| others.next().is_none())
        }
        _ => None,
    };
    match named {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("array") => {
            let item = schema.get("items").map(|items| resolve(root, items));
            // A list of lists is written as JSON.
            let item = item.filter(|item| item.get("type") != Some(&Value::from("array")));
            Kind::List(Box::new(item.map_or(Kind::Anything, |item| kind(root, item))))
        }
        Some("object") => Kind::Object,
        _ => Kind::Anything,
    }
}

/// The schema behind references within the document and behind "this or null". References to
/// anywhere else are never followed.
fn resolve<'a>(root: &'a JsonObject, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST_REFERENCE {
        let next = referenced(root, schema).or_else(|| only_alternative(schema));
        match next {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn referenced<'a>(root: &'a JsonObject, schema: &Value) -> Option<&'a Value> {
    let pointer = schema.get("$ref")?.as_str()?.strip_prefix("#/")?;
    let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
    let found = root.get(first)?;
    if rest.is_empty() { Some(found) } else { found.pointer(&format!("/{rest}")) }
}

fn only_alternative(schema: &Value) -> Option<&Value> {
    let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let is_null = |one: &&Value| one.get("type") != Some(&Value::from("null"));
    let mut others = alternatives.iter().filter(is_null);
    others.next().filter(|_| others.next().is_none())
}
