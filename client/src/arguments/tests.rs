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

/// What `raw` means for `tool`.
fn arguments(tool: &Tool, raw: &RawArguments) -> Result<JsonObject, ArgumentError> {
    let signature = Signature::parse(tool);
    signature.read(raw).and_then(|arguments| signature.complete(arguments))
}

fn typed(tool: &Tool, rest: &str) -> Result<Value, String> {
    arguments(tool, &RawArguments::from_line(rest))
        .map(Value::from)
        .map_err(|error| error.to_string())
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
    let given = |words: &[&str]| {
        RawArguments::from_words(words.iter().map(|word| (*word).into()).collect())
    };
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
    assert_eq!(problem("query=a filter:={"), "`filter` must be JSON, not `{`");
}

#[test]
fn a_tool_without_arguments_takes_none() {
    let whoami = tool("whoami", json!({"type": "object", "additionalProperties": false}));
    assert_eq!(typed(&whoami, ""), Ok(json!({})));
    for rest in ["loud=yes", "loudly"] {
        assert_eq!(typed(&whoami, rest), Err("`whoami` takes no arguments".to_owned()));
    }
}

#[test]
fn names_that_the_schema_does_not_forbid_are_passed_on() {
    let bare = tool("bare", json!({"type": "object"}));
    assert_eq!(typed(&bare, "a=1 b=x c:=[2]"), Ok(json!({"a": 1, "b": "x", "c": [2]})));
    assert!(typed(&bare, "loudly").expect_err("refused").contains("is not key=value"));
    let texts = json!({"additionalProperties": {"type": "string"}});
    assert_eq!(typed(&tool("texts", texts), "a=1"), Ok(json!({"a": "1"})));
    let numbers =
        json!({"patternProperties": {"^n": {"type": "integer"}}, "additionalProperties": false});
    assert_eq!(typed(&tool("numbers", numbers.clone()), "n1=5"), Ok(json!({"n1": 5})));
    assert!(typed(&tool("numbers", numbers), "n1=x").is_err());
    assert_eq!(typed(&search(), "query=a colour=red"), Ok(json!({"query": "a", "colour": "red"})));
}

#[test]
fn arguments_are_found_wherever_the_schema_declares_them() {
    let circle = json!({"properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}},
        "required": ["kind", "radius"]});
    let square = json!({"properties": {"kind": {"const": "square"}, "side": {"type": "number"}},
        "required": ["kind", "side"]});
    for place in ["anyOf", "oneOf"] {
        let draw = tool("draw", json!({"type": "object", place: [circle, square]}));
        let drawn = typed(&draw, "kind=circle radius=2.5");
        assert_eq!(drawn, Ok(json!({"kind": "circle", "radius": 2.5})), "{place}");
        let refused = typed(&draw, "kind=star").expect_err("refused");
        assert_eq!(refused, "`kind` must be one of circle, square, not `star`");
        assert_eq!(typed(&draw, "side=2"), Err("`draw` needs `kind`".to_owned()));
    }
    let all = tool(
        "all",
        json!({"allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": {}}}],
        "$defs": {"A": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}}),
    );
    assert_eq!(typed(&all, "a=1 b=x"), Ok(json!({"a": 1, "b": "x"})));
    assert_eq!(typed(&all, "b=x"), Err("`all` needs `a`".to_owned()));
    let referred = json!({"$ref": "#/definitions/T", "definitions": {"T": {"properties":
        {"text": {"type": "string"}}, "required": ["text"]}}});
    assert_eq!(typed(&tool("referred", referred), "a b"), Ok(json!({"text": "a b"})));
    let modes = json!({"oneOf": [{"const": "x", "title": "X"}, {"const": 5}]});
    let modes = tool("modes", json!({"properties": {"mode": modes}}));
    assert_eq!(typed(&modes, "mode=x"), Ok(json!({"mode": "x"})));
    assert_eq!(typed(&modes, "mode=5"), Ok(json!({"mode": 5})));
    assert_eq!(typed(&modes, "mode=z"), Err("`mode` must be one of x, 5, not `z`".to_owned()));
    let knot = json!({"$ref": "#/$defs/K", "$defs": {"K": {"allOf": [{"$ref": "#/$defs/K"},
        {"$ref": "#/$defs/K"}], "properties": {"a": {"type": "boolean"}}}}});
    assert_eq!(typed(&tool("knot", knot), "a=yes"), Ok(json!({"a": true})));
    let odd =
        json!({"properties": {"no": false, "yes": true}, "anyOf": [5, null, {"type": "null"}]});
    assert_eq!(typed(&tool("odd", odd), "yes=1"), Ok(json!({"yes": 1})));
}

#[test]
fn values_outside_of_the_bounds_are_refused_before_they_are_sent() {
    let book = tool(
        "book",
        json!({"properties": {
            "people": {"type": "integer", "minimum": 1, "maximum": 20},
            "name": {"type": "string", "minLength": 2},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
            "share": {"type": "number", "exclusiveMinimum": 0},
        }}),
    );
    let problem = |rest: &str| typed(&book, rest).expect_err("refused");
    assert_eq!(problem("people=21"), "`people` must be from 1 to 20, not `21`");
    assert_eq!(problem("people:=21"), "`people` must be from 1 to 20, not `21`");
    assert_eq!(problem("people:=\"two\""), "`people` must be a whole number, not `\"two\"`");
    assert_eq!(problem("name=x"), "`name` must be at least 2 characters, not `x`");
    assert_eq!(problem("tags=a,c"), "`tags` must be some of a, b, not `a,c`");
    assert_eq!(problem("tags=a,b,a"), "`tags` must be at most 2 values, not `a,b,a`");
    assert_eq!(problem("share=0"), "`share` must be more than 0, not `0`");
    assert!(typed(&book, "people=20 name=xy tags=a,b share=0.1").is_ok());
    assert!(typed(&book, "people:=2.0 name:=null").is_ok());
}

#[test]
fn a_name_that_resembles_an_argument_is_asked_about() {
    let slip = |tool: &Tool, rest: &str| {
        let error = arguments(tool, &RawArguments::from_line(rest)).expect_err("asked about");
        error.resembling().map(|(name, meant)| (name.to_owned(), meant.to_owned()))
    };
    let pair = |name: &str, meant: &str| Some((name.to_owned(), meant.to_owned()));
    assert_eq!(slip(&echo(), "mesage=hi there"), pair("mesage", "message"));
    assert_eq!(slip(&search(), "query=a limt=5"), pair("limt", "limit"));
    let given = RawArguments::from_line("query=a limt=5");
    let corrected = arguments(&search(), &given.clone().corrected("limt", "limit"));
    assert_eq!(corrected.map(Value::from), Ok(json!({"query": "a", "limit": 5})));
    let meant = arguments(&search(), &given.confirming("limt"));
    assert_eq!(meant.map(Value::from), Ok(json!({"query": "a", "limt": 5})));
    let text = RawArguments::from_line("mesage=hi there").corrected("mesage", "message");
    assert!(arguments(&echo(), &text).is_err(), "`there` is not key=value");
    let text = RawArguments::from_line("mesage=hi there").confirming("mesage");
    assert_eq!(
        arguments(&echo(), &text).map(Value::from),
        Ok(json!({"message": "mesage=hi there"}))
    );
    assert_eq!(typed(&search(), "query=a limt:=5"), Ok(json!({"query": "a", "limt": 5})));
    let closed = json!({"properties": {"colour": {}}, "additionalProperties": false});
    let closed = tool("closed", closed);
    assert_eq!(slip(&closed, "colur:=1"), pair("colur", "colour"));
    let given = RawArguments::from_line("colur=1").confirming("colur");
    let refused = arguments(&closed, &given).expect_err("refused").to_string();
    assert_eq!(refused, "`closed` has no argument `colur`; it has `colour`");
    assert_eq!(
        typed(&search(), "query=a =5"),
        Err("`=5` is not key=value; a value with spaces needs quotes".to_owned())
    );
}

#[test]
fn the_usage_shows_both_ways_to_call() {
    let error = arguments(&echo(), &RawArguments::from_line("")).expect_err("refused");
    assert_eq!(error.hint(), "usage: echo <message>   or   echo message=<text>");
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let knot = tool("knot", json!({"properties": {"a": {"$ref": "#/properties/a"}}}));
    assert_eq!(typed(&knot, "a=1"), Ok(json!({"a": 1})));
}
