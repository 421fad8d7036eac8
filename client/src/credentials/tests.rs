//! Tests of the credentials file.

use std::sync::Mutex;

use futures::future::{BoxFuture, FutureExt as _};
use url::Url;

use super::*;
use crate::{
    files::file_lock::INTERVAL,
    oauth::grant::{
        Grant,
        tests::{grant, registration},
    },
};

fn server() -> Url {
    Url::parse("https://mcp.example/mcp").expect("a URL")
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
    let second = credentials.lock_within(INTERVAL * 2).await;
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

#[test]
fn a_grant_that_nothing_leads_to_any_more_is_given_back_to_be_revoked() {
    let (other, mut stored) =
        (Url::parse("https://mcp.example/b").expect("a URL"), Stored::default());
    let moved = Grant { issuer: "https://new.example".to_owned(), ..grant(0, None) };
    assert_eq!(stored.keep_grant(&server(), grant(0, None)), None);
    assert_eq!(stored.keep_grant(&server(), grant(5, None)), None, "renewed in its place");
    stored.keep_grant(&other, grant(5, None));
    assert_eq!(stored.keep_grant(&server(), moved.clone()), None, "the other server still uses it");
    assert_eq!(stored.keep_grant(&other, moved.clone()), Some(grant(5, None)));
    assert_eq!(stored.grant(&server()), Some(&moved));
}

/// A keyring in memory; `None` is one that never answers.
#[derive(Default)]
struct Memory(Option<Mutex<Option<Secret>>>);

impl Memory {
    fn empty() -> Self {
        Self(Some(Mutex::default()))
    }
}

impl Keyring for Memory {
    fn key(&self) -> BoxFuture<'_, Result<Option<Secret>, KeyringError>> {
        match &self.0 {
            Some(kept) => {
                std::future::ready(Ok(kept.lock().expect("not poisoned").clone())).boxed()
            }
            None => std::future::pending().boxed(),
        }
    }

    fn keep<'a>(&'a self, key: &'a Secret) -> BoxFuture<'a, Result<(), KeyringError>> {
        if let Some(kept) = &self.0 {
            *kept.lock().expect("not poisoned") = Some(key.clone());
        }
        std::future::ready(Ok(())).boxed()
    }
}

/// A keyring that says at once that there is none.
struct Absent;

impl Keyring for Absent {
    fn key(&self) -> BoxFuture<'_, Result<Option<Secret>, KeyringError>> {
        std::future::ready(Err(KeyringError("nobody is there".to_owned()))).boxed()
    }

    fn keep<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<(), KeyringError>> {
        std::future::ready(Err(KeyringError("nobody is there".to_owned()))).boxed()
    }
}

async fn sign_in(credentials: &Credentials) {
    let lock = credentials.lock().await.expect("locked");
    let kept = grant(0, Some(900));
    credentials.change(&lock, |stored| stored.keep_grant(&server(), kept)).expect("kept");
}

async fn opened(home: &Path, store: SecretStore, keyring: &dyn Keyring) -> Credentials {
    Credentials::open(home.to_owned(), store, keyring).await.expect("opened")
}

#[tokio::test]
async fn with_a_keyring_no_secret_stands_in_any_file() {
    let (home, keyring) = (tempfile::tempdir().expect("a directory"), Memory::empty());
    let home = home.path();
    sign_in(&Credentials::new(home.to_owned())).await;
    let credentials = opened(home, SecretStore::Auto, &keyring).await;
    let kept = credentials.read().expect("what the plain file held");
    assert_eq!(kept.grant(&server()), Some(&grant(0, Some(900))));
    sign_in(&credentials).await;
    for file in fs::read_dir(home).expect("a directory") {
        let content = fs::read_to_string(file.expect("a file").path()).expect("text");
        assert!(!content.contains("\"rt\"") && !content.contains("as.example"), "{content}");
    }
    assert!(!home.join("credentials.json").exists());
    let again = opened(home, SecretStore::Keyring, &keyring).await;
    assert!(again.read().expect("the same key").grant(&server()).is_some());
}

#[tokio::test]
async fn without_a_keyring_there_is_a_file_and_nobody_waits_for_one() {
    let home = tempfile::tempdir().expect("a directory");
    let (home, moment) = (home.path(), INTERVAL);
    for keyring in [&Absent as &dyn Keyring, &Memory(None)] {
        let auto = Credentials::open_within(moment, home.into(), SecretStore::Auto, keyring).await;
        assert!(!auto.expect("a file").are_sealed());
        let insisted = Credentials::open_within(moment, home.into(), SecretStore::Keyring, keyring);
        assert!(matches!(insisted.await, Err(CredentialsError::Keyring(_))));
    }
    assert!(PROBE_TIMEOUT.as_secs() <= 2, "whoever has none waits for this at every start");
}

#[tokio::test]
async fn a_session_without_the_keyring_leaves_the_sealed_file_alone() {
    let (home, keyring) = (tempfile::tempdir().expect("a directory"), Memory::empty());
    sign_in(&opened(home.path(), SecretStore::Auto, &keyring).await).await;
    let headless = opened(home.path(), SecretStore::Auto, &Absent).await;
    assert!(headless.read().expect("nothing yet").grant(&server()).is_none());
    sign_in(&headless).await;
    let desktop = opened(home.path(), SecretStore::Auto, &keyring).await;
    assert!(desktop.read().expect("as it was").grant(&server()).is_some());
    assert!(home.path().join("credentials.json").exists());
}

#[tokio::test]
async fn a_sealed_file_whose_key_is_lost_is_named() {
    let home = tempfile::tempdir().expect("a directory");
    sign_in(&opened(home.path(), SecretStore::Auto, &Memory::empty()).await).await;
    let error = opened(home.path(), SecretStore::Auto, &Memory::empty()).await.read();
    let error = error.expect_err("another key");
    assert!(error.to_string().contains("credentials.sealed"), "{error}");
}

#[tokio::test]
async fn a_sealed_file_that_was_changed_is_refused_whatever_was_changed() {
    let (home, keyring) = (tempfile::tempdir().expect("a directory"), Memory::empty());
    let credentials = opened(home.path(), SecretStore::Auto, &keyring).await;
    sign_in(&credentials).await;
    let sealed = fs::read_to_string(credentials.path()).expect("a file");
    let (stem, tag) = sealed.rsplit_once('.').expect("a tag");
    let mut changed: Vec<_> = (0..tag.len()).map(|end| format!("{stem}.{}", &tag[..end])).collect();
    changed.extend([format!("{sealed}A"), format!("{sealed}="), format!("{sealed}.")]);
    changed.extend([sealed.replacen("..", ".AA.", 1), sealed.replacen('e', "f", 1), String::new()]);
    for text in changed {
        fs::write(credentials.path(), &text).expect("written");
        let read = credentials.read();
        assert!(matches!(read, Err(CredentialsError::Unreadable { .. })), "{text}");
    }
    fs::write(credentials.path(), format!("{sealed}\n")).expect("written");
    assert!(credentials.read().expect("as it was").grant(&server()).is_some());
}
