//! Every path by which a person or a client of theirs can get something.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, REDIRECT_URI, with},
    servers::trusted_issuer::TrustedIssuer,
    stack::Stack,
};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SCOPE: &str = "write read list profile";

type Permitted<'a> = Option<&'a BTreeSet<&'static str>>;

/// A stack, and a client that may use every grant type.
pub(super) struct Setting {
    stack: Stack,
    issuer: TrustedIssuer,
    client: Client,
}

/// What a person and their client hold before anything changes.
pub(super) struct Person {
    /// Browsers that are signed in, each with a page that is left open.
    account: Browser,
    remembered: Browser,
    consent: (Browser, Page),
    device: (Browser, Page, Answer),
    tokens: Answer,
    opened_code: String,
    approved_device: Answer,
}

impl Setting {
    pub(super) async fn new(stack: Stack, issuer: TrustedIssuer) -> Self {
        let grants = ["authorization_code", "refresh_token", DEVICE_CODE, EXCHANGE, JWT_BEARER];
        let grants = grants.into_iter().flat_map(|grant| ["--grant-type", grant]);
        let options: Vec<&str> = grants.chain(["--redirect-uri", REDIRECT_URI]).collect();
        let client = Client::pre_registered(&stack, &options).await;
        Self { stack, issuer, client }
    }

    /// Changes what upstreams said of a person.
    pub(super) async fn set_facts(&self, login: &str, facts: &Value) {
        let update =
            format!("UPDATE users SET facts = '{facts}' WHERE preferred_username = '{login}'");
        self.stack.state.db.connection().execute_unprepared(&update).await.unwrap();
    }

    fn request(&self) -> String {
        self.client.authorize_url(&with(self.client.authorize_parameters(), "scope", SCOPE))
    }

    async fn post(&self, path: &str, form: &[(&'static str, String)]) -> Answer {
        self.client.post_authenticated(path, form).await
    }

    async fn signed_in(&self, login: &str, url: &str) -> (Browser, Page) {
        let mut browser = Browser::default();
        let page = browser.open(url).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let page = browser.press(&page, "user", login).await;
        (browser, page)
    }

    async fn device_codes(&self) -> Answer {
        let form = [("resource", self.stack.audience.clone()), ("scope", SCOPE.into())];
        self.post("/device_authorization", &form).await
    }

    /// A device that waits for an answer, with the page on which to give it.
    async fn waiting_device(&self, login: &str) -> (Browser, Page, Answer) {
        let codes = self.device_codes().await;
        let (mut browser, page) = self.signed_in(login, &self.stack.at("/device")).await;
        let code = codes.text("user_code");
        let form = [("csrf", page.hidden("csrf")), ("user_code", code.to_owned())];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = browser.post(page.url.as_str(), &form).await;
        (browser, page, codes)
    }

    /// A person of the trusted issuer, who has never been here.
    pub(super) async fn assert_person(&self, sub: &str, claims: &Value, permitted: Permitted<'_>) {
        let mut change = json!({"sub": sub, "scope": SCOPE});
        change.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let assertion = self.issuer.identity(&self.stack, &self.client.id, &change);
        let form = [("grant_type", JWT_BEARER.into()), ("assertion", assertion)];
        let answer = self.post("/token", &form).await;
        let context = format!("the assertion {change}");
        judge_answer(&answer, permitted, &context);
        if answer.status == 200 {
            let active = self.introspect(answer.text("access_token")).await;
            judge_introspection(&active, permitted, &context);
        }
    }

    async fn introspect(&self, token: &str) -> Answer {
        self.post("/introspect", &[("token", token.to_owned())]).await
    }
}

/// How a person starts.
pub(super) enum Start {
    KeptOut,
    /// They may come in and have nothing.
    EmptyHanded,
    Holding(Box<Person>),
}

impl Person {
    /// Signs in several browsers and gets something of each kind.
    pub(super) async fn sign_in(setting: &Setting, login: &str) -> Start {
        let (account, page) = setting.signed_in(login, &setting.stack.at("/account")).await;
        if page.status == 403 {
            assert!(page.text().contains("This account cannot be used here"), "{}", page.text());
            let cookies = account.cookies_for(&setting.stack.at("/account"));
            assert!(!cookies.contains("session"), "a session of someone kept out: {cookies}");
            return Start::KeptOut;
        }
        let (mut remembered, page) = setting.signed_in(login, &setting.request()).await;
        if let Some(error) = page.query("error") {
            assert_eq!(error, "access_denied");
            return Start::EmptyHanded;
        }
        let page = remembered.press(&page, "decision", "allow").await;
        let form = setting.client.code_form(&page.query("code").unwrap());
        let tokens = setting.post("/token", &form).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        let page = remembered.open(&setting.request()).await;
        let opened_code = page.query("code").unwrap();
        let asking = format!("{}&prompt=consent", setting.request());
        let consent = setting.signed_in(login, &asking).await;
        let (mut browser, page, approved_device) = setting.waiting_device(login).await;
        let tick = [("started", "yes", true)];
        let page = browser.press_after(&page, ("decision", "allow"), &tick).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let device = setting.waiting_device(login).await;
        Start::Holding(Box::new(Self {
            account,
            remembered,
            consent,
            device,
            tokens,
            opened_code,
            approved_device,
        }))
    }

    /// Tries every path once, when the person may have `permitted`, or may not come in.
    pub(super) async fn try_everything(
        self,
        setting: &Setting,
        permitted: Permitted<'_>,
        seed: u64,
    ) {
        let first: BTreeSet<&str> = own_scopes(&self.tokens);
        let held = |scopes: &BTreeSet<&'static str>| -> BTreeSet<&'static str> {
            scopes.iter().copied().filter(|scope| first.contains(scope)).collect()
        };
        let held = permitted.map(held);
        let context = |path: &str| format!("seed {seed}, {path}, {first:?}, {permitted:?}");
        self.try_tokens(setting, held.as_ref(), &context).await;

        let mut account = self.account.clone();
        let page = account.open(&setting.stack.at("/account")).await;
        judge_page(&page, permitted.is_some(), &context("account"));
        let page = self.remembered.clone().open(&setting.request()).await;
        // What was not granted before is asked for.
        let is_remembered = permitted.filter(|scopes| scopes.iter().all(|it| first.contains(it)));
        judge_redirect(&page, is_remembered, &context("remembered consent"));
        let (mut browser, page) = self.consent.clone();
        let page = browser.press(&page, "decision", "allow").await;
        if let Some(code) = judge_redirect(&page, held.as_ref(), &context("consent")) {
            let answer = setting.post("/token", &setting.client.code_form(&code)).await;
            judge_answer(&answer, held.as_ref(), &context("code of a consent"));
        }
        let (browser, page, codes) = &self.device;
        let mut browser = browser.clone();
        let tick = [("started", "yes", true)];
        let page = browser.press_after(page, ("decision", "allow"), &tick).await;
        let may_have = held.as_ref().is_some_and(|scopes| !scopes.is_empty());
        judge_page(&page, may_have, &context("device"));
        let answer = poll(setting, codes).await;
        if may_have {
            judge_answer(&answer, held.as_ref(), &context("device code"));
        } else {
            assert_eq!(answer.text("error"), "authorization_pending", "{}", context("device code"));
        }
    }

    async fn try_tokens(
        &self,
        setting: &Setting,
        permitted: Permitted<'_>,
        context: &impl Fn(&str) -> String,
    ) {
        let access = self.tokens.text("access_token");
        for token in [access, self.tokens.text("refresh_token")] {
            let answer = setting.introspect(token).await;
            judge_introspection(&answer, permitted, &context("introspection"));
        }
        let info = setting.client.user_info(access).await;
        let may_have = permitted.is_some_and(|scopes| !scopes.is_empty());
        let name = info.json.get("name").is_some();
        assert_eq!((info.status == 200, name), (may_have, may_have), "{}", context("userinfo"));

        let form = [
            ("grant_type", EXCHANGE.into()),
            ("subject_token", access.to_owned()),
            ("subject_token_type", ACCESS_TOKEN.into()),
        ];
        let answer = setting.post("/token", &form).await;
        judge_answer(&answer, permitted, &context("token exchange"));
        let answer = poll(setting, &self.approved_device).await;
        judge_answer(&answer, permitted, &context("approved device code"));
        let form = setting.client.code_form(&self.opened_code);
        let answer = setting.post("/token", &form).await;
        judge_answer(&answer, permitted, &context("code"));
        let form = setting.client.refresh_form(self.tokens.text("refresh_token"));
        let answer = setting.post("/token", &form).await;
        judge_answer(&answer, permitted, &context("refresh"));
    }
}

async fn poll(setting: &Setting, codes: &Answer) -> Answer {
    let code = codes.text("device_code").to_owned();
    setting.post("/token", &[("grant_type", DEVICE_CODE.into()), ("device_code", code)]).await
}

/// The scopes of the resource in an answer.
fn own_scopes(answer: &Answer) -> BTreeSet<&str> {
    answer.text("scope").split(' ').filter(|scope| !["profile", ""].contains(scope)).collect()
}

fn judge_answer(answer: &Answer, permitted: Permitted<'_>, context: &str) {
    match permitted.filter(|scopes| !scopes.is_empty()) {
        Some(scopes) => {
            assert_eq!(answer.status, 200, "{context}: {}", answer.json);
            assert!(own_scopes(answer).is_subset(scopes), "{context}: {}", answer.json);
            assert!(!own_scopes(answer).is_empty(), "{context}: {}", answer.json);
        }
        None => {
            assert_eq!(answer.status, 400, "{context}: {}", answer.json);
            for member in ["access_token", "refresh_token", "id_token"] {
                assert!(answer.json.get(member).is_none(), "{context}: {}", answer.json);
            }
        }
    }
}

fn judge_introspection(answer: &Answer, permitted: Permitted<'_>, context: &str) {
    match permitted.filter(|scopes| !scopes.is_empty()) {
        Some(scopes) => {
            assert_eq!(answer.json["active"], true, "{context}");
            assert!(own_scopes(answer).is_subset(scopes), "{context}: {}", answer.json);
        }
        None => assert_eq!(answer.json, json!({"active": false}), "{context}"),
    }
}

fn judge_page(page: &Page, is_let_in: bool, context: &str) {
    let expected = if is_let_in { 200 } else { 403 };
    assert_eq!(page.status, expected, "{context}: {} {}", page.url, page.text());
}

/// Judges where the browser was sent; the code, if it got one.
fn judge_redirect(page: &Page, permitted: Permitted<'_>, context: &str) -> Option<String> {
    let code = page.query("code");
    let may_have = permitted.is_some_and(|scopes| !scopes.is_empty());
    assert_eq!(code.is_some(), may_have, "{context}: {} {}", page.url, page.text());
    code
}
