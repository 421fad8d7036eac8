//! Tests of how answers are shown.

use serde_json::json;

use super::*;

fn shown(result: Value) -> (String, tempfile::TempDir) {
    let home = tempfile::tempdir().expect("a directory");
    let received = Received::new(home.path().into());
    let mut presenter = Presenter::new(&received, None, "draw");
    let shown = presenter.result(&serde_json::from_value(result).expect("a result"));
    (shown.join("\n").replace(&home.path().display().to_string(), "DIR"), home)
}

fn text(result: Value) -> String {
    shown(result).0
}

#[test]
fn text_is_shown_as_it_is() {
    let result = json!({"content": [{"type": "text", "text": "Hello Nick Lucas: ping pong"}]});
    assert_eq!(text(result), "Hello Nick Lucas: ping pong");
}

#[test]
fn structured_content_is_shown_where_the_text_only_repeats_it() {
    let value = json!({"name": "Nick", "scopes": ["a", "b"]});
    let repeated = json!([{"type": "text", "text": value.to_string()}]);
    for content in [json!([]), repeated] {
        let result = json!({"content": content, "structuredContent": value});
        assert_eq!(text(result), "name    Nick\nscopes  a, b");
    }
    let more = json!({"content": [{"type": "text", "text": "hi"}], "structuredContent": value});
    assert_eq!(text(more), "hi");
}

#[test]
fn lists_of_rows_are_tables() {
    let rows = json!([{"name": "a", "size": 1}, {"name": "b", "size": 20}]);
    let table = "name  size\n────  ────\na        1\nb       20";
    let structured = |value: Value| text(json!({"content": [], "structuredContent": value}));
    assert_eq!(structured(json!({"files": rows})), table);
    let more = structured(json!({"files": rows, "total": 2}));
    assert_eq!(more, format!("total  2\n\nfiles:\n{table}"));
}

#[test]
fn deep_structures_are_shown_as_json() {
    let deep = json!({"content": [], "structuredContent": {"a": {"b": 1}}});
    assert_eq!(text(deep), "{\n  \"a\": {\n    \"b\": 1\n  }\n}");
}

#[test]
fn what_is_no_text_is_kept_in_files_and_named() {
    let (text, home) = shown(json!({"content": [
        {"type": "image", "data": "aGk=", "mimeType": "image/png"},
        {"type": "image", "data": "aG8=", "mimeType": "image/png"},
        {"type": "audio", "data": "aGE=", "mimeType": "audio/wav"},
        {"type": "resource", "resource":
            {"uri": "file:///c/report.final.pdf?v=1", "blob": "aGU=", "mimeType": "application/pdf"}},
        {"type": "image", "data": "?", "mimeType": "image/png"},
    ]}));
    assert_eq!(
        text,
        "[image, image/png, 2 bytes: DIR/draw.png]\n\
         [image, image/png, 2 bytes: DIR/draw-2.png]\n\
         [audio, audio/wav, 2 bytes: DIR/draw.wav]\n\
         [resource file:///c/report.final.pdf?v=1, application/pdf, 2 bytes: DIR/report.pdf]\n\
         [image, image/png, which cannot be decoded; `--json` has it as it came]"
    );
    assert_eq!(std::fs::read(home.path().join("draw-2.png")).expect("kept"), b"ho");
    assert_eq!(std::fs::read_dir(home.path()).expect("a directory").count(), 4);
}

#[test]
fn resources_are_named() {
    let result = json!({"content": [
        {"type": "resource_link", "uri": "file:///a", "name": "a"},
        {"type": "resource_link", "uri": "file:///b", "name": "b", "title": "The B",
         "mimeType": "text/csv", "size": 12345, "description": "All\nof it"},
        {"type": "resource", "resource": {"uri": "file:///c", "text": "inside"}},
    ]});
    assert_eq!(
        text(result),
        "[resource file:///a] a\n[resource file:///b] The B (text/csv, 12 kB): All of it\n\
         [resource file:///c]\ninside"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_a_failure_and_the_text_is_shown_all_the_same() {
    let home = tempfile::tempdir().expect("a directory");
    let taken = home.path().join("taken");
    std::fs::write(&taken, b"").expect("written");
    let received = Received::new(taken);
    let mut presenter = Presenter::new(&received, None, "draw");
    let result = json!({"content": [
        {"type": "text", "text": "before"},
        {"type": "image", "data": "aGk=", "mimeType": "image/png"},
    ]});
    let shown = presenter.result(&serde_json::from_value(result).expect("a result"));
    assert_eq!(shown[0], "before");
    assert!(shown[1].contains("not kept"), "{shown:?}");
    assert!(presenter.failure.is_some());
}
