//! Tests of the credentials file and of when a grant is refreshed.

use super::*;

fn registration(client_id: &str) -> ClientRegistration {
    ClientRegistration::public(client_id.to_owned(), "http://127.0.0.1:4242/callback".to_owned())
}

fn grant(issued_at: i64, expires_at: Option<i64>) -> Grant {
    Grant {
        issuer: "https://as.example".to_owned(),
        resource: "https://mcp.example/mcp".to_owned(),
        client: registration("c1"),
        access_token: Secret::new("at"),
        refresh_token: Some(Secret::new("rt")),
        scope: Scope::parse("mcp:tools"),
        requested_scope: Scope::parse("mcp:tools profile"),
        issued_at,
        expires_at,
        dpop_key: None,
        person: None,
    }
}

fn server() -> Url {
    Url::parse("https://mcp.example/mcp").expect("a URL")
}

#[test]
fn a_token_is_due_a_minute_early_or_at_half_life() {
    let long = grant(0, Some(900));
    assert!(!long.is_due(839) && long.is_due(840));
    let short = grant(0, Some(10));
    assert!(!short.is_due(4) && short.is_due(5) && !short.is_expired(9) && short.is_expired(10));
    assert!(!grant(0, None).is_due(i64::MAX));
}

#[test]
fn a_grant_without_refresh_token_is_usable_until_it_expires() {
    let mut grant = grant(0, Some(900));
    assert!(grant.is_usable(5000));
    grant.refresh_token = None;
    assert!(grant.is_usable(899) && !grant.is_usable(900));
}

#[tokio::test]
async fn what_is_kept_is_found_again_and_forgotten_on_request() {
    let home = tempfile::tempdir().expect("a directory");
    let credentials = Credentials::new(home.path().join("portcullis"));
    assert!(credentials.read().expect("no file yet").grant(&server()).is_none());

    let lock = credentials.lock().await.expect("locked");
    let kept = grant(0, Some(900));
    credentials.change(&lock, |stored| stored.keep_grant(&server(), kept.clone())).expect("kept");
    drop(lock);
    assert_eq!(credentials.read().expect("read").grant(&server()), Some(&kept));

    let lock = credentials.lock().await.expect("locked");
    credentials.change(&lock, |stored| stored.forget_grant(&server())).expect("forgotten");
    assert!(credentials.read().expect("read").grant(&server()).is_none());
}

#[tokio::test]
async fn a_registration_is_taken_once_until_it_is_put_back() {
    let mut stored = Stored::default();
    stored.keep_registration("https://as.example", registration("c1"));
    assert_eq!(stored.take_registration("https://other.example"), None);
    assert!(stored.take_registration("https://as.example").is_some());
    assert_eq!(stored.take_registration("https://as.example"), None);
}

#[tokio::test]
async fn a_second_process_waits_and_gives_up_in_the_end() {
    let home = tempfile::tempdir().expect("a directory");
    let credentials = Credentials::new(home.path().to_owned());
    let held = credentials.lock().await.expect("locked");
    let second = credentials.lock_within(LOCK_INTERVAL * 2).await;
    assert!(matches!(second, Err(CredentialsError::Busy { .. })));
    drop(held);
    assert!(credentials.lock().await.is_ok());
}

#[test]
fn a_file_of_another_shape_or_version_is_refused_and_named() {
    let home = tempfile::tempdir().expect("a directory");
    let credentials = Credentials::new(home.path().to_owned());
    for content in ["not json", r#"{"version":2}"#] {
        fs::write(credentials.path(), content).expect("written");
        let error = credentials.read().expect_err("refused");
        assert!(error.to_string().contains("credentials.json"), "{error}");
    }
}
