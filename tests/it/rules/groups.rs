//! The groups of a person as a claim: told to a resource under the name that its operator chose.

use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, with},
    stack::{Stack, access_token::claims, config_file, github::Membership},
};

const FILES: &str = "http://localhost:9/files";
const ROLES: &str = "http://localhost:9/roles";
const QUIET: &str = "http://localhost:9/quiet";
const OPAQUE: &str = "http://localhost:9/opaque";

/// Four resources, and Nick Lucas in two of three groups.
async fn stack() -> Stack {
    let directory = tempfile::tempdir().unwrap();
    let resource = |identifier: &str, more: Value| {
        let mut resource = json!({"resource": identifier, "name": "R",
            "scopes": [{"name": "read", "description": "Read"}]});
        resource.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        resource
    };
    let document = json!({
        "resources": [
            resource(FILES, json!({})),
            resource(ROLES, json!({"groups_claim": "https://acme.example/roles"})),
            resource(QUIET, json!({"groups_claim": "off"})),
            resource(OPAQUE, json!({"token_format": "opaque"})),
        ],
        "access": {"allow": ["staff"], "groups_claim": "groups", "groups": {
            "staff": {"github_organisations": ["acme"]},
            "platform": {"github_teams": ["acme/platform"]},
            "contractors": {"emails": ["ada@contractor.example"]},
        }},
    });
    let options = config_file::write(&directory.path().join("portcullis.toml"), &document);
    let stack = Stack::start_with(&options.each_ref().map(String::as_str), &[]).await;
    stack.stand_in.set_membership("nick-lucas", "acme", Membership::Active);
    stack.stand_in.set_membership("nick-lucas", "acme/platform", Membership::Active);
    stack
}

/// A client with a secret, and its tokens for a resource.
async fn tokens(stack: &mut Stack, resource: &str) -> (Client, Answer) {
    stack.audience = resource.into();
    let client = Client::pre_registered(stack, &["--redirect-uri", REDIRECT_URI]).await;
    let mut browser = Browser::default();
    let request = with(client.authorize_parameters(), "scope", "openid read profile");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    let form = client.code_form(&page.query("code").unwrap());
    let answer = client.post_authenticated("/token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    (client, answer)
}

#[tokio::test]
async fn a_resource_is_told_the_groups_of_a_person_under_the_name_that_it_wants() {
    let mut stack = stack().await;
    let both = json!(["platform", "staff"]);
    for (resource, name) in [
        (FILES, Some("groups")),
        (ROLES, Some("https://acme.example/roles")),
        (QUIET, None),
        (OPAQUE, Some("groups")),
    ] {
        let (client, tokens) = tokens(&mut stack, resource).await;
        let token = tokens.text("access_token");
        let form = [("token", token.to_owned())];
        let mut told = vec![
            claims(tokens.text("id_token")),
            client.post_authenticated("/introspect", &form).await.json,
            client.user_info(token).await.json,
        ];
        if resource != OPAQUE {
            told.push(claims(token));
        }
        for claims in told {
            assert!(claims["sub"].is_string(), "{resource}: {claims}");
            for known in ["groups", "https://acme.example/roles"] {
                let expected = (Some(known) == name).then_some(&both);
                assert_eq!(claims.get(known), expected, "{resource}: {claims}");
            }
        }
    }
}

#[tokio::test]
async fn a_person_in_no_group_has_an_empty_list_and_a_client_of_its_own_has_none() {
    let directory = tempfile::tempdir().unwrap();
    let document = json!({"access": {"anyone": true, "groups_claim": "groups",
        "groups": {"staff": {"github_users": ["ada-park"]}}}});
    let options = config_file::write(&directory.path().join("portcullis.toml"), &document);
    let stack = Stack::start_with(&options.each_ref().map(String::as_str), &[]).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert_eq!(claims(tokens.text("access_token"))["groups"], json!([]));

    let client = Client::pre_registered(&stack, &["--grant-type", "client_credentials"]).await;
    let form = [("grant_type", "client_credentials".into())];
    let answer = client.post_authenticated("/token", &form).await;
    assert_eq!(claims(answer.text("access_token")).get("groups"), None, "{}", answer.json);
}
