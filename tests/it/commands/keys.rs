//! `auth keys`

use serde_json::Value;
use tests::{operator, stack::Stack};

#[tokio::test]
async fn keys_list_shows_the_key_that_signs_and_nothing_private() {
    let stack = Stack::start().await;
    let kid = stack.state.keys.current(i64::MAX).unwrap().kid().to_owned();
    let plain = operator::run(&stack, &["keys", "list"]).await;
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    assert!(plain.stdout.starts_with("KID") && plain.stdout.contains(&kid), "{}", plain.stdout);
    let json = operator::run(&stack, &["keys", "list", "--json"]).await;
    let keys: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&keys[0]["kid"], &keys[0]["alg"]), (&kid.into(), &"ES256".into()));
    assert!(!json.stdout.contains("\"d\"") && !json.stdout.contains("sealed"), "{}", json.stdout);
}
