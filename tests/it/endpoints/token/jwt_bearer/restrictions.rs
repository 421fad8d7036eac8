//! What narrows an assertion is enforced, or the assertion is refused.

use keys::{Algorithm, DpopRequest, SigningKey};

use super::*;

impl Setting {
    /// Posts with a proof by `key`.
    async fn prove(&self, client: &Client, form: &Form, key: &SigningKey) -> Answer {
        let url = self.stack.at("/token");
        let now = self.stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        client.post_with_proof("/token", form, &key.dpop_proof(&request).unwrap()).await
    }
}

#[tokio::test]
async fn a_bound_identity_assertion_gives_a_token_bound_to_the_same_key_or_none() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    let [key, thief] = [(), ()].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let form = setting.identity(&json!({"cnf": {"jkt": key.thumbprint()}}));
    assert_eq!(error(&setting.post(&form).await), (400, "invalid_grant"));
    let stolen = setting.prove(&setting.client, &form, &thief).await;
    assert_eq!(error(&stolen), (400, "invalid_grant"));
    // Nothing was used up.
    let answer = setting.prove(&setting.client, &form, &key).await;
    assert_eq!(answer.text("token_type"), "DPoP", "{}", answer.json);
    assert_eq!(claims(answer.text("access_token"))["cnf"]["jkt"], key.thumbprint());
}

#[tokio::test]
async fn a_restriction_that_is_not_enforced_refuses_an_identity_assertion() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    for change in [
        json!({"cnf": {"x5t#S256": "t"}}),
        json!({"cnf": {"jkt": "k", "x5t#S256": "t"}}),
        json!({"cnf": {}}),
        json!({"authorization_details": [{"type": "read_only"}]}),
        json!({"may_act": {"sub": "another"}}),
        json!({"act": {"sub": "another"}}),
        json!({"tenant": "acme"}),
        json!({"aud_tenant": "acme"}),
        json!({"acr": 2}),
        json!({"purpose": "one purchase"}),
    ] {
        let answer = setting.post(&setting.identity(&change)).await;
        assert_eq!(error(&answer), (400, "invalid_grant"), "{change}");
        let name = change.as_object().unwrap().keys().next().unwrap();
        assert!(answer.text("error_description").contains(name), "{change}");
    }
    let harmless = json!({"amr": ["mfa"], "groups": ["a"], "given_name": "Nick", "tenant": null});
    assert_eq!(setting.post(&setting.identity(&harmless)).await.status, 200);
}

#[tokio::test]
async fn an_operator_demands_a_claim_or_has_it_ignored() {
    let rule = json!({"people": {"claims": {"tenant": "acme"}, "ignored_claims": ["odd"]}});
    let setting = Setting::with(&rule).await;
    setting.issuer.enter_person(&setting.stack).await;
    for change in [json!({}), json!({"tenant": "other"}), json!({"tenant": ["acme"]})] {
        let answer = setting.post(&setting.identity(&change)).await;
        assert_eq!(error(&answer), (400, "invalid_grant"), "{change}");
    }
    let right = json!({"tenant": "acme", "odd": true});
    assert_eq!(setting.post(&setting.identity(&right)).await.status, 200);
}

#[tokio::test]
async fn how_strongly_a_person_signed_in_is_repeated_in_the_token_and_its_successors() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    let answer = setting.post(&setting.identity(&json!({"acr": "urn:strong"}))).await;
    assert_eq!(claims(answer.text("access_token"))["acr"], "urn:strong");
    let token = [("token", answer.text("access_token").to_owned())];
    let seen = setting.client.post_authenticated("/introspect", &token).await;
    assert_eq!(seen.json["acr"], "urn:strong");
}

#[tokio::test]
async fn a_workload_gets_no_more_than_its_assertion_says() {
    let setting = Setting::new().await;
    let client = setting.enter_workload().await;
    let post = async |change: Value| client.post("/token", &setting.workload(&change)).await;
    assert_eq!(post(json!({})).await.text("scope"), "mcp:tools");
    assert_eq!(post(json!({"scope": "mcp:tools odd"})).await.text("scope"), "mcp:tools");
    assert_eq!(error(&post(json!({"scope": "odd"})).await), (400, "invalid_scope"));
    assert_eq!(error(&post(json!({"scope": ""})).await), (400, "invalid_scope"));
    let elsewhere = post(json!({"resource": "https://evil.test/mcp"})).await;
    assert_eq!(error(&elsewhere), (400, "invalid_target"));
    for change in [
        json!({"cnf": {"x5t#S256": "t"}}),
        json!({"authorization_details": []}),
        json!({"may_act": {"sub": "x"}}),
        json!({"act": {"sub": "x"}}),
        json!({"tenant": "acme"}),
        json!({"acr": "1"}),
    ] {
        assert_eq!(error(&post(change.clone()).await), (400, "invalid_grant"), "{change}");
    }
}

#[tokio::test]
async fn a_bound_workload_assertion_is_for_the_holder_of_its_key() {
    let setting = Setting::new().await;
    let client = setting.enter_workload().await;
    let [key, thief] = [(), ()].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let form = setting.workload(&json!({"cnf": {"jkt": key.thumbprint()}}));
    assert_eq!(error(&client.post("/token", &form).await), (400, "invalid_grant"));
    assert_eq!(error(&setting.prove(&client, &form, &thief).await), (400, "invalid_grant"));
    let answer = setting.prove(&client, &form, &key).await;
    assert_eq!(claims(answer.text("access_token"))["cnf"]["jkt"], key.thumbprint());
}
