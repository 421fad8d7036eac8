//! Whatever the policy says and whatever upstreams say of a person: no path gives anything to someone
//! whom the policy keeps out, nor a scope that it withholds. Choices are random, from fixed seeds, and
//! judged by a reading of the policy of this file's own.

mod oracle;
mod paths;

use serde_json::json;
use tests::{
    servers::trusted_issuer::TrustedIssuer,
    stack::{Engine, Stack, config_file},
    torture::seeded::Seeded,
};

use self::{
    oracle::{FILES, Policy, facts},
    paths::{Person, Setting, Start},
};

/// How much was tried, so that a test that tries nothing fails.
#[derive(Debug, Default)]
struct Tally {
    admitted: usize,
    kept_out: usize,
}

/// A stack under a random policy, that trusts an issuer of people.
async fn start(engine: Engine, policy: &Policy) -> Setting {
    let issuer = TrustedIssuer::default();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let scope = |name: &str, implies: &[&str]| json!({"name": name, "description": name, "implies": implies});
    let scopes = [scope("write", &["read"]), scope("read", &[]), scope("list", &[])];
    let mut entry = issuer.entry();
    entry["people"] = json!({"provider": "corp", "create_accounts": true});
    let document = json!({
        "resources": [{"resource": FILES, "name": "Files", "scopes": scopes}],
        "trusted_issuers": [entry],
        "access": policy.written(),
    });
    let [option, path] = config_file::write(&file, &document);
    let mut stack = Stack::on_with(engine, &[&option, &path]).await;
    stack.audience = FILES.into();
    Setting::new(stack, issuer).await
}

async fn walk(engine: Engine, seeds: std::ops::Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let mut random = Seeded::new(seed);
        let policy = Policy::random(&mut random);
        let setting = start(engine, &policy).await;
        for login in ["nick-lucas", "ada-park"] {
            let at_sign_in = oracle::facts_of_the_stand_in(login);
            let at_first = policy.judge(&at_sign_in).map(|groups| policy.permitted(&groups));
            let person = match Person::sign_in(&setting, login).await {
                Start::KeptOut => {
                    assert_eq!(at_first, None, "seed {seed}: {login} is kept out");
                    tally.kept_out += 1;
                    continue;
                }
                Start::EmptyHanded => {
                    assert_eq!(at_first, Some([].into()), "seed {seed}: {login} gets nothing");
                    continue;
                }
                Start::Holding(person) => person,
            };
            assert!(at_first.is_some_and(|scopes| !scopes.is_empty()), "seed {seed}: {login}");
            let facts = facts(&mut random, login);
            setting.set_facts(login, &facts).await;
            let groups = policy.judge(&facts);
            let permitted = groups.map(|groups| policy.permitted(&groups));
            match &permitted {
                Some(_) => tally.admitted += 1,
                None => tally.kept_out += 1,
            }
            person.try_everything(&setting, permitted.as_ref(), seed).await;
        }
        for number in 0..4 {
            let claims = oracle::asserted(&mut random);
            let groups = policy.judge(&oracle::facts_of_assertion(&claims));
            let permitted = groups.map(|groups| policy.permitted(&groups));
            setting.assert_person(&format!("{seed}-{number}"), &claims, permitted.as_ref()).await;
        }
    }
    tally
}

#[tokio::test]
async fn no_path_gives_anything_to_someone_whom_the_policy_keeps_out() {
    let tally = walk(Engine::Sqlite, 0..10).await;
    assert!(tally.admitted >= 3 && tally.kept_out >= 3, "{tally:?}");
}

#[tokio::test]
async fn no_path_gives_anything_to_someone_kept_out_at_length_on_either_engine() {
    for engine in Engine::ALL {
        let tally = walk(engine, 100..124).await;
        assert!(tally.admitted >= 8 && tally.kept_out >= 8, "{engine:?}: {tally:?}");
    }
}
