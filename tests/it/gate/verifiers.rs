//! The verifiers of docs/gate.md, as the servers behind a gate would run them.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{message, post},
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed, gate},
};

/// An identity that a gate has signed, and the verifiers for it.
struct Signed {
    _stack: Stack,
    _server: DocumentServer,
    resource: String,
    upstream: String,
    identity: String,
}

impl Signed {
    async fn new() -> Self {
        let stack = Stack::start().await;
        let server = DocumentServer::start().await;
        server.put("/mcp", Document::json(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
        let upstream = server.at("/mcp");
        let resource = gate::start(&stack, &upstream, &[]).await;
        let token = signed(&stack, &json!({"aud": resource}));
        let request = post(&resource, &token).json(&message("ping", json!({})));
        assert_eq!(Answer::of(request).await.status, 200);
        let identity = server.last_header("/mcp", "x-portcullis-identity");
        Self { _stack: stack, _server: server, resource, upstream, identity }
    }

    /// The verifier in this language, for this gate and server.
    fn verifier(&self, language: &str) -> String {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gate.md");
        let page = fs::read_to_string(page).unwrap();
        let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
        let (verifier, _) = rest.split_once("```").unwrap();
        let gate = self.resource.strip_suffix("/mcp").unwrap();
        verifier
            .replace("https://mcp.example.com", gate)
            .replace("http://127.0.0.1:8000/mcp", &self.upstream)
    }

    /// Identities that a server must refuse: changed, for another, and no identity at all.
    fn refused(&self) -> Vec<String> {
        let (signed, signature) = self.identity.rsplit_once('.').unwrap();
        let other = signature.chars().rev().collect::<String>();
        vec![format!("{signed}.{other}"), format!("{signed}."), "a.b.c".into()]
    }
}

/// Lets `program` verify identities: the claims of the good one, and that the others are refused.
fn run(signed: &Signed, mut program: impl FnMut(&str) -> Command) {
    let output = program(&signed.identity).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let claims: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("nick"), &json!("client")));
    for identity in signed.refused() {
        assert!(!program(&identity).status().unwrap().success(), "{identity}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verifier_in_typescript_accepts_what_the_gate_signs_and_nothing_else() {
    let signed = Signed::new().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let prepared = Command::new(root.join("scripts/prepare-node"))
        .arg(root.join("tests/verifiers"))
        .output()
        .unwrap();
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let programs = String::from_utf8(prepared.stdout).unwrap();
    let programs = Path::new(programs.trim());
    let directory = tempfile::tempdir().unwrap();
    symlink(programs.parent().unwrap(), directory.path().join("node_modules")).unwrap();
    let script = directory.path().join("verify.mts");
    let call = "console.log(JSON.stringify(await caller(process.argv[2])));";
    fs::write(&script, format!("{}{call}", signed.verifier("ts"))).unwrap();
    run(&signed, |identity| {
        let mut command = Command::new(programs.join("node"));
        command.arg(&script).arg(identity);
        command
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verifier_in_python_accepts_what_the_gate_signs_and_nothing_else() {
    let signed = Signed::new().await;
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("verify.py");
    let call = "import json, sys\nprint(json.dumps(caller(sys.argv[1])))\n";
    fs::write(&script, format!("{}{call}", signed.verifier("python"))).unwrap();
    run(&signed, |identity| {
        // Debian's own, which has the packages python3-jwt and python3-cryptography.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(&script).arg(identity);
        command
    });
}
