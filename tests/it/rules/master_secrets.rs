//! A master secret takes the place of another while replicas serve, and none of them refuses what
//! another has sealed or tagged.

use std::{error::Error, fs, path::Path};

use auth::{
    config::Config,
    key_ring::replica::REPLICA_TTL,
    seals::Seals,
    state::AppState,
    storage::{sessions, users},
    testing::{Admitted, SignedIn},
};
use clap::Parser;
use keys::MasterSecrets;
use net::clock::Clock;
use tempfile::TempDir;
use tests::stack::{Engine, auth_options, postgres};
use uuid::Uuid;

/// Replicas on one database, each started with a secret file of its own.
struct Replicas {
    data: TempDir,
    database: String,
}

impl Replicas {
    async fn on(engine: Engine) -> Self {
        let data = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => format!("sqlite://{}/auth.db", data.path().display()),
            Engine::Postgres => postgres::database().await,
        };
        Self { data, database }
    }

    async fn start(&self, lines: &[&str]) -> Result<AppState, Box<dyn Error + Send + Sync>> {
        fs::write(self.data.path().join("secret"), lines.join("\n")).unwrap();
        let resource = "http://localhost:3001/mcp";
        let issuer = "http://localhost:3000";
        let github = "http://localhost:3002";
        let mut options = auth_options(Path::new(self.data.path()), issuer, github, resource);
        let at = options.iter().position(|option| option == "--database-url").unwrap();
        options[at + 1] = self.database.clone();
        AppState::start(Config::try_parse_from(options).unwrap(), Clock::system()).await
    }
}

fn lines() -> (String, String) {
    (MasterSecrets::generate().unwrap(), MasterSecrets::generate().unwrap())
}

/// Looks after the keys of these replicas every five seconds, from `from` on.
async fn pass(seconds: i64, from: i64, replicas: &[&AppState]) -> i64 {
    for now in (from..=from + seconds).step_by(5) {
        for replica in replicas {
            replica.keys.keep(&replica.db, now).await.unwrap();
        }
    }
    from + seconds
}

/// Whether `line` opens what a replica seals now.
fn seals_under(replica: &AppState, line: &str) -> bool {
    let sealed = replica.seals.consent.seal(&1).unwrap();
    Seals::new(&MasterSecrets::parse(line).unwrap()).consent.open::<u8>(&sealed).is_ok()
}

fn assert_each_opens_what_the_other_seals(one: &AppState, other: &AppState) {
    for (from, to) in [(one, other), (other, one)] {
        let sealed = from.seals.consent.seal(&1).unwrap();
        assert_eq!(to.seals.consent.open::<u8>(&sealed).unwrap(), 1);
        assert!(to.seals.refresh_token.verify(b"m", &from.seals.refresh_token.tag(b"m")));
        assert_eq!(
            from.keys.current(i64::MAX).unwrap().kid(),
            to.keys.current(i64::MAX).unwrap().kid()
        );
    }
}

#[tokio::test]
async fn a_new_line_seals_once_every_replica_has_it_on_top_on_either_engine() {
    for engine in Engine::ALL {
        let replicas = Replicas::on(engine).await;
        let (old, new) = lines();
        let a = replicas.start(&[&old]).await.unwrap();
        let b = replicas.start(&[&old]).await.unwrap();
        let now = pass(60, Clock::system().now(), &[&a, &b]).await;

        // The first is rolled; the second knows the old line alone for as long as it likes.
        let a = replicas.start(&[&new, &old]).await.unwrap();
        let now = pass(600, now, &[&a, &b]).await;
        assert!(seals_under(&a, &old) && seals_under(&b, &old), "{engine:?}");
        assert_each_opens_what_the_other_seals(&a, &b);

        let b = replicas.start(&[&new, &old]).await.unwrap();
        let now = pass(REPLICA_TTL - 10, now, &[&a, &b]).await;
        assert!(seals_under(&a, &old), "{engine:?}: the old process may still serve");
        pass(20, now, &[&a, &b]).await;
        assert!(seals_under(&a, &new) && seals_under(&b, &new), "{engine:?}");
        assert_each_opens_what_the_other_seals(&a, &b);

        assert!(replicas.start(&[&old]).await.is_err(), "{engine:?}: the old line came back alone");
        replicas.start(&[&new]).await.unwrap();
    }
}

#[tokio::test]
async fn replicas_that_disagree_about_the_first_line_leave_the_keys_as_they_are_on_the_postgresql_engine()
 {
    let replicas = Replicas::on(Engine::Postgres).await;
    let (old, new) = lines();
    let a = replicas.start(&[&old, &new]).await.unwrap();
    let b = replicas.start(&[&new, &old]).await.unwrap();
    let ring = async |state: &AppState| {
        let rows = auth::storage::signing_keys::all(state.db.connection()).await.unwrap();
        rows.into_iter().map(|row| row.sealed_private_jwk).collect::<Vec<_>>()
    };
    let before = ring(&a).await;
    pass(600, Clock::system().now(), &[&a, &b]).await;
    assert_eq!(ring(&b).await, before, "a key was sealed again");
    assert!(seals_under(&a, &old) && seals_under(&b, &old));
    assert_each_opens_what_the_other_seals(&a, &b);
}

/// After an outage of the database all heartbeats are old.
#[tokio::test]
async fn after_an_outage_a_replica_that_is_late_is_not_taken_for_gone_on_the_postgresql_engine() {
    let replicas = Replicas::on(Engine::Postgres).await;
    let (old, new) = lines();
    let b = replicas.start(&[&old]).await.unwrap();
    let a = replicas.start(&[&new, &old]).await.unwrap();
    let now = pass(60, Clock::system().now(), &[&a, &b]).await;
    let now = pass(REPLICA_TTL - 10, now + 3600, &[&a]).await;
    assert!(seals_under(&a, &old), "one replica was taken for gone");
    pass(600, now, &[&a, &b]).await;
    assert_each_opens_what_the_other_seals(&a, &b);
}

#[tokio::test]
async fn a_single_server_takes_a_new_line_over_so_that_the_old_one_can_go() {
    let replicas = Replicas::on(Engine::Sqlite).await;
    let (old, new) = lines();
    let kid = |state: &AppState| state.keys.current(i64::MAX).unwrap().kid().to_owned();
    let first = kid(&replicas.start(&[&old]).await.unwrap());
    assert!(replicas.start(&[&new]).await.is_err(), "a foreign secret opens the keys");
    let both = replicas.start(&[&new, &old]).await.unwrap();
    assert_eq!(kid(&both), first);
    pass(60, Clock::system().now(), &[&both]).await;
    assert_eq!(kid(&replicas.start(&[&new]).await.unwrap()), first);
}

#[tokio::test]
async fn the_proof_of_a_form_counts_on_a_replica_that_seals_with_another_line() {
    let replicas = Replicas::on(Engine::Sqlite).await;
    let (old, new) = lines();
    let state = replicas.start(&[&old, &new]).await.unwrap();
    let user = users::Model {
        id: Uuid::nil(),
        name: None,
        preferred_username: None,
        picture: None,
        email: None,
        email_verified: false,
        facts: "{}".into(),
        disabled_at: None,
        created_at: 0,
        updated_at: 0,
    };
    let session = sessions::Model {
        token_hash: "hash".into(),
        user_id: user.id,
        authenticated_at: 0,
        expires_at: 0,
        id: Uuid::nil(),
        device: String::new(),
        network: String::new(),
        last_seen_at: 0,
    };
    let person = SignedIn { session, person: Admitted::judge(&state, user).unwrap() };
    let before = person.csrf(&state);
    state.seals.secrets.seal_with(1);
    assert_ne!(person.csrf(&state), before);
    assert!(person.is_csrf(&state, &before) && person.is_csrf(&state, &person.csrf(&state)));
    assert!(!person.is_csrf(&state, "another"));
}
