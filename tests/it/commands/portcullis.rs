//! `portcullis`: the programs behind one name, and all of them on one port.

use tempfile::tempdir;
use tests::{
    programs::{
        command_line::CommandLine,
        process::{free_port, start_server},
    },
    stack::{gate::server_command, program},
};
use tokio::process::Command;

#[tokio::test]
async fn one_command_signs_a_person_in_and_calls_a_server_that_knows_nothing_of_it() {
    let data = tempdir().unwrap();
    let port = free_port().await;
    let url = format!("http://localhost:{port}");
    let mut command = Command::new(program("portcullis"));
    command
        .args(["up", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(data.path().join("data"))
        .arg("--")
        .args(server_command(&[]));
    let (_server, log) = start_server(&mut command, "is ready").await;
    assert!(log.contains(&format!("{url}/mcp")), "{log}");
    let person = CommandLine::of(&format!("{url}/mcp"), &url);
    let called = person.sign_in(&["call", "echo", "text=ping pong"]).await;
    assert_eq!((called.code, called.stdout.trim()), (0, "ping pong"), "{}", called.stderr);
    let again = person.run(&["call", "echo", "text=without a sign-in"]).await;
    assert_eq!((again.code, again.stdout.trim()), (0, "without a sign-in"), "{}", again.stderr);
    let secret = std::fs::metadata(data.path().join("data/auth.secret")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secret.permissions()) & 0o777, 0o600);
}

#[tokio::test]
async fn a_public_server_does_not_start_without_saying_who_may_come_in() {
    let data = tempdir().unwrap();
    let output = Command::new(program("portcullis"))
        .args(["up", "--public-url", "https://mcp.example.com", "--data"])
        .arg(data.path())
        .args(["--", "true"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("[access]"), "{said}");
}

#[tokio::test]
async fn each_program_takes_the_same_options_behind_the_one_name() {
    for (name, arguments) in [
        ("auth", &["keys", "--help"][..]),
        ("gate", &["--help"]),
        ("mcp", &["--help"]),
        ("client", &["--help"]),
    ] {
        let own = Command::new(program(name)).args(arguments).output().await.unwrap();
        let together =
            Command::new(program("portcullis")).arg(name).args(arguments).output().await.unwrap();
        let said = String::from_utf8(together.stdout).unwrap();
        let usage = format!("portcullis {name}");
        let own = String::from_utf8(own.stdout).unwrap();
        let same = said.replace(&usage, name) == own;
        assert!(same && together.status.success(), "{name}:\n{own}\n{said}");
    }
    let doctor = Command::new(program("portcullis")).args(["doctor", "--help"]).output().await;
    assert!(doctor.unwrap().status.success());
}
