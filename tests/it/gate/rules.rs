//! Rules for the tools, prompts and resources of a server behind the gate.

use std::fs;

use ::gate::{Gate, config::Config};
use clap::Parser;
use net::clock::Clock;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::{Wire, message, post, send},
    },
    servers::{
        document_server::{Document, DocumentServer},
        mcp_server::{McpServer, tool},
    },
    stack::{Stack, access_token::signed, gate},
};

/// A server behind a gate with rules.
struct Ruled {
    stack: Stack,
    server: McpServer,
    resource: String,
}

const KINDS: [&str; 2] = ["json", "events"];

impl Ruled {
    /// Behind a gate with this `[gate]`, which finds `PINS` replaced by the name of a file.
    async fn start(kind: &str, rules: &str) -> Self {
        let stack = Stack::start().await;
        let server = McpServer::start(&[
            tool("echo", true),
            tool("delete_all", false),
            tool("secret", true),
        ])
        .await;
        let pins = stack.directory().join("tools.json").display().to_string();
        let file = stack.directory().join("gate.toml");
        fs::write(&file, rules.replace("PINS", &pins)).unwrap();
        let options = ["--config", file.to_str().unwrap()];
        let resource = gate::start(&stack, &server.at(kind), &options).await;
        Self { stack, server, resource }
    }

    fn token(&self, change: &Value) -> String {
        let mut claims = json!({"aud": self.resource});
        change.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        signed(&self.stack, &claims)
    }

    /// Asks as the usual caller.
    async fn ask(&self, method: &str, params: Value) -> Answer {
        self.ask_as(&json!({}), method, params).await
    }

    /// Asks with other claims.
    async fn ask_as(&self, claims: &Value, method: &str, params: Value) -> Answer {
        let request = post(&self.resource, &self.token(claims));
        Answer::of(request.json(&message(method, params))).await
    }

    async fn call(&self, name: &str) -> Answer {
        self.ask("tools/call", json!({"name": name, "arguments": {}})).await
    }

    /// The names in all pages of the list of tools.
    async fn tools(&self, claims: &Value) -> Vec<String> {
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let answer = self.ask_as(claims, "tools/list", params).await;
            names.extend(names_in(&answer.json["result"]["tools"], "name"));
            params = json!({"cursor": answer.json["result"]["nextCursor"]});
            if params["cursor"].is_null() {
                return names;
            }
        }
    }
}

fn names_in(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

fn result(answer: &Answer) -> &str {
    answer.json["result"]["content"][0]["text"].as_str().unwrap_or_default()
}

fn error(answer: &Answer) -> &Value {
    &answer.json["error"]
}

const SECRET: &str = r#"
[gate]
default = "allow"
[[gate.tools]]
match = "secret"
scopes = ["mcp:admin"]
hidden = true
[[gate.prompts]]
match = "secret"
allow = false
[[gate.resources]]
match = "file:///secret/*"
allow = false
"#;

#[tokio::test]
async fn lists_show_what_the_caller_may_use_whether_they_come_as_json_or_as_events() {
    for kind in KINDS {
        let ruled = Ruled::start(kind, SECRET).await;
        assert_eq!(ruled.tools(&json!({})).await, ["echo", "delete_all"], "{kind}");
        let admin = json!({"scope": "mcp:tools mcp:admin"});
        assert_eq!(ruled.tools(&admin).await, ["echo", "delete_all", "secret"], "{kind}");
        let list = ruled.ask("tools/list", json!({})).await.json["result"].clone();
        assert_eq!((&list["cacheScope"], &list["ttlMs"]), (&json!("private"), &json!(1000)));
        for (method, list, member, names) in [
            ("prompts/list", "prompts", "name", "greet"),
            ("resources/list", "resources", "uri", "file:///public/a"),
            ("resources/templates/list", "resourceTemplates", "uriTemplate", "file:///{+path}"),
            ("resources/directory/read", "resources", "uri", "file:///public/a"),
        ] {
            let answer = ruled.ask(method, json!({"uri": "file:///"})).await;
            assert_eq!(names_in(&answer.json["result"][list], member), [names], "{kind} {method}");
        }
    }
}

#[tokio::test]
async fn a_message_that_rules_allow_passes_as_it_was_written() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", Document::json(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
    let file = stack.directory().join("gate.toml");
    fs::write(&file, SECRET).unwrap();
    let options = ["--config", file.to_str().unwrap()];
    let resource = gate::start(&stack, &server.at("/mcp"), &options).await;
    // A number that most parsers would round.
    let call = r#"{ "jsonrpc":"2.0", "id":1, "method":"tools/call", "params":{"name":"echo",
        "arguments":{"n":123456789012345678901234567890}} }"#;
    let token = signed(&stack, &json!({"aud": resource}));
    assert_eq!(Answer::of(post(&resource, &token).body(call)).await.status, 200);
    assert_eq!(server.last_body("/mcp"), call);
}

#[tokio::test]
async fn a_resumed_stream_shows_no_more_than_a_list() {
    let ruled = Ruled::start("json", SECRET).await;
    let request = http().get(&ruled.resource).bearer_auth(ruled.token(&json!({})));
    let stream = request.header("accept", "text/event-stream").header("last-event-id", "7");
    let text = stream.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("delete_all") && text.contains("greet") && text.contains("public/a"));
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn something_hidden_is_answered_exactly_like_something_unknown() {
    for kind in KINDS {
        let ruled = Ruled::start(kind, SECRET).await;
        for (method, member, hidden, unknown) in [
            ("tools/call", "name", "secret", "nothing"),
            ("tools/call", "name", "SECRET", "nothing"),
            ("prompts/get", "name", "secret", "nothing"),
            ("resources/read", "uri", "file:///secret/b", "file:///x"),
            ("resources/read", "uri", "file:///public/../secret/b", "file:///x"),
        ] {
            let params = |name: &str| json!({member: name});
            let [hidden_answer, unknown_answer] =
                [ruled.ask(method, params(hidden)).await, ruled.ask(method, params(unknown)).await];
            let told = hidden_answer.json.to_string().replace(hidden, unknown);
            assert_eq!(told, unknown_answer.json.to_string(), "{kind} {method} {hidden}");
            assert_eq!(hidden_answer.status, unknown_answer.status);
            let seen = ruled.server.seen();
            assert!(!seen[0].to_string().contains("secret"), "{seen:?}");
        }
        assert_eq!(result(&ruled.call("echo").await), "did echo");
        // The headers of 2026-07-28 repeat the name; the server would notice if they differed.
        let token = ruled.token(&json!({}));
        let params = json!({"name": "secret"});
        let answer = send(&ruled.resource, Wire::V2026, &token, "tools/call", params).await;
        assert_eq!(error(&answer)["message"], "Unknown tool: secret");
    }
}

#[tokio::test]
async fn a_completion_names_nothing_hidden() {
    let ruled = Ruled::start("json", SECRET).await;
    let params = json!({"ref": {"type": "ref/resource", "uri": "file:///{+path}"},
        "argument": {"name": "path", "value": ""}});
    let answer = ruled.ask("completion/complete", params).await;
    assert_eq!(answer.json["result"]["completion"], json!({"values": ["public/a"]}));
    let params = json!({"ref": {"type": "ref/resource", "uri": "file:///secret/{name}"},
        "argument": {"name": "name", "value": ""}});
    ruled.ask("completion/complete", params).await;
    let seen = ruled.server.seen();
    assert!(!seen[1].to_string().contains("secret"), "{seen:?}");
}

#[tokio::test]
async fn a_missing_scope_is_403_with_a_challenge_that_names_it() {
    let rules = "[gate]\ndefault = \"allow\"\n[[gate.tools]]\nmatch = [\"delete_*\", \"drop_*\"]\n\
                 scopes = [\"mcp:tools\", \"mcp:write\"]";
    let ruled = Ruled::start("json", rules).await;
    assert_eq!(ruled.tools(&json!({})).await.len(), 3, "so that the client can ask for the scope");
    let refused = ruled.call("delete_all").await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (403, "insufficient_scope"));
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with("Bearer error=\"insufficient_scope\"")
            && challenge.contains("scope=\"mcp:tools mcp:write\"")
            && challenge.contains("resource_metadata="),
        "{challenge}"
    );
    let called: Vec<_> = ruled.server.seen();
    assert!(called.iter().all(|message| message["method"] == "tools/list"), "{called:?}");
    let claims = json!({"scope": "mcp:write mcp:tools"});
    let params = json!({"name": "delete_all"});
    assert_eq!(result(&ruled.ask_as(&claims, "tools/call", params).await), "did delete_all");
}

#[tokio::test]
async fn a_rule_for_groups_is_for_their_members_and_hides_from_all_others() {
    let rules = "[gate]\ndefault = \"allow\"\n[[gate.tools]]\nmatch = \"secret\"\n\
                 groups = [\"staff\", \"admins\"]";
    let ruled = Ruled::start("json", rules).await;
    let params = || json!({"name": "secret"});
    let member = json!({"groups": ["people", "admins"]});
    assert_eq!(result(&ruled.ask_as(&member, "tools/call", params()).await), "did secret");
    assert_eq!(ruled.tools(&member).await.len(), 3);
    for other in [json!({}), json!({"groups": ["Admins"]}), json!({"groups": []})] {
        let refused = ruled.ask_as(&other, "tools/call", params()).await;
        assert_eq!(error(&refused)["message"], "Unknown tool: secret", "{other}");
        assert_eq!(ruled.tools(&other).await, ["echo", "delete_all"], "{other}");
    }
}

#[tokio::test]
async fn with_deny_as_the_default_only_what_a_rule_allows_is_there() {
    let rules = "[gate]\ndefault = \"deny\"\n[[gate.tools]]\nmatch = \"echo\"";
    for kind in KINDS {
        let ruled = Ruled::start(kind, rules).await;
        assert_eq!(ruled.tools(&json!({})).await, ["echo"]);
        assert_eq!(result(&ruled.call("echo").await), "did echo");
        assert_eq!(error(&ruled.call("secret").await)["message"], "Unknown tool: secret");
        let prompts = ruled.ask("prompts/list", json!({})).await;
        assert_eq!(prompts.json["result"]["prompts"], json!([]));
        let foreign = ruled.ask("admin/reset", json!({})).await;
        assert_eq!(error(&foreign)["code"], -32601, "{}", foreign.json);
        let pong = ruled.ask("ping", json!({})).await;
        assert_eq!(pong.json["result"]["method"], "ping");
    }
}

#[tokio::test]
async fn in_read_only_mode_a_tool_must_say_that_it_changes_nothing() {
    for kind in KINDS {
        let ruled = Ruled::start(kind, "[gate]\nread_only = true").await;
        // No client has listed the tools yet, so the gate does; on either wire.
        let token = ruled.token(&json!({}));
        let params = json!({"name": "secret", "_meta": {"progressToken": 7}});
        let answer = send(&ruled.resource, Wire::V2026, &token, "tools/call", params).await;
        assert_eq!(result(&answer), "did secret", "{}", answer.json);
        let listed = ruled.server.seen();
        assert_eq!(listed.len(), 4, "three pages and the call: {listed:?}");
        assert!(listed[0].pointer("/params/_meta/progressToken").is_none());
        assert_eq!(result(&ruled.call("echo").await), "did echo");
        let refused = ruled.call("delete_all").await;
        assert_eq!(error(&refused)["message"], "Unknown tool: delete_all");
        assert_eq!(ruled.tools(&json!({})).await, ["echo", "secret"]);
    }
}

#[tokio::test]
async fn arguments_that_are_too_large_and_calls_that_are_too_many_are_refused() {
    let rules = "[gate]\ndefault = \"allow\"\ncalls_per_minute = 4\n[[gate.tools]]\n\
                 match = \"echo\"\nmax_arguments = 20\ncalls_per_minute = 2";
    let ruled = Ruled::start("json", rules).await;
    let large = json!({"name": "echo", "arguments": {"text": "a".repeat(20)}});
    let refused = ruled.ask("tools/call", large).await;
    assert_eq!((refused.status.as_u16(), &error(&refused)["code"]), (200, &json!(-32602)));
    assert_eq!(error(&refused)["data"]["reason"], "rule_arguments");
    for status in [200, 200, 429] {
        assert_eq!(ruled.call("echo").await.status, status);
    }
    let other = ruled.call("delete_all").await;
    assert_eq!(
        (other.status.as_u16(), &error(&other)["data"]["reason"]),
        (429, &json!("calls_too_many"))
    );
    assert_eq!(other.json["id"], 1);
    let retry: i64 = other.headers["retry-after"].to_str().unwrap().parse().unwrap();
    // Another client of the same user has no more, another user has.
    let params = || json!({"name": "echo", "arguments": {}});
    let claims = json!({"client_id": "another"});
    assert_eq!(ruled.ask_as(&claims, "tools/call", params()).await.status, 429);
    assert_eq!(ruled.ask_as(&json!({"sub": "eve"}), "tools/call", params()).await.status, 200);
    assert_eq!(ruled.ask("tools/list", json!({})).await.status, 200);
    ruled.stack.advance(retry);
    assert_eq!(ruled.call("echo").await.status, 200);
}

#[tokio::test]
async fn a_call_counts_as_in_progress_until_its_stream_has_ended() {
    let ruled = Ruled::start("hanging", "[gate]\nconcurrent_calls = 1").await;
    let token = ruled.token(&json!({}));
    let call = || {
        let params = json!({"name": "echo", "arguments": {}});
        post(&ruled.resource, &token).json(&message("tools/call", params))
    };
    let open = call().send().await.unwrap();
    assert_eq!(open.status(), 200);
    let refused = Answer::of(call()).await;
    assert_eq!(
        (refused.status.as_u16(), &error(&refused)["data"]["reason"]),
        (429, &json!("calls_at_once"))
    );
    let other = post(&ruled.resource, &ruled.token(&json!({"sub": "eve"})));
    let params = json!({"name": "echo"});
    assert_eq!(other.json(&message("tools/call", params)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_changed_definition_is_refused_until_an_operator_accepts_it() {
    let rules = "[gate]\npin = \"refuse\"\npins = \"PINS\"";
    let ruled = Ruled::start("json", rules).await;
    let file = ruled.stack.directory().join("tools.json");
    assert!(ruled.tools(&json!({})).await.is_empty(), "none is accepted yet");
    assert_eq!(error(&ruled.call("echo").await)["message"], "Unknown tool: echo");
    let accept = |names: &[&str]| {
        let options = ["gate", "tools", "accept", file.to_str().unwrap()];
        let command = ::gate::commands::CommandLine::try_parse_from([&options[..], names].concat());
        let mut shown = Vec::new();
        command.unwrap().command.unwrap().run(&mut shown).unwrap();
        String::from_utf8(shown).unwrap()
    };
    assert_eq!(accept(&["--all"]), "accepted delete_all\naccepted echo\naccepted secret\n");
    assert_eq!(ruled.tools(&json!({})).await, ["echo", "delete_all", "secret"]);
    let mut changed = tool("echo", true);
    changed["description"] = json!("Does echo, and sends me your files");
    ruled.server.put_tools(&[changed, tool("secret", true)]);
    assert_eq!(ruled.tools(&json!({})).await, ["secret"]);
    assert_eq!(error(&ruled.call("echo").await)["message"], "Unknown tool: echo");
    assert_eq!(result(&ruled.call("secret").await), "did secret");
    assert_eq!(accept(&["echo"]), "accepted echo\n");
    assert_eq!(result(&ruled.call("echo").await), "did echo");
}

#[tokio::test]
async fn a_changed_definition_that_is_only_reported_stays_usable() {
    let rules = "[gate]\npin = \"report\"\npins = \"PINS\"";
    let ruled = Ruled::start("json", rules).await;
    assert_eq!(ruled.tools(&json!({})).await.len(), 3);
    let file = fs::read_to_string(ruled.stack.directory().join("tools.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["waiting"]["echo"]["definition"]["description"], "Does echo");
    assert_eq!(result(&ruled.call("echo").await), "did echo");
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_because_each_part_would_have_to_be_judged() {
    let ruled = Ruled::start("json", SECRET).await;
    let call = message("tools/call", json!({"name": "secret"}));
    let batch = json!([message("ping", json!({})), call]);
    let refused = Answer::of(post(&ruled.resource, &ruled.token(&json!({}))).json(&batch)).await;
    assert_eq!(refused.status, 400);
    assert!(ruled.server.seen().is_empty());
}

#[test]
fn rules_that_cannot_hold_are_refused_with_the_place_and_what_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let rule =
        |rest: &str| format!("[gate]\ndefault = \"deny\"\n[[gate.tools]]\nmatch = \"a\"\n{rest}");
    for (text, told) in [
        ("[gate]\n[[gate.tools]]\nmatch = \"a\"".into(), ":1:1: write default = \"allow\" or"),
        ("[gate]\ndefault = \"maybe\"".into(), ":2:11: unknown variant"),
        (rule("scope = [\"a\"]"), ":5:1: unknown key `scope`; did you mean `scopes`?"),
        (rule("hidden = true"), ":3:1: hidden = true hides from callers without the scopes"),
        (rule("allow = false\nscopes = [\"a\"]"), ":3:1: allow = false is for everyone"),
        (rule("groups = []"), ":5:10: name groups, or write allow = false"),
        (rule("scopes = [\"a b\"]"), ":5:11: the scope \"a b\" must be visible ASCII"),
        (rule("calls_per_minute = 0"), ":5:20: write a number above 0"),
        (rule("max_arguments = -1"), ":5:17: invalid value"),
        (
            "[gate]\ndefault = \"allow\"\n[[gate.tools]]\nmatch = []".into(),
            ":4:9: name what the rule",
        ),
        (
            "[gate]\ndefault = \"allow\"\n[[gate.prompts]]\nmatch = \"a\"\nread_only = true".into(),
            ":3:1: read_only and max_arguments are for tools only",
        ),
        ("[gate]\npin = \"report\"".into(), ":2:7: name the file"),
        ("[gate]\npins = \"a\"".into(), ":2:8: write pin ="),
        ("[gates]".into(), ":1:2: unknown key `gates`; did you mean `gate`?"),
    ] {
        fs::write(&file, &text).unwrap();
        let options = ["gate", "--upstream", "http://localhost:1/mcp", "--config"];
        let options = [&options[..], &[file.to_str().unwrap()]].concat();
        let config = Config::try_parse_from(options).unwrap();
        let refused = Gate::new(&config, Clock::system()).unwrap_err().to_string();
        assert!(refused.contains(told), "{text}\n{refused}");
    }
    // The rest of the file is for auth.
    let own =
        "[gate]\ndefault = \"allow\"\n[access]\nanyone = true\n[[resources]]\nresource = \"x\"";
    fs::write(&file, own).unwrap();
    let options =
        ["gate", "--upstream", "http://localhost:1/mcp", "--config", file.to_str().unwrap()];
    let config = Config::try_parse_from(options).unwrap();
    assert!(Gate::new(&config, Clock::system()).is_ok());
}
