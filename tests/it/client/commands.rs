//! The client's commands at servers whose answers are written here word for word.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::{
    programs::{client::Client, command_line::CommandLine},
    servers::{
        document_server::{Document, DocumentServer},
        open_server::OpenServer,
    },
    stack::Stack,
};

fn tools(names: &[&str]) -> (&'static str, Value) {
    let tools = names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
    ("tools/list", json!({"tools": tools.collect::<Vec<_>>()}))
}

fn at(server: &OpenServer) -> CommandLine {
    CommandLine::of(&server.url, "")
}

#[tokio::test]
async fn images_are_kept_in_files_and_named_on_the_screen() {
    let picture = json!({"type": "image", "data": "aGk=", "mimeType": "image/png"});
    let result = json!({"content": [{"type": "text", "text": "Here:"}, picture]});
    let server = OpenServer::start(&[tools(&["draw"]), ("tools/call draw", result)]).await;
    let person = at(&server);
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("pictures");
    let to = directory.to_str().unwrap();

    let outcome = person.run(&["call", "draw", "--save-to", to]).await;
    let said = format!("Here:\n[image, image/png, 2 bytes: {to}/draw.png]\n");
    assert_eq!((outcome.code, outcome.stdout), (0, said), "{}", outcome.stderr);
    let outcome = person.run(&["call", "draw", "--save-to", to]).await;
    assert!(outcome.stdout.contains("draw-2.png"), "{}", outcome.stdout);
    let kept = directory.join("draw-2.png");
    assert_eq!(fs::read(&kept).unwrap(), b"hi");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    let outcome = person.run(&["--json", "call", "draw", "--save-to", to]).await;
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(told["content"][1]["data"], "aGk=");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "JSON has the image already");
}

#[tokio::test]
async fn an_image_that_cannot_be_kept_is_a_failure_with_its_own_code() {
    let picture = json!({"type": "image", "data": "aGk=", "mimeType": "image/png"});
    let result = json!({"content": [picture]});
    let server = OpenServer::start(&[tools(&["draw"]), ("tools/call draw", result)]).await;
    let outcome = at(&server).run(&["call", "draw", "--save-to", "/dev/null/x"]).await;
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("not kept"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("--save-to"), "{}", outcome.stderr);
}

#[tokio::test]
async fn rows_are_shown_as_a_table_and_nothing_in_it_reaches_the_terminal() {
    let files = json!({"files": [{"name": "a\u{1b}[2J", "size": 1}, {"name": "b", "size": 20}]});
    let result = json!({"content": [], "structuredContent": files});
    let server = OpenServer::start(&[tools(&["files"]), ("tools/call files", result)]).await;
    let outcome = at(&server).run(&["call", "files"]).await;
    let table = "name  size\n────  ────\na        1\nb       20\n";
    assert_eq!(outcome.stdout, table, "{}", outcome.stderr);
}

fn skill(name: &str, text: &str, promised: &str) -> (Value, (String, Value)) {
    let uri = format!("skill://{name}/SKILL.md");
    let hash = Sha256::digest(promised);
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = format!("sha256:{digits}");
    let file = json!({"uri": uri, "digest": digest, "size": promised.len()});
    let frontmatter = json!({"name": name, "description": "Reads PDF"});
    let listed = json!({"uri": uri, "frontmatter": frontmatter, "resources": [file]});
    let blob = json!({"uri": uri, "blob": STANDARD.encode(text)});
    (listed, (format!("resources/read {uri}"), json!({"contents": [blob]})))
}

#[tokio::test]
async fn skills_are_listed_shown_and_verified() {
    let text = "---\nname: pdf\ndescription: Reads PDF\n---\n# PDF\n";
    let other = "---\nname: bad\ndescription: Reads PDF\n---\n# Bad\n";
    let (good, (at_good, good_file)) = skill("pdf", text, text);
    let (bad, (at_bad, bad_file)) = skill("bad", &other.replace("# Bad", "# Mad"), other);
    let server = OpenServer::start(&[
        ("skills/list", json!({"skills": [good, bad]})),
        (&at_good, good_file),
        (&at_bad, bad_file),
    ])
    .await;
    let person = at(&server);

    let list = person.run(&["skills"]).await;
    let lines = "pdf  Reads PDF (one file, 47 bytes)\nbad  Reads PDF (one file, 47 bytes)\n";
    assert_eq!((list.code, list.stdout.as_str()), (0, lines), "{}", list.stderr);
    let shown = person.run(&["skills", "show", "pdf"]).await;
    assert_eq!((shown.code, shown.stdout.as_str()), (0, text), "{}", shown.stderr);
    let refused = person.run(&["--json", "skills", "show", "bad"]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    let told: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(told["error"]["code"], "skill_refused");
    assert_eq!(person.run(&["skills", "show", "pfd"]).await.code, 2);
    let home = tempfile::tempdir().unwrap();
    let to = home.path().to_str().unwrap();
    let saved = person.run(&["skills", "save", "pdf", "--save-to", to]).await;
    assert_eq!(saved.stdout, format!("{to}/pdf  one file\n"), "{}", saved.stderr);
    assert_eq!(fs::read_to_string(home.path().join("pdf/SKILL.md")).unwrap(), text);
    assert_eq!(person.run(&["skills", "save", "bad", "--save-to", to]).await.code, 1);
    assert!(!home.path().join("bad").exists());

    assert_eq!(person.run(&["skills", "verify", "pdf"]).await.code, 0);
    let all = person.run(&["--json", "skills", "verify"]).await;
    let judged: Value = serde_json::from_str(&all.stdout).unwrap();
    assert_eq!((all.code, judged.as_array().unwrap().len()), (1, 2));
    assert_eq!((&judged[0]["verified"], &judged[1]["verified"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_server_without_the_extension_offers_no_skills() {
    let plain = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "serverInfo": {"name": "plain", "version": "1"},
    });
    let server = OpenServer::start(&[("initialize", plain)]).await;
    let outcome = at(&server).run(&["--json", "skills"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "[]\n"), "{}", outcome.stderr);
}

#[tokio::test]
async fn at_the_prompt_servers_are_named_used_and_removed() {
    let here = OpenServer::start(&[tools(&["here"])]).await;
    let there = OpenServer::start(&[tools(&["there"])]).await;
    let lines = format!(
        "tools\nadd there {}\nuse there\ntools\nservers\nremove there\nuse there\nadd x nonsense://\n",
        there.url
    );
    let outcome = at(&here).run_lines(&lines).await;
    let expected = format!("here\nthere\n* there  {}\n", there.url);
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no server is called `there`"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("nonsense"), "{}", outcome.stderr);
    assert_eq!(outcome.code, 2);
}

#[tokio::test]
async fn values_of_a_prompt_may_be_quoted_at_the_prompt() {
    let said = json!({"messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}]});
    let server = OpenServer::start(&[("prompts/get introduce", said)]).await;
    let good = "prompt introduce name=\"Nick Lucas\"\n";
    let outcome = at(&server).run_lines(good).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "Hi\n"), "{}", outcome.stderr);
    let outcome = at(&server).run_lines("prompt introduce name=\"Nick\n").await;
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
}

#[tokio::test]
async fn the_way_that_tokens_are_got_is_declared_with_every_request() {
    let server = DocumentServer::start().await;
    server.put("/mcp", Document::status(503));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("secret");
    fs::write(&file, "s").unwrap();
    let arguments = ["--grant", "client-credentials", "--client-id", "c", "--client-secret-file"];
    let arguments = [&arguments[..], &[file.to_str().unwrap(), "tools"]].concat();
    CommandLine::of(&server.at("/mcp"), "").run(&arguments).await;
    let declared = r#""extensions":{"io.modelcontextprotocol/oauth-client-credentials":{}}"#;
    assert!(server.last_body("/mcp").contains(declared), "{}", server.last_body("/mcp"));
}

#[tokio::test]
async fn a_machine_renews_its_token_before_it_ends() {
    let stack = Stack::start().await;
    let options = ["--auth-method", "client_secret_basic", "--grant-type", "client_credentials"];
    let machine = Client::pre_registered(&stack, &options).await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("secret");
    fs::write(&file, machine.secret.clone().unwrap()).unwrap();
    let person = CommandLine::new(&stack);
    let arguments = ["--no-input", "--grant", "client-credentials", "--client-id", &machine.id];
    let more = ["--client-secret-file", file.to_str().unwrap(), "tools"];
    let arguments = [&arguments[..], &more].concat();
    assert_eq!(person.run(&arguments).await.code, 0);

    // The server would take the token for a while yet; the client believes that it soon ends.
    let mut kept = person.kept();
    let grant = kept["grants"].as_object_mut().unwrap().values_mut().next().unwrap();
    let grant = grant.as_object_mut().unwrap().values_mut().next().unwrap();
    let before = grant["access_token"].clone();
    let now = grant["issued_at"].as_i64().unwrap();
    (grant["issued_at"], grant["expires_at"]) = (json!(now - 1000), json!(now + 30));
    fs::write(person.kept_in(), kept.to_string()).unwrap();
    let outcome = person.run(&arguments).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let kept = person.kept().to_string();
    assert!(!kept.contains(before.as_str().unwrap()), "the old token is still there");
}

#[tokio::test]
async fn without_a_session_bus_the_tokens_are_kept_in_a_file() {
    let server = OpenServer::start(&[tools(&["here"])]).await;
    let bus = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/dev/null/bus");
    let auto = at(&server).with_store("auto").run_with(&["tools"], bus).await;
    assert_eq!((auto.code, auto.stdout.as_str()), (0, "here\n"), "{}", auto.stderr);
    let insisted = at(&server).with_store("keyring");
    let insisted = insisted.run_with(&["--json", "tools"], bus).await;
    let told: Value = serde_json::from_str(&insisted.stderr).unwrap();
    assert_eq!((insisted.code, &told["error"]["code"]), (1, &json!("credentials")));
}

#[tokio::test]
async fn a_server_that_hides_its_metadata_is_not_signed_in_to_the_old_way() {
    let server = DocumentServer::start().await;
    server.put("/mcp", Document::status(401).with("www-authenticate", "Bearer"));
    let own = json!({
        "issuer": server.url,
        "authorization_endpoint": server.at("/authorize"),
        "token_endpoint": server.at("/token"),
        "registration_endpoint": server.at("/register"),
        "code_challenge_methods_supported": ["S256"],
    });
    server.put("/.well-known/oauth-authorization-server", Document::json(&own));
    let outcome = CommandLine::of(&server.at("/mcp"), "").run(&["tools"]).await;
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("publishes no metadata"), "{}", outcome.stderr);
    for place in ["/.well-known/oauth-authorization-server", "/register", "/authorize"] {
        assert_eq!(server.hits(place), 0, "{place}");
    }
}

#[tokio::test]
async fn the_name_of_a_server_names_no_file() {
    let server = OpenServer::start(&[tools(&["here"])]).await;
    let long = "x".repeat(300);
    for name in ["../../.ssh/authorized_keys", "a/b", "", "a b", "a\u{1b}[2J", "-x"] {
        let outcome = at(&server).run(&["add", name, &server.url]).await;
        assert_eq!(outcome.code, 2, "{name}: {}", outcome.stderr);
    }
    let person = at(&server);
    assert_eq!(person.run(&["add", &long, &server.url]).await.code, 0);
    let files = fs::read_dir(person.kept_in().parent().unwrap()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["servers.json", "servers.lock"]);
}

/// A server, its metadata, and an authorization server that registers any client.
async fn with_device_answer(answer: &Value) -> DocumentServer {
    let server = DocumentServer::start().await;
    let challenge = format!(
        "Bearer resource_metadata=\"{}\"",
        server.at("/.well-known/oauth-protected-resource/mcp")
    );
    server.put("/mcp", Document::status(401).with("www-authenticate", &challenge));
    let resource = json!({"resource": server.at("/mcp"), "authorization_servers": [server.url]});
    server.put("/.well-known/oauth-protected-resource/mcp", Document::json(&resource));
    let metadata = json!({
        "issuer": server.url,
        "authorization_endpoint": server.at("/authorize"),
        "token_endpoint": server.at("/token"),
        "registration_endpoint": server.at("/register"),
        "device_authorization_endpoint": server.at("/device"),
        "code_challenge_methods_supported": ["S256"],
    });
    server.put("/.well-known/oauth-authorization-server", Document::json(&metadata));
    let client = json!({
        "client_id": "c",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
    });
    server.put("/register", Document { status: 201, ..Document::json(&client) });
    server.put("/device", Document::json(answer));
    server
}

#[tokio::test]
async fn a_hostile_device_code_is_neither_shown_nor_waited_for() {
    let hostile = [
        ("javascript:alert(1)", "ABCD"),
        ("file:///etc/passwd", "ABCD"),
        ("http://evil.test/", "ABCD"),
        ("https://as.test/$(reboot)", "ABCD"),
        ("https://as.test/device", "A\u{1b}[2JB"),
        ("https://as.test/device", ""),
        ("https://as.test/device", &"A".repeat(10_000)),
    ];
    for (page, code) in hostile {
        let answer = json!({
            "device_code": "d", "user_code": code, "verification_uri": page,
            "expires_in": 600, "interval": 1,
        });
        let server = with_device_answer(&answer).await;
        let outcome = CommandLine::of(&server.at("/mcp"), "").run(&["login", "--device"]).await;
        assert!(matches!(outcome.code, 1 | 4), "{page} {}: {}", outcome.code, outcome.stderr);
        assert!(!outcome.stderr.contains("and type the code"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
        assert_eq!((server.hits("/device"), server.hits("/token")), (1, 0), "{page}");
    }
}

/// What a device is told, but for `name`, which is `value`.
fn device_answer(name: &str, value: Value) -> Value {
    let mut answer = json!({
        "device_code": "d",
        "user_code": "ABCD",
        "verification_uri": "https://as.test/device",
        "expires_in": 600,
        "interval": 1,
    });
    answer[name] = value;
    answer
}

#[tokio::test]
async fn a_device_asks_neither_more_often_nor_longer_than_is_sensible() {
    let cases = [
        ("interval", json!(-1), 1),
        ("interval", json!("5"), 0),
        ("interval", json!(1e12), 0),
        ("expires_in", json!(-1), 1),
        ("expires_in", json!(1e18), 1),
        ("interval", json!(0), 1),
        ("interval", json!(1_000_000_000_000_u64), 0),
        ("expires_in", json!(1_000_000_000_000_000_000_u64), 1),
        ("expires_in", json!(1), 1),
    ];
    let attempts = cases.map(async |(name, value, hits)| {
        let answer = device_answer(name, value);
        let server = with_device_answer(&answer).await;
        let slower = json!({"error": "slow_down"});
        server.put("/token", Document { status: 400, ..Document::json(&slower) });
        let person = CommandLine::of(&server.at("/mcp"), "");
        // The first question comes after a second at the earliest, the next one after five more.
        let arguments = ["login", "--device", "--sign-in-timeout", "3"];
        let outcome = tokio::time::timeout(Duration::from_secs(60), person.run(&arguments)).await;
        let outcome = outcome.unwrap();
        assert_eq!(outcome.code, 4, "{answer}: {}", outcome.stderr);
        assert_eq!(server.hits("/token"), hits, "{answer}");
    });
    join_all(attempts).await;
}
