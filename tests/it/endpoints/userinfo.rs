//! `GET /userinfo`

use keys::{Algorithm, DpopRequest, PublishedKeys, SigningKey};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http},
    stack::{Stack, access_token},
};

#[tokio::test]
async fn it_tells_what_the_scopes_reveal() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    let answer = Answer::of(request).await;
    assert_eq!(answer.text("name"), "Nick Lucas");
    assert_eq!(answer.text("email"), "nick-lucas@example.com");
    assert_eq!(answer.json["email_verified"], true);
}

#[tokio::test]
async fn without_a_scope_that_reveals_the_person_it_tells_the_subject_and_no_more() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens_for("mcp:tools").await;
    let access_token = tokens.text("access_token");
    let answer = client.user_info(access_token).await;
    assert_eq!(answer.json, json!({"sub": access_token::claims(access_token)["sub"]}));
    for url in [format!("/userinfo?access_token={access_token}"), "/userinfo".into()] {
        let form = [("access_token", access_token)];
        let elsewhere = Answer::of(http().post(stack.at(&url)).form(&form)).await;
        assert_eq!((elsewhere.status.as_u16(), elsewhere.text("error")), (401, "invalid_token"));
    }
}

#[tokio::test]
async fn anything_but_a_live_access_token_is_challenged() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    for token in [tokens.text("refresh_token"), "x", "a.b.c"] {
        let request = http().get(stack.at("/userinfo")).bearer_auth(token);
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""));
    }
    stack.advance(900);
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    assert_eq!(Answer::of(request).await.status, 401);
}

struct Bound {
    stack: Stack,
    client: Client,
    key: SigningKey,
    token: String,
}

/// A token that is bound to a key.
async fn bound() -> Bound {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let code = client.obtain_code(&mut Browser::default()).await;
    let url = stack.at("/token");
    let request = DpopRequest {
        method: "POST",
        url: &url,
        access_token: None,
        nonce: None,
        now: stack.state.clock.now(),
    };
    let proof = key.dpop_proof(&request).unwrap();
    let answer = client.post_with_proof("/token", &client.code_form(&code), &proof).await;
    assert_eq!(answer.text("token_type"), "DPoP", "{}", answer.json);
    let token = answer.text("access_token").to_owned();
    Bound { stack, client, key, token }
}

impl Bound {
    fn proof(&self, key: &SigningKey, method: &str, token: Option<&str>) -> String {
        let url = self.stack.at("/userinfo");
        let now = self.stack.state.clock.now();
        key.dpop_proof(&DpopRequest { method, url: &url, access_token: token, nonce: None, now })
            .unwrap()
    }

    async fn get(&self, scheme: &str, proof: Option<&str>) -> Answer {
        let request = http().get(self.stack.at("/userinfo"));
        let request = request.header("authorization", format!("{scheme} {}", self.token));
        Answer::of(match proof {
            Some(proof) => request.header("dpop", proof),
            None => request,
        })
        .await
    }
}

#[tokio::test]
async fn a_bound_token_comes_with_a_proof_by_its_key_under_its_own_scheme() {
    let bound = bound().await;
    let proof = bound.proof(&bound.key, "GET", Some(&bound.token));
    assert_eq!(bound.get("DPoP", Some(&proof)).await.text("name"), "Nick Lucas");
    let replayed = bound.get("DPoP", Some(&proof)).await;
    assert_eq!((replayed.status.as_u16(), replayed.text("error")), (401, "invalid_dpop_proof"));
}

#[tokio::test]
async fn a_stolen_bound_token_is_worth_nothing() {
    let bound = bound().await;
    let thief = SigningKey::generate(Algorithm::ES256).unwrap();
    let own = |method| bound.proof(&bound.key, method, Some(&bound.token));
    let stolen = bound.proof(&thief, "GET", Some(&bound.token));
    let without_token = bound.proof(&bound.key, "GET", None);
    for proof in [None, Some(own("GET"))] {
        let answer = bound.get("Bearer", proof.as_deref()).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
    }
    for (scheme, proof) in [
        ("DPoP", None),
        ("DPoP", Some(stolen)),
        ("DPoP", Some(without_token)),
        ("DPoP", Some(own("POST"))),
        ("DPoP", Some("x".into())),
    ] {
        let answer = bound.get(scheme, proof.as_deref()).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_dpop_proof"));
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("DPoP error="), "{challenge}");
    }
}

#[tokio::test]
async fn an_unbound_token_is_no_bound_one() {
    let bound = bound().await;
    let tokens = bound.client.obtain_tokens(&mut Browser::default()).await;
    let plain = Bound { token: tokens.text("access_token").into(), ..bound };
    let proof = plain.proof(&plain.key, "GET", Some(&plain.token));
    let answer = plain.get("DPoP", Some(&proof)).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
}

/// The claims of a signed answer, once they verify under the published keys.
async fn signed(stack: &Stack, request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/jwt");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let jwt = answer.text().await.unwrap();
    let jwks = http().get(stack.at("/jwks")).send().await.unwrap().bytes().await.unwrap();
    PublishedKeys::from_json(&jwks).unwrap().verify(&jwt, |typ| typ == Some("jwt")).unwrap()
}

#[tokio::test]
async fn who_asks_for_a_signed_answer_gets_one() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    let claims = signed(&stack, request.header("accept", "application/jwt")).await;
    assert_eq!(claims["iss"], json!(stack.issuer));
    assert_eq!(claims["aud"], json!(client.id));
    assert_eq!(claims["name"], "Nick Lucas");
}

#[tokio::test]
async fn a_client_that_registered_for_signed_answers_gets_them() {
    let stack = Stack::start().await;
    let metadata = json!({"userinfo_signed_response_alg": "ES256"});
    let client = Client::register_as(&stack, metadata).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    let claims = signed(&stack, request).await;
    assert_eq!(claims["email"], "nick-lucas@example.com");
}

#[tokio::test]
async fn an_algorithm_that_is_not_served_is_not_registered_and_answers_stay_plain() {
    let stack = Stack::start().await;
    for algorithm in ["RS256", "HS256", "none"] {
        let request = json!({"redirect_uris": ["http://127.0.0.1:1/callback"],
            "userinfo_signed_response_alg": algorithm});
        let answer = Answer::of(http().post(stack.at("/register")).json(&request)).await;
        assert_eq!(answer.json.get("userinfo_signed_response_alg"), None, "{algorithm}");
        let metadata = json!({"userinfo_signed_response_alg": algorithm});
        let client = Client::register_as(&stack, metadata).await;
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
        assert_eq!(Answer::of(request).await.text("name"), "Nick Lucas", "{algorithm}");
    }
}

#[tokio::test]
async fn a_token_of_a_clients_own_speaks_of_no_person() {
    let stack = Stack::start().await;
    let client = Client::pre_registered(&stack, &["--grant-type", "client_credentials"]).await;
    let form = [("grant_type", "client_credentials".to_owned())];
    let tokens = client.post_authenticated("/token", &form).await;
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    let answer = Answer::of(request).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
}
