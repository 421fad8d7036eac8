//! Request ids: whose word is taken for them.

use tests::{programs::client::http, stack::Stack};

const FOREIGN: &str = "5f0c7a1e-of-the-proxy";

/// The id that a request goes by which came with another.
async fn id_of(stack: &Stack, sent: &str) -> String {
    let answer = http().get(stack.at("/health")).header("x-request-id", sent).send().await.unwrap();
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stranger_does_not_name_requests() {
    let stack = Stack::start().await;
    let first = id_of(&stack, FOREIGN).await;
    let second = id_of(&stack, FOREIGN).await;
    assert_ne!(first, FOREIGN);
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_trusted_proxy_names_them_by_a_short_word() {
    let stack = Stack::start_with(&["--trusted-proxies", "1"], &[]).await;
    assert_eq!(id_of(&stack, FOREIGN).await, FOREIGN);
    assert_eq!(id_of(&stack, &"a".repeat(64)).await, "a".repeat(64));
    for odd in [&"a".repeat(65), "two words", "<b>", "a\"b", "a/b", ""] {
        assert_ne!(id_of(&stack, odd).await, odd);
    }
}
