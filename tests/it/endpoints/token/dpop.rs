//! Proofs of possession at `POST /token` (RFC 9449)

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{Algorithm, DpopRequest, MasterSecrets, SigningKey};
use reqwest::Method;
use serde_json::Value;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http},
    stack::Stack,
};

struct Setting {
    stack: Stack,
    client: Client,
    key: SigningKey,
}

async fn setting_with(options: &[&str]) -> Setting {
    let stack = Stack::start_with(options, &[]).await;
    let client = Client::register(&stack).await;
    Setting { stack, client, key: SigningKey::generate(Algorithm::ES256).unwrap() }
}

impl Setting {
    fn proof_by(&self, key: &SigningKey, nonce: Option<&str>) -> String {
        let url = self.stack.at("/token");
        let now = self.stack.state.clock.now();
        let request = DpopRequest { method: "POST", url: &url, access_token: None, nonce, now };
        key.dpop_proof(&request).unwrap()
    }

    fn proof(&self) -> String {
        self.proof_by(&self.key, None)
    }

    async fn code_form(&self) -> Vec<(&'static str, String)> {
        self.client.code_form(&self.client.obtain_code(&mut Browser::default()).await)
    }

    fn refresh_form(&self, tokens: &Answer) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "refresh_token".into()),
            ("client_id", self.client.id.clone()),
            ("refresh_token", tokens.text("refresh_token").into()),
        ]
    }

    async fn token(&self, form: &[(&'static str, String)], proof: &str) -> Answer {
        self.client.post_with_proof("/token", form, proof).await
    }
}

fn claims(answer: &Answer) -> Value {
    let token = answer.text("access_token");
    let part = token.split('.').nth(1).unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_proof_binds_the_access_token_to_its_key() {
    let setting = setting_with(&[]).await;
    let tokens = setting.token(&setting.code_form().await, &setting.proof()).await;
    assert_eq!(tokens.text("token_type"), "DPoP", "{}", tokens.json);
    assert_eq!(claims(&tokens)["cnf"]["jkt"], setting.key.thumbprint());
}

#[tokio::test]
async fn without_a_proof_the_token_is_a_bearer_token() {
    let setting = setting_with(&[]).await;
    let tokens = setting.client.post("/token", &setting.code_form().await).await;
    assert_eq!(tokens.text("token_type"), "Bearer");
    assert_eq!(claims(&tokens).get("cnf"), None);
}

#[tokio::test]
async fn a_bound_refresh_token_is_refused_without_its_key_and_not_used_up() {
    let setting = setting_with(&[]).await;
    let tokens = setting.token(&setting.code_form().await, &setting.proof()).await;
    let form = setting.refresh_form(&tokens);
    assert_eq!(setting.client.post("/token", &form).await.text("error"), "invalid_grant");
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let answer = setting.token(&form, &setting.proof_by(&other, None)).await;
    assert_eq!(answer.text("error"), "invalid_grant");
    let answer = setting.token(&form, &setting.proof()).await;
    assert_eq!(answer.text("token_type"), "DPoP", "{}", answer.json);
}

#[tokio::test]
async fn a_proof_counts_once_and_a_refused_one_uses_up_no_code() {
    let setting = setting_with(&[]).await;
    let proof = setting.proof();
    let first = setting.token(&setting.code_form().await, &proof).await;
    assert_eq!(first.status, 200, "{}", first.json);
    let form = setting.code_form().await;
    let second = setting.token(&form, &proof).await;
    assert_eq!((second.status.as_u16(), second.text("error")), (400, "invalid_dpop_proof"));
    assert_eq!(setting.token(&form, &setting.proof()).await.status, 200);
}

#[tokio::test]
async fn a_proof_that_is_old_or_for_another_place_or_twice_is_refused() {
    let setting = setting_with(&[]).await;
    let form = setting.code_form().await;
    let old = setting.proof();
    setting.stack.advance(30);
    let url = setting.stack.at("/par");
    let now = setting.stack.state.clock.now();
    let request = DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
    let elsewhere = setting.key.dpop_proof(&request).unwrap();
    for proof in [elsewhere.as_str(), "", "a.b.c"] {
        let answer = setting.token(&form, proof).await;
        assert_eq!(answer.text("error"), "invalid_dpop_proof", "{proof}");
    }
    let twice = http()
        .post(setting.stack.at("/token"))
        .form(&form)
        .header("dpop", setting.proof())
        .header("dpop", setting.proof());
    assert_eq!(Answer::of(twice).await.text("error"), "invalid_dpop_proof");
    assert_eq!(setting.token(&form, &old).await.status, 200);
}

#[tokio::test]
async fn where_a_nonce_is_demanded_the_answer_carries_it_and_the_next_proof_holds() {
    let setting = setting_with(&["--dpop-nonce-required"]).await;
    let form = setting.code_form().await;
    let answer = setting.token(&form, &setting.proof()).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "use_dpop_nonce"));
    let nonce = answer.headers["dpop-nonce"].to_str().unwrap().to_owned();
    let answer = setting.token(&form, &setting.proof_by(&setting.key, Some("made-up"))).await;
    assert_eq!(answer.text("error"), "use_dpop_nonce");
    let answer = setting.token(&form, &setting.proof_by(&setting.key, Some(&nonce))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn a_required_nonce_is_required_at_userinfo_too() {
    let setting = setting_with(&["--dpop-nonce-required"]).await;
    let form = setting.code_form().await;
    let asked = setting.token(&form, &setting.proof()).await;
    let nonce = asked.headers["dpop-nonce"].to_str().unwrap();
    let tokens = setting.token(&form, &setting.proof_by(&setting.key, Some(nonce))).await;
    let token = tokens.text("access_token");
    let url = setting.stack.at("/userinfo");
    let now = setting.stack.state.clock.now();
    let ask = async |nonce: Option<&str>| {
        let access_token = Some(token);
        let request = DpopRequest { method: "GET", url: &url, access_token, nonce, now };
        let proof = setting.key.dpop_proof(&request).unwrap();
        let request = http().get(&url).header("authorization", format!("DPoP {token}"));
        Answer::of(request.header("dpop", proof)).await
    };
    let refused = ask(None).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (401, "use_dpop_nonce"));
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("DPoP error=\"use_dpop_nonce\""), "{challenge}");
    let nonce = refused.headers["dpop-nonce"].to_str().unwrap();
    assert_eq!(ask(Some(nonce)).await.text("name"), "Nick Lucas");
}

#[tokio::test]
async fn a_code_that_was_asked_for_with_a_key_is_given_to_that_key_alone() {
    let setting = setting_with(&[]).await;
    let mut request = setting.client.authorize_parameters();
    request.push(("dpop_jkt", setting.key.thumbprint().to_owned()));
    let mut browser = Browser::default();
    let url = setting.client.authorize_url(&request);
    let page = setting.client.reach_consent(&mut browser, &url).await;
    let page = browser.press(&page, "decision", "allow").await;
    let form = setting.client.code_form(&page.query("code").unwrap());
    assert_eq!(setting.client.post("/token", &form).await.text("error"), "invalid_grant");
    assert_eq!(setting.token(&form, &setting.proof()).await.status, 200);
}

#[tokio::test]
async fn a_bound_token_is_worth_nothing_as_a_bearer_token() {
    let setting = setting_with(&[]).await;
    let tokens = setting.token(&setting.code_form().await, &setting.proof()).await;
    let request =
        http().get(setting.stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    assert_eq!(Answer::of(request).await.text("error"), "invalid_token");
}

#[tokio::test]
async fn a_client_entered_with_bound_tokens_gets_none_without_a_proof() {
    let stack = Stack::start().await;
    let options = [
        "--auth-method",
        "client_secret_basic",
        "--grant-type",
        "client_credentials",
        "--dpop-bound-access-tokens",
    ];
    let client = Client::pre_registered(&stack, &options).await;
    let form = [("grant_type", "client_credentials".to_owned())];
    let answer = client.post_authenticated("/token", &form).await;
    assert_eq!(answer.text("error"), "invalid_dpop_proof");
}

#[tokio::test]
async fn a_program_in_a_browser_may_send_proofs_and_read_nonces() {
    let setting = setting_with(&["--dpop-nonce-required"]).await;
    let origin = "http://localhost:6274";
    for path in ["/token", "/par", "/userinfo"] {
        let preflight = http()
            .request(Method::OPTIONS, setting.stack.at(path))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "dpop");
        let answer = Answer::of(preflight).await;
        let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.split(',').any(|name| name == "dpop"), "{path}: {allowed}");
    }
    let request = http().post(setting.stack.at("/token")).header("origin", origin);
    let form = setting.code_form().await;
    let answer = Answer::of(request.header("dpop", setting.proof()).form(&form)).await;
    assert!(answer.headers.contains_key("dpop-nonce"), "{}", answer.json);
    let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
    for header in ["dpop-nonce", "retry-after"] {
        assert!(exposed.split(',').any(|name| name == header), "{header}: {exposed}");
    }
}

/// Replicas may seal with different lines of the master secrets for a moment.
#[tokio::test]
async fn a_nonce_counts_on_a_replica_that_seals_with_another_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    let lines = [MasterSecrets::generate().unwrap(), MasterSecrets::generate().unwrap()];
    std::fs::write(&file, lines.join("\n")).unwrap();
    let file = file.to_str().unwrap();
    let setting = setting_with(&["--secret-file", file, "--dpop-nonce-required"]).await;
    let form = setting.code_form().await;
    let refused = setting.token(&form, &setting.proof()).await;
    let nonce = refused.headers["dpop-nonce"].to_str().unwrap();
    setting.stack.state.seals.secrets.seal_with(1);
    let answer = setting.token(&form, &setting.proof_by(&setting.key, Some(nonce))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}
