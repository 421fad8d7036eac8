//! What is different where the issuer is an https URL, as it is beyond loopback.

use auth::{
    oauth::secret::{Secret, SecretKind},
    testing::CookieName,
};
use serde_json::json;
use tests::{
    programs::client::http,
    stack::{Stack, config_file},
};

/// A stack whose issuer is public, as a proxy in front of it would see it.
async fn start() -> Stack {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let [option, file] = config_file::write(&file, &json!({"access": {"anyone": true}}));
    let options = [
        &option,
        &file,
        "--issuer",
        "https://auth.example.com",
        "--github-base-url",
        "https://github.com",
        "--github-api-url",
        "https://api.github.com",
    ];
    Stack::start_with(&options, &[]).await
}

const EVERYWHERE: [&str; 7] =
    ["/", "/sign-in", "/jwks", "/health", "/token", "/nothing-here", "/authorize"];

#[tokio::test]
async fn browsers_are_told_to_come_by_https_alone() {
    let public = start().await;
    let local = Stack::start().await;
    for path in EVERYWHERE {
        let answer = http().get(public.at(path)).send().await.unwrap();
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000", "{path}");
        let answer = http().get(local.at(path)).send().await.unwrap();
        assert!(!answer.headers().contains_key("strict-transport-security"), "{path}");
    }
}

#[tokio::test]
async fn cookies_are_for_this_host_alone() {
    let stack = start().await;
    let request = http().post(stack.at("/sign-in/github")).form(&[("continue", "/")]);
    let answer = request.send().await.unwrap();
    let sent = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let secret = Secret::generate(SecretKind::Session).unwrap();
    let session = CookieName::Session.cookie(&stack.state.config, &secret, 60).to_string();
    for cookie in [sent, session] {
        assert!(cookie.starts_with("__Host-portcullis-"), "{cookie}");
        let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&attribute), "{attribute} is missing: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}
