//! `auth explain`

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, VERIFIER, http, with},
        command_line::Outcome,
        operator,
    },
    stack::{Stack, program, stories},
};
use tokio::{io::AsyncWriteExt, process::Command};

/// A stack that keeps stories.
struct Told {
    stack: Stack,
    file: PathBuf,
}

impl Told {
    async fn start() -> Self {
        let file = stories::keep();
        Self { stack: Stack::start().await, file }
    }

    async fn explain(&self, arguments: &[&str]) -> Outcome {
        let file = self.file.display().to_string();
        let command = [&["explain", "--story-file", &file], arguments].concat();
        operator::run(&self.stack, &command).await
    }
}

/// A refused exchange of a code, and its request id.
async fn refused(stack: &Stack) -> (Client, String) {
    let client = Client::register(stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let wrong = "another-code-verifier-of-sufficient-length-0123456789";
    let answer =
        client.post("/token", &with(client.code_form(&code), "code_verifier", wrong)).await;
    assert_eq!(answer.text("error"), "invalid_grant");
    (client, answer.headers["x-request-id"].to_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_story_of_a_refused_request_is_told_from_its_beginning_to_its_end() {
    let told = Told::start().await;
    let (_, id) = refused(&told.stack).await;
    let outcome = told.explain(&[&id]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines[0].starts_with("POST /token at 20"), "{}", outcome.stdout);
    let expected = [
        "received",
        "client found  client_id=dyn_",
        "client authenticated  method=none",
        "code found  grant=",
        "refused  code=invalid_grant  reason=pkce_mismatch",
        "answered  status=400",
    ];
    assert_eq!(lines.len() - 1, expected.len(), "{}", outcome.stdout);
    for (line, expected) in lines[1..].iter().zip(expected) {
        assert!(line.contains(expected), "{expected} is not in: {line}");
    }
    assert!(outcome.stdout.contains("name=\"Test client\""), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("The code_verifier does not match"), "{}", outcome.stdout);
}

#[tokio::test]
async fn the_same_story_is_told_of_lines_that_a_collector_has_mixed_and_prefixed() {
    let told = Told::start().await;
    let (_, id) = refused(&told.stack).await;
    let whole = told.explain(&[&id]).await.stdout;
    let mut lines: Vec<String> =
        stories::text().await.lines().map(|l| format!("auth-1 | {l}")).collect();
    lines.reverse();
    let mut child = Command::new(program("auth"))
        .args(["explain", "--stdin", &id])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("not JSON\n{}\n", lines.join("\n")).as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), whole);
}

#[tokio::test]
async fn stories_hold_no_secret() {
    let told = Told::start().await;
    let stack = &told.stack;
    let method = json!({"token_endpoint_auth_method": "client_secret_post"});
    let client = Client::register_as(stack, method).await;
    let secret = client.secret.clone().unwrap();
    let mut browser = Browser::default();
    let code = client.obtain_code(&mut browser).await;
    let form = with(client.code_form(&code), "client_secret", &secret);
    let wrong = client.post("/token", &with(form.clone(), "client_secret", "pck_wrong")).await;
    assert_eq!(wrong.status, 401);
    let tokens = client.post("/token", &form).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    let replayed = client.post("/token", &form).await;
    assert_eq!(replayed.status, 400);
    let access_token = tokens.text("access_token");
    let asked = http().get(stack.at("/userinfo")).bearer_auth(access_token);
    Answer::of(asked).await;
    let refresh_token = tokens.text("refresh_token");
    let refresh = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.id.clone()),
        ("client_secret", secret.clone()),
        ("refresh_token", refresh_token.to_owned()),
    ];
    client.post("/token", &refresh).await;
    let text = stories::text().await;
    assert!(text.lines().count() > 20, "{text}");
    for (name, secret) in [
        ("code", &*code),
        ("client secret", &secret),
        ("wrong secret", "pck_wrong"),
        ("access token", access_token),
        ("refresh token", refresh_token),
        ("code verifier", VERIFIER),
        ("client secret of GitHub", tests::stack::github::CLIENT_SECRET),
        ("a parameter of a query", "the-state"),
        ("a prefix of a session", "pcs_"),
        ("a prefix of a refresh token", "pcr_"),
        ("a prefix of a code", "pcc_"),
    ] {
        assert!(!text.contains(secret), "the {name} is in the stories");
    }
    let hash = auth::oauth::secret::hash(&code);
    assert!(!text.contains(&hash));
}

#[tokio::test]
async fn an_unknown_request_is_said_to_be_unknown() {
    let told = Told::start().await;
    refused(&told.stack).await;
    let outcome = told.explain(&["11111111-1111-4111-8111-111111111111"]).await;
    assert_eq!((outcome.code, &*outcome.stdout), (1, ""));
    assert!(outcome.stderr.contains("another replica"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_story_can_be_had_as_json_lines() {
    let told = Told::start().await;
    let (_, id) = refused(&told.stack).await;
    let outcome = told.explain(&[&id, "--json"]).await;
    let events: Vec<Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refusal = events.iter().find(|event| event["fields"]["message"] == "refused").unwrap();
    assert_eq!(refusal["fields"]["reason"], "pkce_mismatch");
    assert!(events.iter().all(|event| event["span"]["request_id"] == *id));
}

#[tokio::test]
async fn a_stranger_writes_no_line_of_a_story() {
    let told = Told::start().await;
    let forged = "{\"fields\":{\"message\":\"a forged line\"}}";
    let evil = format!("x\n{forged}\r\u{1b}[2J\u{2028}\u{202e}");
    let client = Client::known_as(&told.stack, &evil, None);
    let refused = client.post("/token", &client.code_form(&evil)).await;
    assert_eq!(refused.status, 401);
    let path: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
    let request = http().get(told.stack.at(&format!("/{path}"))).header("user-agent", forged);
    assert_eq!(Answer::of(request).await.status, 404);
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(Browser::default().open(&url).await.status, 400);
    for line in stories::text().await.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_ne!(event["fields"]["message"], "a forged line", "{line}");
    }
    for unprintable in ["\u{1b}", "\r", "\u{2028}", "\u{202e}"] {
        assert!(
            !stories::text().await.contains(unprintable),
            "{unprintable:?} is in the story unescaped"
        );
    }
    let id = refused.headers["x-request-id"].to_str().unwrap();
    let outcome = told.explain(&[id]).await;
    assert!(!outcome.stdout.contains("\u{1b}") && !outcome.stdout.contains("\n{"));
}

#[tokio::test]
async fn one_address_cannot_push_the_stories_of_others_out_of_the_file() {
    stories::keep();
    let stack = Stack::start_with(&["--limit-stories", "3", "--trusted-proxies", "1"], &[]).await;
    let ask = async |address: &str, path: &str| {
        let request = http().get(stack.at(path)).header("x-forwarded-for", address);
        Answer::of(request).await.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(ask("203.0.113.9", &format!("/{}", "x".repeat(60_000))).await);
    }
    let honest = ask("198.51.100.1", "/nothing").await;
    stack.advance(60);
    flood.push(ask("203.0.113.9", "/nothing").await);

    let text = stories::text().await;
    let told = |id: &String| text.lines().filter(|line| line.contains(id.as_str())).count();
    assert!(told(&honest) > 0);
    let kept: Vec<usize> = flood.iter().map(told).collect();
    assert!(kept[..3].iter().all(|lines| *lines > 0), "{kept:?}");
    assert!(kept[3..20].iter().all(|lines| *lines == 0), "{kept:?}");
    assert!(kept[20] > 0, "the next minute starts at zero: {kept:?}");
    let longest = text.lines().filter(|line| flood.iter().any(|id| line.contains(id.as_str())));
    assert!(longest.map(str::len).max().unwrap() < 2000);
}
