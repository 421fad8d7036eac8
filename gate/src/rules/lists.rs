//! Takes out of lists and completions what a caller may not use.

use serde_json::{Value, json};

use super::{Edit, Viewer, asked::Asked, decision::Kind};

/// The lists of a result, what is in them, and by which member it is known.
const LISTS: [(&str, Kind, &str); 4] = [
    ("tools", Kind::Tool, "name"),
    ("prompts", Kind::Prompt, "name"),
    ("resources", Kind::Resource, "uri"),
    ("resourceTemplates", Kind::Resource, "uriTemplate"),
];

/// Takes out what the viewer may not know, and says that the rest is for them alone (MCP 2026-07-28,
/// caching).
pub(super) fn filter(message: &mut Value, viewer: &Viewer) -> Edit {
    let Some(result) = message.get_mut("result").and_then(Value::as_object_mut) else {
        return Edit::Unchanged;
    };
    let mut edit = Edit::Unchanged;
    for (list, kind, member) in LISTS {
        let Some(items) = result.get_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        edit = Edit::Changed;
        items.retain(|item| {
            let name = item.get(member).and_then(Value::as_str);
            if let Some(name) = name.filter(|_| kind == Kind::Tool) {
                viewer.learn(name, item);
            }
            // What has no name cannot be judged.
            name.is_some_and(|name| viewer.sees(kind, name))
        });
    }
    if edit == Edit::Changed && (result.contains_key("cacheScope") || result.contains_key("ttlMs"))
    {
        result.insert("cacheScope".into(), json!("private"));
    }
    edit
}

/// The variable that a completion of a template is for.
#[derive(Clone, Debug)]
pub(super) struct Completed {
    template: String,
    argument: String,
}

impl Completed {
    pub(super) fn read(asked: &Asked) -> Option<Self> {
        let text = |place: &str| asked.message.pointer(place).and_then(Value::as_str);
        let mut template = text("/params/ref/uri")?.to_owned();
        let context = asked.message.pointer("/params/context/arguments").and_then(Value::as_object);
        for (name, value) in context.into_iter().flatten() {
            template = expand(&template, name, value.as_str().unwrap_or_default());
        }
        Some(Self { template, argument: text("/params/argument/name")?.to_owned() })
    }

    /// Takes out values that would name a resource that the viewer may not know.
    pub(super) fn filter(&self, message: &mut Value, viewer: &Viewer) -> Edit {
        let Some(completion) = message.pointer_mut("/result/completion") else {
            return Edit::Unchanged;
        };
        let Some(values) = completion.get_mut("values").and_then(Value::as_array_mut) else {
            return Edit::Unchanged;
        };
        let before = values.len();
        values.retain(|value| {
            let value = value.as_str().unwrap_or_default();
            viewer.sees(Kind::Resource, &expand(&self.template, &self.argument, value))
        });
        if values.len() == before {
            return Edit::Unchanged;
        }
        if let Some(completion) = completion.as_object_mut() {
            completion.remove("total");
        }
        Edit::Changed
    }
}

/// The template with a variable replaced, however it is written (RFC 6570 §2.2).
fn expand(template: &str, variable: &str, value: &str) -> String {
    let mut expanded = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((expression, behind)) = after.split_once('}') else { break };
        expanded.push_str(before);
        let name = expression.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
        let name = name.trim_end_matches('*').split(':').next().unwrap_or_default();
        if name == variable {
            expanded.push_str(value);
        } else {
            expanded.extend(["{", expression, "}"]);
        }
        rest = behind;
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_replaced_in_each_way_to_write_it() {
        for template in ["a://{b}/c", "a://{+b}/c", "a://{b*}/c", "a://{b:3}/c"] {
            assert_eq!(expand(template, "b", "x/y"), "a://x/y/c", "{template}");
        }
        assert_eq!(expand("a://{b}/{c}", "c", "x"), "a://{b}/x");
        assert_eq!(expand("a://{b", "b", "x"), "a://{b");
    }
}
