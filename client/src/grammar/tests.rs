//! Tests of how lines and words become arguments.

use std::sync::Arc;

use serde_json::json;

use super::*;

fn tool(name: &'static str, schema: Value) -> Tool {
    let schema = schema.as_object().cloned().expect("an object");
    Tool::new_with_raw(name, None, Arc::new(schema))
}

fn echo() -> Tool {
    let properties = json!({"message": {"type": "string"}});
    tool("echo", json!({"type": "object", "properties": properties, "required": ["message"]}))
}

fn search() -> Tool {
    tool(
        "search",
        json!({
            "properties": {
                "limit": {"type": "integer", "default": 10},
                "query": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "exact": {"type": ["boolean", "null"]},
                "order": {"$ref": "#/$defs/Order"},
                "filter": {"anyOf": [{"type": "object"}, {"type": "null"}]},
                "anything": {},
            },
            "required": ["query"],
            "$defs": {"Order": {"type": "string", "enum": ["new", "old"]}},
        }),
    )
}

fn typed(tool: &Tool, rest: &str) -> Result<Value, String> {
    arguments(tool, &Given::from_line(rest)).map(Value::from).map_err(|error| error.to_string())
}

#[test]
fn the_rest_of_the_line_is_the_only_required_text() {
    assert_eq!(typed(&echo(), "ping pong"), Ok(json!({"message": "ping pong"})));
    assert_eq!(typed(&echo(), "a  b"), Ok(json!({"message": "a  b"})));
    assert_eq!(typed(&echo(), "don't panic"), Ok(json!({"message": "don't panic"})));
    assert_eq!(typed(&echo(), "say \"hi\""), Ok(json!({"message": "say \"hi\""})));
    assert_eq!(typed(&search(), "rust async"), Ok(json!({"query": "rust async"})));
}

#[test]
fn quotes_around_all_of_it_are_taken_off() {
    assert_eq!(typed(&echo(), "\"ping  pong\""), Ok(json!({"message": "ping  pong"})));
    assert_eq!(typed(&echo(), "'it is'"), Ok(json!({"message": "it is"})));
}

#[test]
fn an_equals_sign_in_text_is_text_unless_the_key_is_known() {
    assert_eq!(typed(&echo(), "a=b"), Ok(json!({"message": "a=b"})));
    assert_eq!(typed(&echo(), "message=\"ping pong\""), Ok(json!({"message": "ping pong"})));
    assert_eq!(typed(&echo(), "message=\"a \\\"b\\\"\""), Ok(json!({"message": "a \"b\""})));
}

#[test]
fn the_shell_may_have_split_the_words_already() {
    let given =
        |words: &[&str]| Given::from_words(words.iter().map(|word| (*word).into()).collect());
    let read = |words: &[&str]| arguments(&echo(), &given(words)).map(Value::from);
    assert_eq!(read(&["ping", "pong"]), Ok(json!({"message": "ping pong"})));
    assert_eq!(read(&["message=ping pong"]), Ok(json!({"message": "ping pong"})));
    assert!(read(&[]).is_err());
}

#[test]
fn values_are_read_by_the_schema() {
    let line = r#"query=x limit=5 tags=a,b exact=yes order=old filter:={"a": "b c"} anything=7"#;
    assert_eq!(
        typed(&search(), line),
        Ok(json!({
            "query": "x", "limit": 5, "tags": ["a", "b"], "exact": true, "order": "old",
            "filter": {"a": "b c"}, "anything": 7
        }))
    );
    assert_eq!(typed(&search(), "query=5"), Ok(json!({"query": "5"})));
}

#[test]
fn what_is_wrong_is_named() {
    let problem = |rest: &str| typed(&search(), rest).expect_err("refused");
    assert_eq!(problem(""), "`search` needs `query`");
    assert_eq!(problem("query=x limit=many"), "`limit` must be a whole number, not `many`");
    assert_eq!(problem("query=x order=best"), "`order` must be one of new, old, not `best`");
    assert_eq!(problem("query=a b"), "`b` is not key=value; a value with spaces needs quotes");
    assert_eq!(problem("query=a query=b"), "`query` is given twice");
    assert_eq!(problem("query=\"a"), "a quote is not closed");
    assert!(problem("query=a colour=red").starts_with("`search` has no argument `colour`; it has"));
    assert_eq!(problem("query=a filter:={"), "`filter` must be JSON, not `{`");
}

#[test]
fn a_tool_without_arguments_takes_none() {
    let whoami = tool("whoami", json!({"type": "object"}));
    assert_eq!(typed(&whoami, ""), Ok(json!({})));
    for rest in ["loud=yes", "loudly"] {
        assert_eq!(typed(&whoami, rest), Err("`whoami` takes no arguments".to_owned()));
    }
}

#[test]
fn the_usage_shows_both_ways_to_call() {
    let error = arguments(&echo(), &Given::from_line("")).expect_err("refused");
    assert_eq!(error.hint().as_deref(), Some("usage: echo <message>   or   echo message=<text>"));
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let knot = tool("knot", json!({"properties": {"a": {"$ref": "#/properties/a"}}}));
    assert_eq!(typed(&knot, "a=1"), Ok(json!({"a": 1})));
}
