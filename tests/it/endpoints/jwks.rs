//! `GET /jwks`

use tests::{
    programs::{
        client::{Answer, http},
        operator,
    },
    stack::Stack,
};

#[tokio::test]
async fn it_publishes_public_members_only() {
    let stack = Stack::start().await;
    let answer = Answer::of(http().get(stack.at("/jwks"))).await;
    let key = &answer.json["keys"][0];
    assert_eq!((key["kty"].as_str(), key["alg"].as_str()), (Some("EC"), Some("ES256")));
    assert_eq!(key.get("d"), None);
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
}

#[tokio::test]
async fn who_has_it_already_gets_304() {
    let stack = Stack::start().await;
    let tag = Answer::of(http().get(stack.at("/jwks"))).await.headers["etag"].clone();
    let answer = Answer::of(http().get(stack.at("/jwks")).header("if-none-match", tag)).await;
    assert_eq!(answer.status, 304);
}

#[tokio::test]
async fn a_new_key_is_served_with_a_new_tag_although_queries_are_shared() {
    let stack = Stack::start().await;
    let first = Answer::of(http().get(stack.at("/jwks"))).await;
    operator::carry_out(&stack, &["keys", "rotate"]).await.unwrap();
    // The stack's clock does not tick. So many requests take longer than a query is shared.
    for _ in 0..1000 {
        let known = http().get(stack.at("/jwks")).header("if-none-match", &first.headers["etag"]);
        let second = Answer::of(known).await;
        if second.status == 200 {
            assert_eq!(second.json["keys"].as_array().unwrap().len(), 2);
            assert_ne!(second.headers["etag"], first.headers["etag"]);
            return;
        }
    }
    panic!("the new key is not served");
}
