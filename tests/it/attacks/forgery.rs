//! Sealed values that an attacker changed or spelled in another way. That takes no key: AES-GCM
//! encrypts like a stream cipher, so known plain text can be replaced by other text of the same
//! length. Only the authentication tag prevents it.

use auth::oauth::client_assertion::ASSERTION_TYPE;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{Algorithm, SigningKey, TokenType};
use reqwest::StatusCode;
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, http, with},
    stack::Stack,
};

const REGISTRATION: &str = "dyn_";
const PUSHED_REQUEST: &str = "urn:ietf:params:oauth:request_uri:";

/// A sealed value (compact JWE), taken apart.
#[derive(Clone)]
struct Sealed {
    prefix: &'static str,
    header: String,
    iv: String,
    content: Vec<u8>,
    tag: Vec<u8>,
}

impl Sealed {
    fn parse(prefix: &'static str, text: &str) -> Self {
        let parts: Vec<_> = text.strip_prefix(prefix).unwrap().split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        Self {
            prefix,
            header: parts[0].into(),
            iv: parts[2].into(),
            content: decode(parts[3]),
            tag: decode(parts[4]),
        }
    }

    /// Writes `new` over the known text `old`, which follows the known text `before`.
    fn overwrite(mut self, before: &str, old: &str, new: &str) -> Self {
        assert_eq!(old.len(), new.len());
        let place = self.content.iter_mut().skip(before.len());
        for (byte, (old, new)) in place.zip(old.bytes().zip(new.bytes())) {
            *byte ^= old ^ new;
        }
        self
    }

    fn with_tag(&self, tag: &[u8]) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let Self { prefix, header, iv, content, .. } = self;
        format!("{prefix}{header}..{iv}.{}.{}", encode(content), encode(tag))
    }

    /// With every tag of one byte: one of them is the first byte of the right tag.
    fn with_short_tags(&self) -> impl Iterator<Item = String> {
        (0..=u8::MAX).map(|byte| self.with_tag(&[byte]))
    }

    /// With its own tag, cut to each length, from the whole one to one byte.
    fn with_cut_tags(&self) -> impl Iterator<Item = String> {
        (1..=self.tag.len()).rev().map(|length| self.with_tag(&self.tag[..length]))
    }
}

/// Asks for a token of the client's own, with an assertion that it signed.
async fn ask_as(stack: &Stack, id: &str, key: &SigningKey) -> Answer {
    let now = stack.state.clock.now();
    let claims = json!({"iss": id, "sub": id, "aud": stack.issuer, "iat": now, "exp": now + 60,
        "jti": uuid::Uuid::new_v4().to_string()});
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("resource", stack.audience.clone()),
        ("client_assertion_type", ASSERTION_TYPE.into()),
        ("client_assertion", key.sign(TokenType::ClientAssertion, &claims).unwrap()),
    ];
    Answer::of(http().post(stack.at("/token")).form(&form)).await
}

#[tokio::test]
async fn no_client_gives_itself_a_grant_that_it_did_not_register_for() {
    let stack = Stack::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public_jwk()]}});
    let client = Client::register_as(&stack, metadata).await;
    let own = ask_as(&stack, &client.id, &key).await;
    assert_eq!((own.status.as_u16(), own.text("error")), (400, "unauthorized_client"));

    let before = format!(r#"{{"n":"Test client","r":["{REDIRECT_URI}"],"g":[""#);
    let forged = Sealed::parse(REGISTRATION, &client.id);
    let forged = forged.overwrite(&before, "authorization_code", "client_credentials");
    for (tried, id) in forged.with_short_tags().enumerate() {
        let answer = ask_as(&stack, &id, &key).await;
        assert!(answer.status.is_client_error(), "attempt {tried}: {}", answer.json);
        assert_ne!(answer.text("error"), "unauthorized_client", "attempt {tried} is a client");
    }
    let whole = ask_as(&stack, &forged.with_tag(&forged.tag), &key).await;
    assert!(whole.status.is_client_error(), "{}", whole.json);
}

#[tokio::test]
async fn nobody_pushes_a_request_for_a_client_that_must_prove_itself() {
    let stack = Stack::start().await;
    let secret = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let victim = Client::register_as(&stack, secret).await;
    // A name decides how long the client_id is.
    let mut stranger = Client::register(&stack).await;
    let mut name = String::from("Test client");
    while stranger.id.len() < victim.id.len() {
        name.push('x');
        let metadata = json!({"token_endpoint_auth_method": "none", "client_name": name});
        stranger = Client::register_as(&stack, metadata).await;
    }
    let pushed = stranger.post("/par", &stranger.authorize_parameters()).await;
    let before = format!(r#"{{"id":"{}","client_id":""#, "-".repeat(36));
    let forged = Sealed::parse(PUSHED_REQUEST, pushed.text("request_uri"));
    let forged = forged.overwrite(&before, &stranger.id, &victim.id);
    for (tried, name) in forged.with_short_tags().enumerate() {
        let query = [("client_id", victim.id.clone()), ("request_uri", name)];
        let page = Browser::default().open(&victim.authorize_url(&query)).await;
        assert_eq!(page.status, 400, "attempt {tried} leads to {}", page.url.path());
    }
}

#[tokio::test]
async fn a_deleted_registration_does_not_come_back_under_another_spelling() {
    let stack = Stack::start().await;
    let request = json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"});
    let registered = Answer::of(http().post(stack.at("/register")).json(&request)).await;
    let delete = http().delete(registered.text("registration_client_uri"));
    let delete = delete.bearer_auth(registered.text("registration_access_token"));
    assert_eq!(Answer::of(delete).await.status, StatusCode::NO_CONTENT);

    let client = Client::known_as(&stack, registered.text("client_id"), None);
    for id in Sealed::parse(REGISTRATION, &client.id).with_cut_tags() {
        let request = with(client.authorize_parameters(), "client_id", &id);
        let page = Browser::default().open(&client.authorize_url(&request)).await;
        assert_eq!(page.status, 400, "{id} leads to {}", page.url.path());
    }
}

#[tokio::test]
async fn one_consent_page_is_answered_once_however_its_request_is_spelled() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    let url = client.authorize_url(&client.authorize_parameters());
    let page = client.reach_consent(&mut browser, &url).await;
    let request = page.hidden("request");
    let mut codes = 0;
    for spelling in Sealed::parse("", &request).with_cut_tags() {
        let form = [("request", spelling.as_str()), ("decision", "allow")];
        let answered = browser.post(&stack.at("/consent"), &form).await;
        codes += usize::from(answered.query("code").is_some());
    }
    assert_eq!(codes, 1);
}
