//! Grants that a client would like to have without asking: the codes and tokens of others, tokens of
//! another kind, requests without a challenge, and members that only an operator sets.

use keys::{Algorithm, DpopRequest, SigningKey, TokenType};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI, http, without},
        mcp_client::{Wire, call},
    },
    stack::{
        Stack,
        access_token::{claims, signed_as},
    },
};

async fn with_a_secret(stack: &Stack) -> Client {
    let method = json!({"token_endpoint_auth_method": "client_secret_basic"});
    Client::register_as(stack, method).await
}

#[tokio::test]
async fn a_client_with_a_secret_needs_a_challenge_too() {
    let stack = Stack::start().await;
    for client in [Client::register(&stack).await, with_a_secret(&stack).await] {
        let good = client.authorize_parameters();
        let no_challenge = without(good.clone(), "code_challenge");
        for request in [no_challenge.clone(), without(no_challenge, "code_challenge_method")] {
            let page = Browser::default().open(&client.authorize_url(&request)).await;
            assert!(page.url.as_str().starts_with(REDIRECT_URI), "{}", page.url);
            assert_eq!(page.query("error").as_deref(), Some("invalid_request"));
            assert_eq!(page.query("code"), None);
        }
        let page = Browser::default().open(&client.authorize_url(&good)).await;
        assert_eq!(page.url.path(), "/sign-in");
    }
}

#[tokio::test]
async fn a_thief_with_a_secret_of_its_own_learns_nothing_of_a_code() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let thief = with_a_secret(&stack).await;
    let stolen = thief.post_authenticated("/token", &thief.code_form(&code)).await;
    let unknown = thief.post_authenticated("/token", &thief.code_form("pcc_unknown")).await;
    assert_eq!((stolen.status.as_u16(), stolen.text("error")), (400, "invalid_grant"));
    assert_eq!((stolen.status, &stolen.json), (unknown.status, &unknown.json));
    let own = client.post("/token", &client.code_form(&code)).await;
    assert_eq!(own.status, 200, "{}", own.json);
}

/// A proof by `key`, for a call with `token`.
fn proof(stack: &Stack, key: &SigningKey, token: &str) -> String {
    let now = stack.state.clock.now();
    let request = DpopRequest {
        method: "POST",
        url: &stack.resource,
        access_token: Some(token),
        nonce: None,
        now,
    };
    key.dpop_proof(&request).unwrap()
}

#[tokio::test]
async fn nothing_but_an_access_token_is_taken_as_one_and_none_as_a_refresh_token() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    let tokens = client.obtain_tokens(&mut browser).await;
    let access_token = tokens.text("access_token");
    let code = client.obtain_code(&mut browser).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let at_userinfo =
        async |token: &str| Answer::of(http().get(stack.at("/userinfo")).bearer_auth(token)).await;
    // The claims of the good token, so that the kind alone is wrong.
    let of_kind = |kind| signed_as(&stack, kind, &claims(access_token));
    for wrong in [
        tokens.text("refresh_token").to_owned(),
        code,
        proof(&stack, &key, access_token),
        of_kind(TokenType::IdToken),
        of_kind(TokenType::ClientAssertion),
        of_kind(TokenType::IdentityAssertion),
        of_kind(TokenType::LogoutToken),
    ] {
        let told = at_userinfo(&wrong).await;
        assert_eq!(told.status, 401, "{wrong}: {}", told.json);
        let told = call(&stack.resource, Wire::V2026, &wrong, "whoami", json!({})).await;
        assert_eq!((told.status.as_u16(), told.text("error")), (401, "invalid_token"), "{wrong}");
    }
    let refused = client.refresh(access_token).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (400, "invalid_grant"));

    assert_eq!(at_userinfo(&of_kind(TokenType::AccessToken)).await.status, 200);
    assert_eq!(
        call(&stack.resource, Wire::V2026, access_token, "whoami", json!({})).await.status,
        200
    );
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_client_gives_itself_no_name_no_secret_and_no_trust() {
    let stack = Stack::start().await;
    let invented = json!({
        "client_id": "https://app.test/client.json",
        "client_secret": "mine",
        "trusted": true,
        "skip_consent": true,
        "first_party": true,
        "roles": ["admin"],
        "id": 1,
        "user_id": 1,
        "created_at": "1970-01-01T00:00:00Z",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange"],
    });
    for method in ["none", "client_secret_post"] {
        let mut request = invented.clone();
        request["token_endpoint_auth_method"] = method.into();
        request["redirect_uris"] = json!([REDIRECT_URI]);
        let answer = Answer::of(http().post(stack.at("/register")).json(&request)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        for name in ["trusted", "skip_consent", "first_party", "roles", "id", "user_id"] {
            assert_eq!(answer.json.get(name), None, "{name}");
        }
        assert_eq!(answer.json["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_ne!(answer.json["client_id"], invented["client_id"]);
        assert_ne!(answer.json["client_secret"], invented["client_secret"]);

        let secret = answer.json["client_secret"].as_str().map(str::to_owned);
        let client = Client::known_as(&stack, answer.text("client_id"), secret);
        let own = [("grant_type", "client_credentials".to_owned())];
        let own = client.post_authenticated("/token", &own).await;
        assert!(own.status.is_client_error(), "{}", own.json);
        let url = client.authorize_url(&client.authorize_parameters());
        let page = client.reach_consent(&mut Browser::default(), &url).await;
        assert_eq!((page.url.path(), page.query("code")), ("/consent", None));
    }
    let taken = Client::known_as(&stack, "https://app.test/client.json", Some("mine".into()));
    let answer = taken.post_authenticated("/token", &taken.code_form("x")).await;
    assert_eq!(answer.json.get("access_token"), None::<&Value>);
    assert_ne!(answer.text("error"), "invalid_grant", "the name is a client");
}
