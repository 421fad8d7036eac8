//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`

use keys::{Algorithm, DpopRequest, SigningKey, TokenType};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI, with, without},
        operator,
    },
    stack::{
        Stack,
        access_token::{claims, signed_as},
        config_file,
    },
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const FRONT: &str = "http://localhost:9/front";
const BACK: &str = "http://localhost:9/back";

type Form = Vec<(&'static str, String)>;

/// A person's token for the resource `front`, and the server behind `front`, which may exchange
/// it for one for `back`.
struct Setting {
    stack: Stack,
    app: Client,
    tokens: Answer,
    front: Client,
}

impl Setting {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("portcullis.toml");
        let scope = |name: &str| json!({"name": name, "description": name});
        let resource = |identifier: &str, exchanges_for: &[&str], scopes: Value| {
            json!({"resource": identifier, "name": "R", "scopes": scopes,
                "exchanges_for": exchanges_for})
        };
        let resources = json!([
            resource(FRONT, &[BACK], json!([scope("read"), scope("write")])),
            resource(BACK, &[], json!([scope("read"), scope("secret")])),
            resource("http://localhost:9/third", &[], json!([scope("read")])),
        ]);
        let options = config_file::write(&file, &json!({"resources": resources}));
        let mut stack = Stack::start_with(&options.each_ref().map(String::as_str), &[]).await;
        stack.audience = FRONT.into();
        let app = Client::register(&stack).await;
        let tokens = app.post("/token", &app.code_form(&code(&app).await)).await;
        let options = ["--grant-type", GRANT, "--resource", FRONT];
        let front = Client::pre_registered(&stack, &options).await;
        Self { stack, app, tokens, front }
    }

    fn form(&self) -> Form {
        exchange(self.tokens.text("access_token"))
    }

    /// Posts with a proof by `key`.
    async fn prove(&self, client: &Client, key: &SigningKey, form: &Form) -> Answer {
        let url = self.stack.at("/token");
        let now = self.stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        let proof = key.dpop_proof(&request).unwrap();
        client.post_with_proof("/token", form, &proof).await
    }

    async fn post(&self, form: &Form) -> Answer {
        self.front.post_authenticated("/token", form).await
    }
}

/// The code of a person who allowed `read write` at the resource `front`.
async fn code(client: &Client) -> String {
    let request = with(client.authorize_parameters(), "scope", "read write");
    let mut browser = Browser::default();
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    page.query("code").unwrap()
}

fn exchange(subject_token: &str) -> Form {
    vec![
        ("grant_type", GRANT.into()),
        ("subject_token", subject_token.into()),
        ("subject_token_type", ACCESS_TOKEN.into()),
    ]
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text("error"))
}

#[tokio::test]
async fn a_resource_server_acts_on_for_its_caller_at_the_resource_behind_it() {
    let setting = Setting::new().await;
    let answer = setting.post(&with(setting.form(), "resource", BACK)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.text("issued_token_type"), ACCESS_TOKEN);
    assert_eq!(answer.text("scope"), "read");
    assert_eq!(answer.json.get("refresh_token"), None);
    let subject = claims(setting.tokens.text("access_token"));
    let delegated = claims(answer.text("access_token"));
    assert_eq!(delegated["sub"], subject["sub"]);
    assert_eq!(delegated["aud"], BACK);
    assert_eq!(delegated["client_id"], json!(setting.front.id));
    assert_eq!(delegated["act"], json!({"sub": setting.front.id}));
    assert!(delegated["exp"].as_i64() <= subject["exp"].as_i64());
}

#[tokio::test]
async fn the_new_token_ends_with_the_old_one_and_its_grant() {
    let setting = Setting::new().await;
    setting.stack.advance(880);
    let answer = setting.post(&setting.form()).await;
    assert!(answer.json["expires_in"].as_i64().unwrap() <= 20);
    let token = [("token", answer.text("access_token").to_owned())];
    let live = setting.front.post_authenticated("/introspect", &token).await;
    assert_eq!(live.json["active"], true);
    let refresh_token = setting.tokens.text("refresh_token").to_owned();
    let give_back = [("client_id", setting.app.id.clone()), ("token", refresh_token)];
    assert_eq!(setting.app.post("/revoke", &give_back).await.status, 200);
    let dead = setting.front.post_authenticated("/introspect", &token).await;
    assert_eq!(dead.json, json!({"active": false}));
}

#[tokio::test]
async fn neither_scope_nor_resource_can_grow() {
    let setting = Setting::new().await;
    for (name, value, code) in [
        ("scope", "read secret", "invalid_scope"),
        ("scope", "read profile", "invalid_scope"),
        ("resource", "http://localhost:9/third", "invalid_target"),
        ("resource", "https://evil.test", "invalid_target"),
        ("audience", "https://evil.test", "invalid_target"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:refresh_token",
            "invalid_request",
        ),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id_token", "invalid_request"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token", "invalid_request"),
        ("actor_token", "x", "invalid_request"),
        ("actor_token_type", ACCESS_TOKEN, "invalid_request"),
        ("subject_token", "a.b.c", "invalid_request"),
        ("subject_token", "x", "invalid_request"),
    ] {
        let answer = setting.post(&with(setting.form(), name, value)).await;
        assert_eq!(error(&answer), (400, code), "{name}={value}");
    }
    for name in ["subject_token", "subject_token_type"] {
        let answer = setting.post(&without(setting.form(), name)).await;
        assert_eq!(error(&answer), (400, "invalid_request"), "{name}");
    }
    let mut two = with(setting.form(), "resource", FRONT);
    two.push(("audience", BACK.into()));
    assert_eq!(error(&setting.post(&two).await), (400, "invalid_target"));
    let narrow = setting.post(&with(setting.form(), "scope", "read")).await;
    assert_eq!(narrow.text("scope"), "read");
    let wider = exchange(narrow.text("access_token"));
    let wider = setting.post(&with(wider, "scope", "read write")).await;
    assert_eq!(error(&wider), (400, "invalid_scope"));
}

#[tokio::test]
async fn refresh_tokens_and_tokens_of_nobody_are_not_exchanged() {
    let setting = Setting::new().await;
    let refresh_token = setting.tokens.text("refresh_token");
    let answer = setting.post(&exchange(refresh_token)).await;
    assert_eq!(error(&answer), (400, "invalid_request"));
    let own = ["--grant-type", "client_credentials", "--grant-type", GRANT, "--scope", "read"];
    let robot = Client::pre_registered(&setting.stack, &own).await;
    let form = [("grant_type", "client_credentials".into()), ("resource", FRONT.into())];
    let token = robot.post_authenticated("/token", &form).await;
    let form = exchange(token.text("access_token"));
    let answer = robot.post_authenticated("/token", &form).await;
    assert_eq!(error(&answer), (400, "invalid_request"));
    setting.stack.advance(900);
    assert_eq!(error(&setting.post(&setting.form()).await), (400, "invalid_request"));
}

#[tokio::test]
async fn who_is_neither_the_tokens_client_nor_its_resource_cannot_exchange_it() {
    let setting = Setting::new().await;
    let stranger = Client::pre_registered(&setting.stack, &["--grant-type", GRANT]).await;
    let answer = stranger.post_authenticated("/token", &setting.form()).await;
    assert_eq!(error(&answer), (400, "invalid_request"));
    let options = ["--grant-type", GRANT, "--resource", BACK];
    let back = Client::pre_registered(&setting.stack, &options).await;
    let answer = back.post_authenticated("/token", &setting.form()).await;
    assert_eq!(error(&answer), (400, "invalid_request"));
}

#[tokio::test]
async fn a_client_without_the_grant_or_without_a_secret_is_refused() {
    let setting = Setting::new().await;
    let mut form = setting.form();
    form.push(("client_id", setting.app.id.clone()));
    let answer = setting.app.post("/token", &form).await;
    assert_eq!(error(&answer), (400, "unauthorized_client"));
    let options = ["--auth-method", "none", "--grant-type", GRANT];
    let public = Client::pre_registered(&setting.stack, &options).await;
    let form = with(form, "client_id", &public.id);
    assert_eq!(error(&public.post("/token", &form).await), (400, "unauthorized_client"));
}

#[tokio::test]
async fn a_subject_token_with_a_restriction_that_would_be_lost_is_not_exchanged() {
    let setting = Setting::new().await;
    let subject = claims(setting.tokens.text("access_token"));
    let exchanged = async |name: &str, value: Value| {
        let mut claims = subject.clone();
        claims[name] = value;
        let token = tests::stack::access_token::signed(&setting.stack, &claims);
        setting.post(&exchange(&token)).await
    };
    for (name, value) in [
        ("may_act", json!({"sub": "another"})),
        ("authorization_details", json!([{"type": "x"}])),
        ("tenant", json!("acme")),
        ("cnf", json!({"x5t#S256": "t"})),
    ] {
        let answer = exchanged(name, value).await;
        assert_eq!(error(&answer), (400, "invalid_request"), "{name}");
    }
    let strong = exchanged("acr", json!("urn:strong")).await;
    assert_eq!(claims(strong.text("access_token"))["acr"], "urn:strong", "{}", strong.json);
}

#[tokio::test]
async fn the_chain_of_actors_is_kept_and_ends() {
    let setting = Setting::new().await;
    let options = ["--grant-type", GRANT, "--resource", FRONT];
    let other = Client::pre_registered(&setting.stack, &options).await;
    let mut token = setting.tokens.text("access_token").to_owned();
    for hands in 1..=4 {
        let client = if hands % 2 == 0 { &other } else { &setting.front };
        let answer = client.post_authenticated("/token", &exchange(&token)).await;
        token = answer.text("access_token").to_owned();
    }
    let claims = claims(&token);
    let front = json!(setting.front.id);
    let other_id = json!(other.id);
    assert_eq!(claims["act"]["sub"], other_id);
    assert_eq!(claims["act"]["act"]["sub"], front);
    assert_eq!(claims["act"]["act"]["act"]["act"]["sub"], front);
    assert_eq!(error(&setting.post(&exchange(&token)).await), (400, "invalid_request"));
}

#[tokio::test]
async fn a_bound_token_is_exchanged_with_a_proof_by_its_key_and_stays_bound_to_it() {
    let setting = Setting::new().await;
    let options = ["--redirect-uri", REDIRECT_URI, "--grant-type", "authorization_code"];
    let options = [&options[..], &["--grant-type", GRANT]].concat();
    let app = Client::pre_registered(&setting.stack, &options).await;
    let [key, thief] = [(), ()].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let answer = setting.prove(&app, &key, &app.code_form(&code(&app).await)).await;
    let form = exchange(answer.text("access_token"));
    for refused in
        [app.post_authenticated("/token", &form).await, setting.prove(&app, &thief, &form).await]
    {
        assert_eq!(error(&refused), (400, "invalid_dpop_proof"));
    }
    let lesser = setting.prove(&app, &key, &with(form, "scope", "read")).await;
    assert_eq!(lesser.text("token_type"), "DPoP", "{}", lesser.json);
    let claims = claims(lesser.text("access_token"));
    assert_eq!(claims["cnf"]["jkt"], key.thumbprint());
    // A client that narrows its own token acts for no other user.
    assert_eq!(claims.get("act"), None);
}

#[tokio::test]
async fn a_foreign_mislabelled_or_dead_token_is_not_exchanged() {
    let setting = Setting::new().await;
    let refused = async |token: &str| error_of(&setting.post(&exchange(token)).await);
    let good = setting.tokens.text("access_token");
    let of_kind = |kind, change| signed_as(&setting.stack, kind, &change);
    let own = claims(good);
    let mut foreign = own.clone();
    foreign["iss"] = "https://evil.test".into();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    for token in [
        stranger.sign(TokenType::AccessToken, &own).unwrap(),
        stranger.sign(TokenType::AccessToken, &foreign).unwrap(),
        of_kind(TokenType::AccessToken, foreign),
        of_kind(TokenType::IdToken, own.clone()),
        of_kind(TokenType::UserInfo, own),
    ] {
        assert_eq!(refused(&token).await, Some((400, "invalid_request".into())), "{token}");
    }
    assert_eq!(refused(good).await, None);
    let refresh_token = setting.tokens.text("refresh_token").to_owned();
    let give_back = [("client_id", setting.app.id.clone()), ("token", refresh_token)];
    assert_eq!(setting.app.post("/revoke", &give_back).await.status, 200);
    assert_eq!(refused(good).await, Some((400, "invalid_request".into())));

    let next = setting.app.post("/token", &setting.app.code_form(&code(&setting.app).await)).await;
    let next = next.text("access_token");
    assert_eq!(refused(next).await, None);
    operator::carry_out(&setting.stack, &["users", "disable", "nick-lucas"]).await.unwrap();
    assert_eq!(refused(next).await, Some((400, "invalid_request".into())));
}

/// Why an exchange was refused, if it was.
fn error_of(answer: &Answer) -> Option<(u16, String)> {
    (answer.status != 200).then(|| (answer.status.as_u16(), answer.text("error").to_owned()))
}
