//! `auth config`

use std::fs;

use serde_json::{Value, json};
use tests::{
    programs::operator,
    stack::{Stack, auth_options, config_file},
};

const RESOURCE: &str = "https://mcp.example.com/files";

fn document() -> Value {
    let scope =
        json!({"name": "files:read", "description": "Read", "translations": {"de": "Lesen"}});
    let people = json!({"issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/k",
        "people": {"claims": {"tenant": "acme"}}});
    json!({
        "resources": [{"resource": RESOURCE, "name": "Files", "scopes": [scope]}],
        "trusted_issuers": [people],
    })
}

#[tokio::test]
async fn check_counts_what_is_configured_or_names_the_line_that_is_wrong() {
    let stack = Stack::start().await;
    let file = stack.directory().join("portcullis.toml");
    let [option, path] = config_file::write(&file, &document());
    let github = ["--github-client-id", "a", "--github-client-secret", "b"];
    let check = [&["config", "check", &option, &path][..], &github].concat();
    let outcome = operator::run(&stack, &check).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        "The settings fit together. Resources: 1, upstreams: 1, trusted issuers: 1. Who may sign in: \
         anyone.\n"
    );
    fs::write(&file, "[[resources]]\nresourse = \"x\"").unwrap();
    let outcome = operator::run(&stack, &check).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    assert!(
        outcome
            .stderr
            .contains("portcullis.toml:2:1: unknown key `resourse`; did you mean `resource`?"),
        "{}",
        outcome.stderr
    );
}

#[tokio::test]
async fn show_tells_each_setting_and_its_source_but_no_secret() {
    let stack = Stack::start().await;
    let options = auth_options(stack.directory(), &stack.issuer, &stack.issuer, RESOURCE);
    let show = ["config".to_owned(), "show".into()].into_iter().chain(options.into_iter().skip(1));
    let show: Vec<String> = show.collect();
    let outcome = operator::run(&stack, &show.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let row = |name: &str| {
        let row = outcome.stdout.lines().find(|row| row.starts_with(&format!("{name} ")));
        row.unwrap_or_default().split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("AUTH_RESOURCE"), format!("{RESOURCE} command line"));
    assert_eq!(row("AUTH_LISTEN"), "127.0.0.1:3000 default");
    assert_eq!(row("AUTH_CONFIG_FILE"), "not set");
    assert_eq!(row("GITHUB_CLIENT_SECRET"), "(secret) command line");
    assert_eq!(row("DATABASE_URL"), "(secret) command line");
    assert!(!outcome.stdout.contains(tests::stack::github::CLIENT_SECRET), "{}", outcome.stdout);
}

#[tokio::test]
async fn the_schema_knows_every_key_of_the_documentation() {
    let stack = Stack::start().await;
    let outcome = operator::run(&stack, &["config", "schema"]).await;
    let schema: Value = serde_json::from_str(&outcome.stdout).unwrap();
    for pointer in [
        "/properties/resources",
        "/properties/upstreams",
        "/properties/trusted_issuers",
        "/$defs/Resource/properties/token_format",
        "/$defs/ResourceScope/properties/on_request",
        "/$defs/Upstream/properties/client_secret_file",
        "/$defs/People/properties/create_accounts",
        "/$defs/AccessSection/properties/allow",
        "/$defs/GroupSection/properties/github_teams",
        "/$defs/LimitSection/properties/groups",
    ] {
        assert!(schema.pointer(pointer).is_some_and(Value::is_object), "{pointer}: {schema:#}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[tokio::test]
async fn convert_writes_the_file_that_says_what_the_json_files_said() {
    let stack = Stack::start().await;
    let path = |name: &str| stack.directory().join(name).display().to_string();
    for (name, list) in document().as_object().unwrap() {
        let mut list = list.clone();
        list[0]["jwks"] = Value::Null;
        if name == "resources" {
            list[0].as_object_mut().unwrap().remove("jwks");
            list[0]["access_token_lifetime"] = Value::Null;
        }
        fs::write(path(name), list.to_string()).unwrap();
    }
    let (resources, issuers) = (path("resources"), path("trusted_issuers"));
    let convert = ["config", "convert", "--resources", &resources, "--trusted-issuers", &issuers];
    let outcome = operator::run(&stack, &convert).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let converted: Value = toml::from_str(&outcome.stdout).unwrap();
    assert_eq!(converted, document(), "{}", outcome.stdout);
    let file = path("portcullis.toml");
    fs::write(&file, &outcome.stdout).unwrap();
    let github = ["--github-client-id", "a", "--github-client-secret", "b"];
    let check = [&["config", "check", "--config", &file][..], &github].concat();
    let outcome = operator::run(&stack, &check).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}
