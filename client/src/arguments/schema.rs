//! Finds what a JSON schema says about the members of an object, wherever it says it: in
//! `properties`, behind references, and in the parts of `allOf`, `anyOf` and `oneOf`.

use std::collections::BTreeSet;

use rmcp::model::JsonObject;
use serde_json::Value;

/// How deep schemas may be nested and referred to before the rest is left unread.
const MAX_DEPTH: usize = 8;
/// How many parts of one schema are read: references may multiply.
const MAX_PARTS: usize = 256;

/// The members of an object, gathered from all parts of its schema.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    /// Each property with every schema that is given for it, in the order in which they stand.
    pub(crate) properties: Vec<(&'a str, Vec<&'a Value>)>,
    /// The names that every object must have.
    pub(crate) required: BTreeSet<&'a str>,
    /// The schema of properties that are not named, where there is one.
    pub(crate) additional: Option<&'a Value>,
    /// Whether properties that are not named are forbidden.
    pub(crate) is_closed: bool,
    parts: usize,
}

impl<'a> Members<'a> {
    pub(super) fn collect(root: &'a JsonObject) -> Self {
        let mut members = Self::default();
        members.required = members.gather(root, root, 0);
        members
    }

    /// Adds what `schema` declares, and returns what it requires.
    fn gather(
        &mut self,
        root: &'a JsonObject,
        schema: &'a JsonObject,
        depth: usize,
    ) -> BTreeSet<&'a str> {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return BTreeSet::new();
        }
        self.add_properties(schema);
        let texts =
            |value: &'a Value| value.as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut required: BTreeSet<_> =
            schema.get("required").into_iter().flat_map(texts).collect();
        let target = schema.get("$ref").and_then(|reference| referenced(root, reference));
        let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for part in target.into_iter().chain(all).filter_map(Value::as_object) {
            required.extend(self.gather(root, part, depth + 1));
        }
        for name in ["then", "else"] {
            if let Some(part) = schema.get(name).and_then(Value::as_object) {
                self.gather(root, part, depth + 1);
            }
        }
        for name in ["anyOf", "oneOf"] {
            let parts = schema.get(name).and_then(Value::as_array).into_iter().flatten();
            let parts = parts.filter(|part| !is_null(part)).filter_map(Value::as_object);
            let each: Vec<_> = parts.map(|part| self.gather(root, part, depth + 1)).collect();
            // Only what every alternative requires is needed in any case.
            let in_all = each.into_iter().reduce(|one, other| &one & &other);
            required.extend(in_all.unwrap_or_default());
        }
        required
    }

    fn add_properties(&mut self, schema: &'a JsonObject) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            // `false` forbids the property.
            if *property == Value::Bool(false) {
                continue;
            }
            match self.properties.iter_mut().find(|(known, _)| known == name) {
                Some((_, schemas)) => schemas.push(property),
                None => self.properties.push((name, vec![property])),
            }
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let pattern = patterns.and_then(|patterns| patterns.values().next());
        match schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties")) {
            // What fits a pattern is allowed all the same.
            Some(Value::Bool(false)) if pattern.is_none() => self.is_closed = true,
            Some(additional @ Value::Object(_)) => self.additional = Some(additional),
            _ => self.additional = self.additional.or(pattern),
        }
    }
}

/// The schema behind references within the document and behind parts that leave no choice, such as
/// "this or null". References to anywhere else are never followed.
pub(super) fn resolve<'a>(root: &'a JsonObject, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let target = schema.get("$ref").and_then(|reference| referenced(root, reference));
        match target.or_else(|| only_part(schema)) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn referenced<'a>(root: &'a JsonObject, reference: &Value) -> Option<&'a Value> {
    let pointer = reference.as_str()?.strip_prefix("#/")?;
    let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
    let found = root.get(first)?;
    if rest.is_empty() { Some(found) } else { found.pointer(&format!("/{rest}")) }
}

fn only_part(schema: &Value) -> Option<&Value> {
    let names = ["anyOf", "oneOf", "allOf"];
    let parts = names.iter().find_map(|name| schema.get(name))?.as_array()?;
    let mut others = parts.iter().filter(|part| !is_null(part));
    others.next().filter(|_| others.next().is_none())
}

fn is_null(schema: &Value) -> bool {
    schema.get("type") == Some(&Value::from("null"))
}
