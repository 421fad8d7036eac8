//! The command line gets its tokens without a browser, and keeps what it has when a sign-in fails.

use std::fs;

use tests::{
    programs::{client::Client, command_line::CommandLine},
    stack::Stack,
};

#[tokio::test]
async fn a_machine_calls_with_its_own_secret_and_says_it_in_a_file_only() {
    let stack = Stack::start().await;
    let options = ["--auth-method", "client_secret_basic", "--grant-type", "client_credentials"];
    let machine = Client::pre_registered(&stack, &options).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    fs::write(&file, machine.secret.clone().unwrap()).unwrap();
    let arguments = [
        "--no-input",
        "--grant",
        "client-credentials",
        "--client-id",
        &machine.id,
        "--client-secret-file",
        file.to_str().unwrap(),
        "tools",
    ];
    let outcome = CommandLine::new(&stack).run(&arguments).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("echo"), "{}", outcome.stdout);
}

#[tokio::test]
async fn bound_tokens_are_got_refreshed_and_used_with_a_proof() {
    let stack = Stack::start_with(&["--access-token-lifetime", "1"], &[]).await;
    let person = CommandLine::new(&stack);
    let outcome = person.sign_in(&["login", "--dpop", "always", "--explain"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("token_type: DPoP"), "{}", outcome.stderr);

    stack.advance(60);
    let outcome = person.run(&["call", "echo", "ping"]).await;
    assert_eq!(outcome.stdout, "Hello Nick Lucas: ping\n", "{}", outcome.stderr);
}

#[tokio::test]
async fn a_sign_in_that_times_out_keeps_the_earlier_one() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    assert_eq!(person.sign_in(&["login"]).await.code, 0);

    let outcome = person.run(&["login", "--sign-in-timeout", "1"]).await;
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    let outcome = person.run(&["call", "echo", "ping"]).await;
    assert_eq!(outcome.stdout, "Hello Nick Lucas: ping\n", "{}", outcome.stderr);
}
