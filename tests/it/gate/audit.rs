//! The records of calls through the gate.

use std::{fs, path::PathBuf};

use ::gate::commands::CommandLine;
use clap::Parser;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{message, post},
    },
    servers::mcp_server::{McpServer, tool},
    stack::{Stack, access_token::signed, gate},
};

/// A server behind a gate that writes calls down.
struct Audited {
    stack: Stack,
    _server: McpServer,
    resource: String,
    file: PathBuf,
}

impl Audited {
    async fn start(kind: &str, options: &[&str]) -> Self {
        let stack = Stack::start().await;
        let server = McpServer::start(&[tool("echo", true), tool("secret", true)]).await;
        let file = stack.directory().join("audit.jsonl");
        let rules = stack.directory().join("gate.toml");
        let text =
            "[gate]\ndefault = \"allow\"\n[[gate.tools]]\nmatch = \"secret\"\nscopes = [\"admin\"]";
        fs::write(&rules, text).unwrap();
        let own = ["--audit-file", file.to_str().unwrap(), "--config", rules.to_str().unwrap()];
        let resource = gate::start(&stack, &server.at(kind), &[&own[..], options].concat()).await;
        Self { stack, _server: server, resource, file }
    }

    async fn ask(&self, method: &str, params: Value) -> Answer {
        let claims = json!({"aud": self.resource, "act": {"sub": "agent"}});
        let token = signed(&self.stack, &claims);
        Answer::of(post(&self.resource, &token).json(&message(method, params))).await
    }

    /// What the operator is told by `gate audit`.
    fn told(&self, arguments: &[&str]) -> String {
        let command = ["gate", "audit", arguments[0], self.file.to_str().unwrap()];
        let command = CommandLine::try_parse_from([&command[..], &arguments[1..]].concat());
        let mut told = Vec::new();
        match command.unwrap().command.unwrap().run(&mut told) {
            Ok(()) => String::from_utf8(told).unwrap(),
            Err(error) => error.to_string(),
        }
    }
}

#[tokio::test]
async fn each_call_is_written_down_with_who_called_what_and_how_it_ended() {
    for kind in ["json", "events"] {
        let audited = Audited::start(kind, &[]).await;
        let call = |name: &str, fail: bool| {
            audited.ask("tools/call", json!({"name": name, "arguments": {"fail": fail}}))
        };
        assert_eq!(call("echo", false).await.status, 200);
        gate::audit_records(&audited.file, 1).await;
        call("echo", true).await;
        gate::audit_records(&audited.file, 2).await;
        call("nothing", false).await;
        gate::audit_records(&audited.file, 3).await;
        assert_eq!(call("secret", false).await.status, 403);
        gate::audit_records(&audited.file, 4).await;
        audited.ask("tools/list", json!({})).await;
        audited.ask("resources/read", json!({"uri": "file:///a/b"})).await;
        let records = gate::audit_records(&audited.file, 5).await;
        let ends: Vec<_> = records
            .iter()
            .map(|record| {
                let text = |member: &str| record[member].as_str().unwrap_or_default();
                format!("{} {} {}", text("name"), text("outcome"), text("reason"))
            })
            .collect();
        assert_eq!(
            ends,
            [
                "echo ok ",
                "echo tool_error ",
                "nothing error -32602",
                "secret refused scope_insufficient",
                "file:///a/b ok ",
            ],
            "{kind}"
        );
        let first = &records[0];
        for (member, value) in [
            ("user", json!("nick")),
            ("issuer", json!(audited.stack.issuer)),
            ("client", json!("client")),
            ("actor", json!("agent")),
            ("method", json!("tools/call")),
            ("request", json!(1)),
            ("status", json!(200)),
            ("event", json!("call")),
            ("time", json!(audited.stack.state.clock.now())),
        ] {
            assert_eq!(first[member], value, "{member}");
        }
        assert!(first["milliseconds"].is_u64());
        let [one, other] = [0, 1].map(|n| records[n]["arguments"].as_str().unwrap());
        assert!(one.starts_with("sha256:") && one != other, "{one}");
        assert!(audited.told(&["verify"]).starts_with("5 calls, head "));
        let shown = audited.told(&["query", "--name", "echo", "--outcome", "tool_error"]);
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), records[1]);
        let text = fs::read_to_string(&audited.file).unwrap();
        fs::write(&audited.file, text.replacen("nothing", "another", 1)).unwrap();
        assert!(audited.told(&["verify"]).starts_with("line 4: it does not follow"));
    }
}

#[tokio::test]
async fn arguments_are_written_in_full_or_not_at_all_if_an_operator_says_so() {
    for (form, written) in [("full", json!({"text": "s3cret"})), ("off", Value::Null)] {
        let audited = Audited::start("json", &["--audit-arguments", form]).await;
        audited.ask("tools/call", json!({"name": "echo", "arguments": {"text": "s3cret"}})).await;
        assert_eq!(gate::audit_records(&audited.file, 1).await[0]["arguments"], written, "{form}");
    }
}

#[tokio::test]
async fn a_call_whose_caller_leaves_is_written_down_as_unanswered() {
    let audited = Audited::start("hanging", &[]).await;
    let token = signed(&audited.stack, &json!({"aud": audited.resource}));
    let call = message("tools/call", json!({"name": "echo"}));
    let open = post(&audited.resource, &token).json(&call).send().await.unwrap();
    assert_eq!(open.status(), 200);
    drop(open);
    assert_eq!(gate::audit_records(&audited.file, 1).await[0]["outcome"], "unanswered");
}
