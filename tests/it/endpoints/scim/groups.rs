//! `/scim/v2/Groups`

use serde_json::{Value, json};
use tests::{
    programs::scim::{Scim, stack},
    stack::Engine,
};

use super::{start, users::audit};

fn members(group: &Value) -> Vec<&str> {
    let members = group["members"].as_array().unwrap();
    members.iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_is_created_changed_found_and_deleted_on_either_engine() {
    for engine in Engine::ALL {
        let stack = stack(engine, &json!("email"), &Value::Null).await;
        let scim = Scim::of(&stack);
        let [ada, bob] = [scim.create_user("ada").await, scim.create_user("bob").await];
        let id = scim.create_group("Platform", &[&ada]).await;
        let path = format!("/Groups/{id}");
        let read = scim.get(&path).await;
        assert_eq!(members(&read.json), [&ada], "{engine:?}");
        let user = scim.get(&format!("/Users/{ada}")).await;
        assert_eq!(user.json["groups"][0]["display"], "Platform");

        let one = |id: &str| json!([{ "value": id }]);
        for (operations, expected) in [
            (json!([{"op": "add", "path": "members", "value": one(&bob)}]), vec![&ada, &bob]),
            (json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}]), vec![&bob]),
            (
                json!([{"op": "Add", "path": "members", "value": one(&ada)},
                {"op": "Remove", "path": "members", "value": one(&bob)}]),
                vec![&ada],
            ),
            (
                json!([{"op": "replace", "value": {"displayName": "Ops", "members": one(&bob)}}]),
                vec![&bob],
            ),
        ] {
            let changed = scim.patch(&path, operations.clone()).await;
            assert_eq!(changed.status, 200, "{engine:?} {operations}: {}", changed.json);
            assert_eq!(members(&changed.json), expected, "{operations}");
            assert_eq!(scim.get(&path).await.json, changed.json);
        }
        for (filter, number) in [
            ("displayName%20eq%20%22OPS%22", 1),
            ("displayName%20eq%20%22Platform%22", 0),
            (&*format!("id%20eq%20%22{id}%22%20and%20members%20eq%20%22{bob}%22"), 1),
            (&*format!("id%20eq%20%22{id}%22%20and%20members%20eq%20%22{ada}%22"), 0),
        ] {
            let found =
                scim.get(&format!("/Groups?filter={filter}&excludedAttributes=members")).await;
            assert_eq!(found.json["totalResults"], number, "{engine:?} {filter}");
            let first = found.json["Resources"].get(0);
            assert!(first.is_none_or(|group| group["members"].is_null()), "{filter}");
        }

        let replaced = scim.put(&path, &json!({"displayName": "Ops"})).await;
        assert_eq!((replaced.status.as_u16(), members(&replaced.json).len()), (200, 0));
        assert_eq!(scim.delete(&path).await.status, 204);
        assert_eq!(scim.get(&path).await.status, 404);
    }
}

#[tokio::test]
async fn a_member_must_be_a_user_and_leaves_with_the_user() {
    let (_stack, scim) = start().await;
    let ada = scim.create_user("ada").await;
    let group = scim.create_group("Platform", &[&ada]).await;
    let path = format!("/Groups/{group}");
    for value in
        [json!(group), json!("00000000-0000-7000-8000-000000000000"), json!("ada"), json!(7)]
    {
        let added = json!([{"op": "add", "path": "members", "value": [{"value": value}]}]);
        let refused = scim.patch(&path, added).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text("scimType")),
            (400, "invalidValue"),
            "{value}"
        );
    }
    assert_eq!(members(&scim.get(&path).await.json), [&ada]);
    scim.delete(&format!("/Users/{ada}")).await;
    assert_eq!(members(&scim.get(&path).await.json).len(), 0);
}

#[tokio::test]
async fn names_of_groups_are_given_once() {
    let (_stack, scim) = start().await;
    scim.create_group("Platform", &[]).await;
    let other = scim.create_group("Ops", &[]).await;
    let named = json!({"displayName": "PLATFORM"});
    for refused in
        [scim.post("/Groups", &named).await, scim.put(&format!("/Groups/{other}"), &named).await]
    {
        assert_eq!((refused.status.as_u16(), refused.text("scimType")), (409, "uniqueness"));
    }
}

#[tokio::test]
async fn a_user_is_in_a_hundred_groups_at_most() {
    let (_stack, scim) = start().await;
    let ada = scim.create_user("ada").await;
    for number in 0..100 {
        scim.create_group(&format!("group {number}"), &[&ada]).await;
    }
    let body = json!({"displayName": "one more", "members": [{"value": ada}]});
    let refused = scim.post("/Groups", &body).await;
    assert_eq!((refused.status.as_u16(), refused.text("scimType")), (400, "invalidValue"));
    let found = scim.get("/Groups?filter=displayName%20eq%20%22one%20more%22").await;
    assert_eq!(found.json["totalResults"], 0, "nothing of it is stored");
    // With their members, fewer come at once.
    let page = scim.get("/Groups?count=200").await;
    assert_eq!((&page.json["totalResults"], &page.json["itemsPerPage"]), (&json!(100), &json!(10)));
}

#[tokio::test]
async fn the_audit_counts_who_came_and_went() {
    let (stack, scim) = start().await;
    let [ada, bob] = [scim.create_user("ada").await, scim.create_user("bob").await];
    let path = format!("/Groups/{}", scim.create_group("Platform", &[&ada, &bob]).await);
    scim.patch(&path, json!([{"op": "remove", "path": "members"}])).await;
    scim.delete(&path).await;
    let told = audit(&stack).await;
    let told: Vec<_> = told.iter().rev().skip(2).map(|it| (&it["kind"], &it["rule"])).collect();
    let line = |kind: &str, rule: &str| (json!(kind), json!(rule));
    let expected = [
        line("group_provisioned", "2 added, 0 removed, 2 members"),
        line("group_changed", "0 added, 2 removed, 0 members"),
        line("group_removed", "0 added, 0 removed, 0 members"),
    ];
    assert_eq!(told, expected.iter().map(|(kind, rule)| (kind, rule)).collect::<Vec<_>>());
}
