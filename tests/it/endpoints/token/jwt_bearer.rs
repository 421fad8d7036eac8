//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`

mod restrictions;

use auth::storage::users;
use keys::TokenType;
use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, Client, with, without},
    servers::{
        document_server::{Document, DocumentServer},
        trusted_issuer::{SUBJECT, TrustedIssuer, WORKLOAD_CLIENT},
    },
    stack::{Stack, access_token::claims},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

type Form = Vec<(&'static str, String)>;

struct Setting {
    issuer: TrustedIssuer,
    stack: Stack,
    client: Client,
}

impl Setting {
    async fn new() -> Self {
        Self::with(&json!({})).await
    }

    async fn with(change: &Value) -> Self {
        let issuer = TrustedIssuer::default();
        let stack = issuer.trusted(change).await;
        let client = Client::pre_registered(&stack, &["--grant-type", GRANT]).await;
        Self { issuer, stack, client }
    }

    fn identity(&self, change: &Value) -> Form {
        form(self.issuer.identity(&self.stack, &self.client.id, change))
    }

    fn workload(&self, change: &Value) -> Form {
        form(self.issuer.workload(&self.stack, change))
    }

    async fn post(&self, form: &Form) -> Answer {
        self.client.post_authenticated("/token", form).await
    }

    async fn enter_workload(&self) -> Client {
        let options = ["--id", WORKLOAD_CLIENT, "--auth-method", "none", "--grant-type", GRANT];
        Client::pre_registered(&self.stack, &options).await
    }
}

fn form(assertion: String) -> Form {
    vec![("grant_type", GRANT.into()), ("assertion", assertion)]
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text("error"))
}

#[tokio::test]
async fn an_identity_assertion_gives_a_token_of_the_linked_person_for_its_resource() {
    let setting = Setting::new().await;
    let person = setting.issuer.enter_person(&setting.stack).await;
    let answer = setting.post(&setting.identity(&json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.text("scope"), "mcp:tools profile");
    assert_eq!(answer.json.get("refresh_token"), None);
    let claims = claims(answer.text("access_token"));
    assert_eq!(claims["sub"], json!(person));
    assert_eq!(claims["aud"], json!(setting.stack.audience));
    assert_eq!(claims["client_id"], json!(setting.client.id));
    assert_eq!(claims["name"], "Nick Lucas");
}

#[tokio::test]
async fn each_claim_of_an_identity_assertion_is_checked() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    let now = setting.stack.state.clock.now();
    let issuer = &setting.stack.issuer;
    for change in [
        json!({"iss": "https://idp.example.com/"}),
        json!({"iss": "https://evil.example.com"}),
        json!({"iss": null}),
        json!({"aud": format!("{issuer}/token")}),
        json!({"aud": format!("{issuer}/")}),
        json!({"aud": [issuer, "https://evil.test"]}),
        json!({"client_id": "another"}),
        json!({"client_id": null}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"jti": "x".repeat(300)}),
        json!({"sub": ""}),
        json!({"sub": 0}),
        json!({"sub": SUBJECT.to_uppercase()}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"exp": now - 61}),
        json!({"exp": now + 7200}),
        json!({"iat": now + 600}),
        json!({"iat": null}),
        json!({"nbf": now + 120}),
    ] {
        let answer = setting.post(&setting.identity(&change)).await;
        assert_eq!(error(&answer), (400, "invalid_grant"), "{change}");
        assert!(answer.text("error_description").ends_with('.'), "{change}");
    }
    for resource in ["https://evil.test/mcp", ""] {
        let answer = setting.post(&setting.identity(&json!({"resource": resource}))).await;
        assert_eq!(error(&answer), (400, "invalid_target"), "{resource}");
    }
    assert_eq!(setting.post(&setting.identity(&json!({"aud": [issuer]}))).await.status, 200);
}

#[tokio::test]
async fn only_the_type_and_the_keys_of_the_issuer_count() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    let assertion = setting.issuer.identity(&setting.stack, &setting.client.id, &json!({}));
    for kind in [TokenType::IdToken, TokenType::AccessToken] {
        let claims = claims(&assertion);
        let answer = setting.post(&form(setting.issuer.sign(kind, claims, &json!({})))).await;
        assert_eq!(error(&answer), (400, "invalid_grant"), "{kind:?}");
    }
    let impostor = TrustedIssuer::default();
    let forged = impostor.identity(&setting.stack, &setting.client.id, &json!({}));
    assert_eq!(error(&setting.post(&form(forged)).await), (400, "invalid_grant"));
    let unsigned = format!("{}.", assertion.rsplit_once('.').unwrap().0);
    for text in [unsigned.as_str(), "x", "a.b.c", "....", &"x".repeat(20_000)] {
        assert_eq!(error(&setting.post(&form(text.into())).await), (400, "invalid_grant"));
    }
    assert_eq!(setting.post(&form(assertion)).await.status, 200);
}

#[tokio::test]
async fn an_identity_assertion_counts_once_and_a_refused_request_does_not_use_it_up() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    let valid = setting.identity(&json!({}));
    for (name, value, code) in [
        ("resource", "https://evil.test/mcp", "invalid_target"),
        ("scope", "email", "invalid_scope"),
    ] {
        let answer = setting.post(&with(valid.clone(), name, value)).await;
        assert_eq!(error(&answer), (400, code));
    }
    let answers = futures::future::join_all((0..16).map(|_| setting.post(&valid))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(error(&setting.post(&valid).await), (400, "invalid_grant"));
}

#[tokio::test]
async fn the_scope_is_what_is_asked_and_asserted() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    let scope = async |wanted: &str, change: Value| {
        let request = with(setting.identity(&change), "scope", wanted);
        setting.post(&request).await.text("scope").to_owned()
    };
    assert_eq!(scope("mcp:tools", json!({})).await, "mcp:tools");
    assert_eq!(scope("mcp:tools notes:write email", json!({})).await, "mcp:tools");
    assert_eq!(scope("mcp:tools", json!({"scope": null})).await, "mcp:tools");
    let asserted = setting.post(&setting.identity(&json!({"scope": "mcp:tools odd"}))).await;
    assert_eq!(asserted.text("scope"), "mcp:tools");
    let notes = json!({"scope": "notes:write"});
    assert_eq!(scope("notes:write", notes.clone()).await, "notes:write mcp:tools");
    assert_eq!(scope("mcp:tools email", notes).await, "mcp:tools");
}

#[tokio::test]
async fn a_person_who_was_never_seen_gets_an_account_only_where_the_operator_says_so() {
    let setting = Setting::new().await;
    let answer = setting.post(&setting.identity(&json!({"email": "nick@example.com"}))).await;
    assert_eq!(error(&answer), (400, "invalid_grant"));

    let setting = Setting::with(&json!({"people": {"create_accounts": true}})).await;
    let sub = async |change: Value| {
        let answer = setting.post(&setting.identity(&change)).await;
        claims(answer.text("access_token"))["sub"].as_str().unwrap().to_owned()
    };
    let first = sub(json!({})).await;
    assert_eq!(sub(json!({})).await, first);
    assert_ne!(sub(json!({"sub": "00u2"})).await, first);
}

#[tokio::test]
async fn an_address_links_no_account() {
    let setting = Setting::with(&json!({"people": {"create_accounts": true}})).await;
    let owner = setting.issuer.enter_person(&setting.stack).await;
    for verified in [json!(true), json!(false), Value::Null] {
        let change = json!({"sub": "attacker", "email": "nick@example.com",
            "email_verified": verified});
        let answer = setting.post(&setting.identity(&change)).await;
        assert_ne!(claims(answer.text("access_token"))["sub"], json!(owner));
    }
}

#[tokio::test]
async fn a_client_without_the_grant_or_without_proof_of_itself_cannot_speak_for_a_person() {
    let setting = Setting::new().await;
    setting.issuer.enter_person(&setting.stack).await;
    for (options, code) in [
        (["--auth-method", "none", "--grant-type", GRANT], "unauthorized_client"),
        (
            ["--auth-method", "client_secret_basic", "--grant-type", "client_credentials"],
            "unauthorized_client",
        ),
    ] {
        let client = Client::pre_registered(&setting.stack, &options).await;
        let assertion = setting.issuer.identity(&setting.stack, &client.id, &json!({}));
        let mut request = form(assertion);
        request.push(("client_id", client.id.clone()));
        let answer = match client.secret {
            Some(_) => client.post_authenticated("/token", &request).await,
            None => client.post("/token", &request).await,
        };
        assert_eq!(error(&answer), (400, code), "{options:?}");
    }
    let unauthenticated = setting.client.post("/token", &setting.identity(&json!({}))).await;
    assert_eq!(error(&unauthenticated), (401, "invalid_client"));
}

#[tokio::test]
async fn an_issuer_that_is_trusted_for_workloads_only_speaks_for_no_person() {
    let setting = Setting::with(&json!({"people": null})).await;
    setting.issuer.enter_person(&setting.stack).await;
    let answer = setting.post(&setting.identity(&json!({}))).await;
    assert_eq!(error(&answer), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_workload_proves_itself_by_its_assertion_alone() {
    let setting = Setting::new().await;
    let client = setting.enter_workload().await;
    let token_endpoint = setting.stack.at("/token");
    for change in [json!({}), json!({"aud": token_endpoint}), json!({"aud": [token_endpoint]})] {
        let request = with(setting.workload(&change), "resource", &setting.stack.audience);
        let answer = client.post("/token", &request).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let claims = claims(answer.text("access_token"));
        assert_eq!(claims["sub"], WORKLOAD_CLIENT);
        assert_eq!(claims["client_id"], WORKLOAD_CLIENT);
        assert_eq!(claims["aud"], json!(setting.stack.audience));
        // What only describes the workload is not copied.
        assert_eq!(claims.get("cluster"), None);
        // The platform gives a workload one assertion for an hour.
        assert_eq!(client.post("/token", &request).await.status, 200);
        let named = with(request, "client_id", WORKLOAD_CLIENT);
        assert_eq!(client.post("/token", &named).await.status, 200);
    }
}

#[tokio::test]
async fn a_workload_must_satisfy_every_claim_of_its_rule() {
    let setting = Setting::new().await;
    let client = setting.enter_workload().await;
    let now = setting.stack.state.clock.now();
    for change in [
        json!({"sub": "system:serviceaccount:prod:other"}),
        json!({"cluster": "us"}),
        json!({"cluster": null}),
        json!({"iss": "https://evil.example.com"}),
        json!({"aud": "https://evil.test"}),
        json!({"aud": [setting.stack.issuer, "https://evil.test"]}),
        json!({"exp": now - 61}),
        json!({"exp": now + 200_000}),
        json!({"iat": now + 60}),
        json!({"jti": null}),
    ] {
        let request = with(setting.workload(&change), "client_id", WORKLOAD_CLIENT);
        let answer = client.post("/token", &request).await;
        assert_eq!(error(&answer), (400, "invalid_grant"), "{change}");
        let answer = client.post("/token", &without(request, "client_id")).await;
        assert_eq!(error(&answer), (400, "invalid_grant"), "{change} without client_id");
    }
    let forged = TrustedIssuer::default().workload(&setting.stack, &json!({}));
    assert_eq!(error(&client.post("/token", &form(forged)).await), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_workload_is_no_other_client_and_none_at_all_once_its_client_is_gone() {
    let setting = Setting::new().await;
    let answer = setting.post(&setting.workload(&json!({}))).await;
    assert_eq!(error(&answer), (400, "invalid_grant"));
    let answer = setting.client.post("/token", &setting.workload(&json!({}))).await;
    assert_eq!(error(&answer), (401, "invalid_client"));
}

#[tokio::test]
async fn keys_are_not_fetched_from_where_a_redirect_leads() {
    let server = DocumentServer::start().await;
    let issuer = TrustedIssuer::default();
    let keys = Document::json(&json!({"keys": [issuer.key.public_jwk()]}));
    server.put("/elsewhere", keys.clone());
    server.put("/keys", Document::status(302).with("location", &server.at("/elsewhere")));
    let setting = Setting::with(&json!({"jwks": null, "jwks_uri": server.at("/keys")})).await;
    let client = setting.enter_workload().await;
    let workload = || form(issuer.workload(&setting.stack, &json!({})));
    let refused = client.post("/token", &workload()).await;
    assert_eq!(error(&refused), (400, "invalid_grant"), "{}", refused.json);
    assert_eq!(server.hits("/elsewhere"), 0);

    server.put("/keys", keys);
    setting.stack.advance(61);
    assert_eq!(client.post("/token", &workload()).await.status, 200);
}

#[tokio::test]
async fn keys_are_fetched_from_the_issuers_address_and_again_when_none_fits() {
    let server = DocumentServer::start().await;
    let uri = server.at("/keys");
    let first = TrustedIssuer::default();
    server.put("/keys", Document::json(&json!({"keys": [first.key.public_jwk()]})));
    let setting = Setting::with(&json!({"jwks": null, "jwks_uri": uri})).await;
    let client = setting.enter_workload().await;
    let workload = |issuer: &TrustedIssuer| form(issuer.workload(&setting.stack, &json!({})));
    assert_eq!(client.post("/token", &workload(&first)).await.status, 200);
    assert_eq!(client.post("/token", &workload(&first)).await.status, 200);
    assert_eq!(server.hits("/keys"), 1);

    let next = TrustedIssuer::default();
    server.put("/keys", Document::json(&json!({"keys": [next.key.public_jwk()]})));
    setting.stack.advance(61);
    assert_eq!(client.post("/token", &workload(&next)).await.status, 200);

    server.put("/keys", Document::status(500));
    setting.stack.advance(61);
    let unknown = client.post("/token", &workload(&TrustedIssuer::default())).await;
    assert_eq!(error(&unknown), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_token_of_an_assertion_ends_with_the_account_of_its_person() {
    let setting = Setting::new().await;
    let person = setting.issuer.enter_person(&setting.stack).await;
    let answer = setting.post(&setting.identity(&json!({}))).await;
    let form = [("token", answer.text("access_token").to_owned())];
    let looked_at = setting.client.post_authenticated("/introspect", &form).await;
    assert_eq!(looked_at.json["active"], true, "{}", looked_at.json);
    let db = setting.stack.state.db.connection();
    users::forget(db, person.parse().unwrap()).await.unwrap();
    let looked_at = setting.client.post_authenticated("/introspect", &form).await;
    assert_eq!(looked_at.json, json!({"active": false}));
}
