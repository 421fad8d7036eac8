//! The arguments of a tool, as its JSON schema declares them.

use rmcp::model::JsonObject;
use serde_json::{Map, Value};

use super::{
    limits::Limits,
    schema::{Members, resolve},
};

/// What kind of value an argument takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A number without a fraction.
    Integer,
    Number,
    Boolean,
    /// Several values of one kind, separated by commas or as JSON.
    List(Box<Kind>),
    Object,
    /// The schema does not say, or allows several kinds.
    #[default]
    Anything,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// What users call it, if that is something else.
    pub(crate) title: Option<String>,
    pub(crate) kind: Kind,
    /// Whether the tool cannot do without it.
    pub(crate) is_required: bool,
    /// What the server says about it.
    pub(crate) description: Option<String>,
    /// What is taken when it is left out.
    pub(crate) default: Option<Value>,
    /// The only values it takes, if they are listed; of a list, each of its values.
    pub(crate) choices: Vec<Value>,
    /// How large, long or many it may be.
    pub(crate) limits: Limits,
}

/// The parameters of a tool or the fields of a form, parsed once from a JSON schema.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    /// Those that the schema declares: the required ones first, otherwise in its order.
    pub(crate) named: Vec<Parameter>,
    pub(crate) additional: Additional,
}

/// What a schema says about arguments that it does not declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Additional {
    Forbidden,
    /// It says nothing, so any value is allowed.
    Unspecified,
    /// Values of this kind are allowed.
    Of(Kind),
}

impl Parameters {
    pub(crate) fn parse(schema: &JsonObject) -> Self {
        let members = Members::collect(schema);
        let properties = members.properties.iter();
        let mut named: Vec<_> = properties
            .filter_map(|(name, schemas)| {
                let is_required = members.required.contains(name);
                schemas
                    .iter()
                    .map(|property| Parameter::parse(schema, name, property, is_required))
                    .reduce(Parameter::or)
            })
            .collect();
        named.sort_by_key(|parameter| !parameter.is_required);
        let additional = match members.additional {
            Some(property) => Additional::Of(kind(schema, resolve(schema, property))),
            None if members.is_closed => Additional::Forbidden,
            None => Additional::Unspecified,
        };
        Self { named, additional }
    }
}

impl Parameter {
    fn parse(root: &JsonObject, name: &str, property: &Value, is_required: bool) -> Self {
        let resolved = resolve(root, property);
        let member = |key: &str| property.get(key).or_else(|| resolved.get(key));
        let items = resolved.get("items").map(|items| resolve(root, items));
        let choices = choices(resolved).or_else(|| items.and_then(choices)).unwrap_or_default();
        Self {
            name: name.to_owned(),
            title: member("title").and_then(Value::as_str).map(str::to_owned),
            kind: kind(root, resolved),
            is_required,
            description: member("description").and_then(Value::as_str).map(str::to_owned),
            default: member("default").filter(|value| !value.is_null()).cloned(),
            choices,
            limits: Limits::parse(resolved, items),
        }
    }

    /// An argument that the schema does not declare.
    pub(super) fn undeclared(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, ..Self::default() }
    }

    /// The parameter that takes what `self` takes and what `other` takes, two schemas of one name.
    fn or(self, other: Self) -> Self {
        let have_choices = !self.choices.is_empty() && !other.choices.is_empty();
        let mut choices = self.choices;
        for choice in other.choices {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        Self {
            kind: if self.kind == other.kind { self.kind } else { Kind::Anything },
            choices: if have_choices { choices } else { Vec::new() },
            limits: if self.limits == other.limits { self.limits } else { Limits::default() },
            title: self.title.or(other.title),
            description: self.description.or(other.description),
            default: self.default.or(other.default),
            ..self
        }
    }

    /// What a value must be, if `value` is not that.
    pub(crate) fn expected_instead_of(&self, value: &Value) -> Option<String> {
        if !self.kind.takes(value) || !self.is_a_choice(value) {
            return Some(self.expected());
        }
        (!self.limits.allow(value)).then(|| self.limits.in_words().unwrap_or_default())
    }

    fn is_a_choice(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            _ if self.choices.is_empty() => true,
            (Kind::List(_), Value::Array(items)) if !self.choices.contains(value) => {
                items.iter().all(|item| self.choices.contains(item))
            }
            _ => self.choices.contains(value),
        }
    }

    /// The value that `text` means, or `None` if it means none.
    pub(crate) fn convert(&self, text: &str) -> Option<Value> {
        // Without a type, `1` may be the number or the text.
        let literal = (self.kind == Kind::Anything).then(|| Value::from(text));
        let mut meanings = self.kind.convert(text).into_iter().chain(literal);
        meanings.find(|value| self.is_a_choice(value))
    }

    /// What a value must be, in words.
    pub(crate) fn expected(&self) -> String {
        if self.choices.is_empty() {
            return self.kind.in_words();
        }
        let choices: Vec<_> = self.choices.iter().map(in_words).collect();
        match self.kind {
            Kind::List(_) => format!("some of {}", choices.join(", ")),
            _ => format!("one of {}", choices.join(", ")),
        }
    }

    /// `name=<…>`, in brackets if it may be left out.
    pub(crate) fn usage(&self) -> String {
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
            Self::Integer | Self::Number => {
                text.parse::<serde_json::Number>().ok().map(Value::from).filter(|n| self.takes(n))
            }
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

    /// Whether `value` is of this kind. `null` means a value that is left out.
    fn takes(&self, value: &Value) -> bool {
        match self {
            _ if value.is_null() => true,
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64() || is_whole(value),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List(item) => {
                value.as_array().is_some_and(|items| items.iter().all(|one| item.takes(one)))
            }
            Self::Object => value.is_object(),
            Self::Anything => true,
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

/// A value as a user would write it.
pub(crate) fn in_words(value: &Value) -> String {
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

/// The only values that `schema` allows, if it lists them in `enum` or as alternatives.
fn choices(schema: &Value) -> Option<Vec<Value>> {
    if let Some(listed) = schema.get("enum").and_then(Value::as_array) {
        return Some(listed.clone());
    }
    if let Some(only) = schema.get("const") {
        return Some(vec![only.clone()]);
    }
    let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let all: Option<Vec<_>> = alternatives.iter().map(|one| one.get("const").cloned()).collect();
    all.filter(|all| !all.is_empty())
}

/// JSON schema counts `5.0` as a whole number.
fn is_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}
