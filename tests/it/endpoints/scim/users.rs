//! `/scim/v2/Users`

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    programs::scim::{Scim, stack},
    stack::{Engine, Stack},
};

use super::start;

/// The example of RFC 7644 §3.3.
fn bjensen() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "bjensen",
        "externalId": "bjensen",
        "name": {"formatted": "Ms. Barbara J Jensen III", "familyName": "Jensen", "givenName": "Barbara"},
    })
}

fn filtered(by: &str) -> String {
    format!("/Users?{}", query(by))
}

fn query(filter: &str) -> String {
    let mut url = url::Url::parse("http://x").unwrap();
    url.query_pairs_mut().append_pair("filter", filter);
    url.query().unwrap().to_owned()
}

#[tokio::test]
async fn the_example_of_the_standard_is_created_read_found_replaced_and_deleted_on_either_engine() {
    for engine in Engine::ALL {
        let stack = stack(engine, &json!("email"), &Value::Null).await;
        let scim = Scim::of(&stack);
        let created = scim.post("/Users", &bjensen()).await;
        assert_eq!(created.status, 201, "{engine:?}: {}", created.json);
        let path = format!("/Users/{}", created.text("id"));
        let location = created.headers["location"].to_str().unwrap();
        assert_eq!(location, stack.at(&format!("/scim/v2{path}")));
        assert_eq!(created.json["meta"]["location"], location);
        assert_eq!(created.json["meta"]["version"], created.headers["etag"].to_str().unwrap());
        assert_eq!(created.json["active"], true);

        let read = scim.get(&path).await;
        assert_eq!((read.status.as_u16(), &read.json), (200, &created.json));
        for filter in [
            "userName eq \"BJensen\"",
            "externalId eq \"bjensen\"",
            "userName eq \"bjensen\" and externalId eq \"bjensen\"",
        ] {
            let found = scim.get(&filtered(filter)).await;
            assert_eq!(found.json["totalResults"], 1, "{engine:?} {filter}: {}", found.json);
            assert_eq!(found.json["Resources"][0], created.json, "{filter}");
        }
        for filter in ["userName eq \"bj\"", "externalId eq \"BJensen\"", "id eq \"x\""] {
            let found = scim.get(&filtered(filter)).await;
            assert_eq!((found.status.as_u16(), &found.json["totalResults"]), (200, &json!(0)));
        }

        let mut other = bjensen();
        other["userName"] = json!("babs");
        other.as_object_mut().unwrap().remove("name");
        let replaced = scim.put(&path, &other).await;
        assert_eq!(replaced.status, 200, "{}", replaced.json);
        assert_eq!(
            (&replaced.json["userName"], &replaced.json["name"]),
            (&json!("babs"), &Value::Null)
        );
        assert_eq!(scim.get(&filtered("userName eq \"bjensen\"")).await.json["totalResults"], 0);

        assert_eq!(scim.delete(&path).await.status, 204);
        assert_eq!(scim.get(&path).await.status, 404);
        assert_eq!(scim.delete(&path).await.status, 404);
        assert_eq!(scim.post("/Users", &other).await.status, 201, "the name is free again");
    }
}

#[tokio::test]
async fn a_name_is_given_once_whatever_its_case_on_either_engine() {
    for engine in Engine::ALL {
        let stack = stack(engine, &json!("email"), &Value::Null).await;
        let scim = Scim::of(&stack);
        scim.create_user("ada@acme.example").await;
        let other = format!("/Users/{}", scim.create_user("bob@acme.example").await);
        let named = json!({"userName": "ADA@acme.example"});
        let patch = json!([{"op": "replace", "value": named}]);
        for refused in [
            scim.post("/Users", &named).await,
            scim.put(&other, &named).await,
            scim.patch(&other, patch).await,
        ] {
            assert_eq!(refused.status, 409, "{engine:?}: {}", refused.json);
            assert_eq!(refused.json["scimType"], "uniqueness");
        }
        let own = json!({"userName": "BOB@acme.example"});
        assert_eq!(scim.put(&other, &own).await.status, 200, "one's own name in another case");
    }
}

#[tokio::test]
async fn the_shapes_of_entra_and_okta_deactivate_and_change_a_user() {
    let (_stack, scim) = start().await;
    let path = format!("/Users/{}", scim.create_user("ada@acme.example").await);
    let work = "emails[type eq \"work\"].value";
    for (operations, pointer, expected) in [
        // Okta.
        (json!([{"op": "replace", "value": {"active": false}}]), "/active", json!(false)),
        (json!([{"op": "replace", "value": {"active": true}}]), "/active", json!(true)),
        // Entra ID.
        (json!([{"op": "Replace", "path": "active", "value": "False"}]), "/active", json!(false)),
        (
            json!([{"op": "Replace", "path": "active", "value": "True"},
            {"op": "Add", "path": work, "value": "ada@acme.example"},
            {"op": "Add", "path": "name.givenName", "value": "Ada"},
            {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                "value": "Sales"}]),
            "/emails",
            json!([{"type": "work", "value": "ada@acme.example"}]),
        ),
        (
            json!([{"op": "Replace", "path": "displayName", "value": "Ada Park"}]),
            "/displayName",
            json!("Ada Park"),
        ),
        (json!([{"op": "remove", "path": "displayName"}]), "/name/givenName", json!("Ada")),
    ] {
        let changed = scim.patch(&path, operations.clone()).await;
        assert_eq!(changed.status, 200, "{operations}: {}", changed.json);
        assert_eq!(changed.json.pointer(pointer), Some(&expected), "{operations}");
        assert_eq!(scim.get(&path).await.json, changed.json, "{operations}");
    }
    let refused = scim.patch(&path, json!([{"op": "replace", "path": "active", "value": "maybe"}]));
    assert_eq!(refused.await.json["scimType"], "invalidValue");
    assert_eq!(scim.get(&path).await.json["active"], true);
}

#[tokio::test]
async fn a_change_of_what_has_changed_meanwhile_is_refused() {
    let (_stack, scim) = start().await;
    let created = scim.post("/Users", &bjensen()).await;
    let path = format!("/Users/{}", created.text("id"));
    let old = created.headers["etag"].to_str().unwrap().to_owned();
    let inactive = json!({"userName": "bjensen", "active": false});
    let changed = scim.send_if_match(Method::PUT, &path, Some(&inactive), &old).await;
    assert_eq!(changed.status, 200, "{}", changed.json);
    let new = changed.headers["etag"].to_str().unwrap().to_owned();
    assert_ne!(old, new);
    let patch = json!({"Operations": [{"op": "replace", "value": {"active": true}}]});
    for (method, body) in
        [(Method::PUT, Some(&inactive)), (Method::PATCH, Some(&patch)), (Method::DELETE, None)]
    {
        let refused = scim.send_if_match(method.clone(), &path, body, &old).await;
        assert_eq!(refused.status, 412, "{method}: {}", refused.json);
    }
    assert_eq!(scim.get(&path).await.json["active"], false);
    for tag in [new.as_str(), "*", &format!("\"x\", {new}")] {
        let body = json!({"Operations": [{"op": "replace", "value": {"active": false}}]});
        let taken = scim.send_if_match(Method::PATCH, &path, Some(&body), tag).await;
        assert_eq!(taken.status, 200, "{tag}: {}", taken.json);
    }
}

#[tokio::test]
async fn pages_are_bounded_and_together_hold_everyone_once() {
    let (_stack, scim) = start().await;
    for number in 0..5 {
        scim.create_user(&format!("user-{number}")).await;
    }
    let page = async |query: &str| scim.get(&format!("/Users?{query}")).await.json;
    let mut seen = Vec::new();
    for start in [1, 3, 5] {
        let page = page(&format!("startIndex={start}&count=2")).await;
        assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(5), &json!(start)));
        let users = page["Resources"].as_array().unwrap();
        assert_eq!(page["itemsPerPage"], users.len());
        seen.extend(users.iter().map(|user| user["userName"].clone()));
    }
    assert_eq!(seen, [0, 1, 2, 3, 4].map(|number| json!(format!("user-{number}"))));
    for (query, number) in [
        ("count=0", 0),
        ("count=-3", 0),
        ("count=100000", 5),
        ("startIndex=0", 5),
        ("startIndex=99", 0),
    ] {
        assert_eq!(page(query).await["itemsPerPage"], number, "{query}");
    }
    let only = page("count=1&attributes=userName").await;
    let members: Vec<&String> = only["Resources"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["schemas", "id", "userName"]);
}

/// Every act leaves one line, which says who did it.
#[tokio::test]
async fn the_audit_tells_of_every_act() {
    let (stack, scim) = start().await;
    let path = format!("/Users/{}", scim.create_user("ada@acme.example").await);
    scim.patch(&path, json!([{"op": "replace", "value": {"displayName": "Ada"}}])).await;
    scim.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await;
    scim.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await;
    scim.patch(&path, json!([{"op": "replace", "value": {"active": true}}])).await;
    scim.delete(&path).await;
    let told = audit(&stack).await;
    let kinds: Vec<&str> = told.iter().rev().map(|it| it["kind"].as_str().unwrap()).collect();
    let expected = [
        "provisioned",
        "provisioning_changed",
        "account_disabled",
        "account_enabled",
        "deprovisioned",
    ];
    assert_eq!(kinds, expected);
    assert!(told.iter().all(|it| it["actor"] == "scim" && it["subject"] == "ada@acme.example"));
}

pub(super) async fn audit(stack: &Stack) -> Vec<Value> {
    let answer = tests::programs::operator::carry_out(stack, &["audit", "--by-others", "--json"]);
    serde_json::from_str(&answer.await.unwrap()).unwrap()
}
