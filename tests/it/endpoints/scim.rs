//! SCIM: what all of its endpoints have in common, and what they say of themselves.

mod groups;
mod users;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    programs::scim::{SECRET, Scim, stack, stack_with},
    stack::{Engine, Stack},
};

async fn start() -> (Stack, Scim) {
    let stack = stack(Engine::Sqlite, &json!("email"), &Value::Null).await;
    let scim = Scim::of(&stack);
    (stack, scim)
}

#[tokio::test]
async fn without_a_provisioning_system_there_is_nothing() {
    let stack = Stack::start().await;
    let scim = Scim::of(&stack);
    for path in ["/Users", "/ServiceProviderConfig"] {
        assert_eq!(scim.get(path).await.status, 404, "{path}");
    }
    assert_eq!(scim.post("/Users", &json!({"userName": "ada"})).await.status, 404);
}

#[tokio::test]
async fn only_the_secret_opens_anything_and_a_guesser_is_stopped() {
    let stack =
        stack_with(Engine::Sqlite, &json!("email"), &Value::Null, &["--limit-wrong-secrets", "20"])
            .await;
    let scim = Scim::of(&stack);
    let right = format!("Bearer {SECRET}");
    for headers in [
        &[][..],
        &[("authorization", "Bearer wrong")],
        &[("authorization", &right[..right.len() - 1])],
        &[("authorization", &right.replace("Bearer", "Basic"))],
        &[("authorization", &right), ("authorization", &right)],
    ] {
        for path in ["/Users", "/Schemas", "/Users/1", "/nothing"] {
            let refused = scim.send_with(Method::GET, path, None, headers).await;
            assert_eq!(refused.status, 401, "{headers:?} {path}");
            assert_eq!(refused.headers["www-authenticate"], "Bearer realm=\"scim\"");
            assert_eq!(refused.headers["content-type"], "application/scim+json");
            assert_eq!(refused.json["status"], "401");
        }
    }
    let late = scim.get("/Users").await;
    assert_eq!((late.status.as_u16(), &late.json["status"]), (429, &json!("429")));
    assert!(late.headers.contains_key("retry-after"));
    stack.advance(60);
    assert_eq!(scim.get("/Users").await.status, 200);
}

#[tokio::test]
async fn a_provisioning_system_that_sends_too_much_is_told_to_wait() {
    let options = ["--limit-scim", "5"];
    let stack = stack_with(Engine::Sqlite, &json!("email"), &Value::Null, &options).await;
    let scim = Scim::of(&stack);
    for _ in 0..5 {
        assert_eq!(scim.get("/Users").await.status, 200);
    }
    let refused = scim.get("/Users").await;
    assert_eq!(
        (refused.status.as_u16(), refused.headers["retry-after"].as_bytes()),
        (429, &b"12"[..])
    );
    stack.advance(12);
    assert_eq!(scim.get("/Users").await.status, 200);
}

#[tokio::test]
async fn the_server_says_what_it_can_do() {
    let (stack, scim) = start().await;
    let config = scim.get("/ServiceProviderConfig").await;
    assert_eq!(config.headers["content-type"], "application/scim+json");
    for (member, expected) in
        [("patch", true), ("bulk", false), ("filter", true), ("sort", false), ("etag", true)]
    {
        assert_eq!(config.json[member]["supported"], expected, "{member}");
    }
    let types = scim.get("/ResourceTypes").await;
    assert_eq!(types.json["totalResults"], 2);
    assert_eq!(types.json["Resources"][0]["endpoint"], "/Users");
    let location = types.json["Resources"][1]["meta"]["location"].as_str().unwrap();
    let group = scim.get(location.strip_prefix(&stack.at("/scim/v2")).unwrap()).await;
    assert_eq!(group.json["schema"], "urn:ietf:params:scim:schemas:core:2.0:Group");
    let schemas = scim.get("/Schemas").await;
    assert_eq!(schemas.json["totalResults"], 2);
    let user = scim.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").await;
    assert_eq!(user.json["attributes"][0]["name"], "userName");
    assert_eq!(user.json["attributes"][0]["uniqueness"], "server");
    assert_eq!(scim.get("/Schemas/urn:x").await.status, 404);
    assert_eq!(scim.get("/ResourceTypes?filter=id%20eq%20%22User%22").await.status, 403);
}

#[tokio::test]
async fn what_no_endpoint_takes_is_refused_as_scim_refuses() {
    let (_stack, scim) = start().await;
    for (method, path, body, status, scim_type) in [
        (Method::GET, "/Bulk", None, 404, Value::Null),
        (Method::GET, "/Users/ada", None, 404, Value::Null),
        (Method::DELETE, "/Users", None, 405, Value::Null),
        (Method::POST, "/Users", Some(json!([])), 400, json!("invalidSyntax")),
        (Method::POST, "/Users", Some(json!({"a": "x".repeat(1 << 20)})), 413, Value::Null),
        (Method::GET, "/Users?count=many", None, 400, json!("invalidValue")),
        (Method::GET, "/Users?filter=userName%20co%20%22a%22", None, 400, json!("invalidFilter")),
    ] {
        let refused = scim.send(method.clone(), path, body.as_ref()).await;
        assert_eq!(refused.status, status, "{method} {path}: {}", refused.json);
        assert_eq!(refused.headers["content-type"], "application/scim+json", "{method} {path}");
        let schema = "urn:ietf:params:scim:api:messages:2.0:Error";
        assert_eq!(refused.json["schemas"], json!([schema]), "{method} {path}");
        assert_eq!(refused.json["status"], status.to_string(), "{method} {path}");
        assert_eq!(refused.json["scimType"], scim_type, "{method} {path}");
        assert!(!refused.text("detail").is_empty(), "{method} {path}");
    }
}
