//! How clients prove themselves at every endpoint that asks for it: RFC 6749 §2.3, RFC 7523 §2.2.

use auth::oauth::client_assertion::ASSERTION_TYPE;
use keys::{Algorithm, SigningKey, TokenType};
use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, Client, VERIFIER, http},
    stack::Stack,
};

/// A client that was entered with the public half of a key.
struct Signer {
    client: Client,
    key: SigningKey,
}

impl Signer {
    async fn enter(stack: &Stack) -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let file = stack.directory().join(key.kid());
        std::fs::write(&file, json!({"keys": [key.public_jwk()]}).to_string()).unwrap();
        let file = file.display().to_string();
        let uri = "http://127.0.0.1:1/callback";
        let options = ["--auth-method", "private_key_jwt", "--jwks-file", &file];
        let options = [&options[..], &["--redirect-uri", uri]].concat();
        Self { client: Client::pre_registered(stack, &options).await, key }
    }

    /// The claims of an assertion that is accepted.
    fn claims(&self, stack: &Stack) -> Value {
        let now = stack.state.clock.now();
        json!({
            "iss": self.client.id,
            "sub": self.client.id,
            "aud": stack.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": uuid::Uuid::new_v4().to_string(),
        })
    }

    fn assertion_with(&self, stack: &Stack, name: &str, value: Value) -> String {
        let mut claims = self.claims(stack);
        match value {
            Value::Null => {
                claims.as_object_mut().unwrap().remove(name);
            }
            value => claims[name] = value,
        }
        self.key.sign(TokenType::IdToken, &claims).unwrap()
    }

    fn assertion(&self, stack: &Stack) -> String {
        self.key.sign(TokenType::IdToken, &self.claims(stack)).unwrap()
    }
}

/// A request that a proven client is told `invalid_grant` for, and any other `invalid_client`.
async fn present(stack: &Stack, credentials: &[(&str, &str)]) -> Answer {
    let form = [("grant_type", "authorization_code"), ("code", "x"), ("code_verifier", VERIFIER)];
    let form = [&form, credentials].concat();
    Answer::of(http().post(stack.at("/token")).form(&form)).await
}

async fn present_assertion(stack: &Stack, assertion: &str) -> Answer {
    let credentials = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)];
    present(stack, &credentials).await
}

fn outcome(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text("error"))
}

const PROVEN: (u16, &str) = (400, "invalid_grant");
const REFUSED: (u16, &str) = (401, "invalid_client");

#[tokio::test]
async fn an_assertion_proves_the_client_once() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let assertion = signer.assertion(&stack);
    assert_eq!(outcome(&present_assertion(&stack, &assertion).await), PROVEN);
    let again = present_assertion(&stack, &assertion).await;
    assert_eq!(outcome(&again), REFUSED);
    assert!(again.text("error_description").contains("jti"), "{}", again.json);
    // At another endpoint it is the same assertion.
    let form = [
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion),
        ("token", "x"),
    ];
    let revoke = Answer::of(http().post(stack.at("/revoke")).form(&form)).await;
    assert_eq!(outcome(&revoke), REFUSED);
    assert_eq!(outcome(&present_assertion(&stack, &signer.assertion(&stack)).await), PROVEN);
}

#[tokio::test]
async fn an_assertion_that_fails_for_its_audience_is_not_used_up() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let claims = signer.claims(&stack);
    let mut wrong = claims.clone();
    wrong["aud"] = json!("https://evil.test");
    let wrong = signer.key.sign(TokenType::IdToken, &wrong).unwrap();
    assert_eq!(outcome(&present_assertion(&stack, &wrong).await), REFUSED);
    let right = signer.key.sign(TokenType::IdToken, &claims).unwrap();
    assert_eq!(outcome(&present_assertion(&stack, &right).await), PROVEN);
}

#[tokio::test]
async fn an_assertion_with_a_claim_that_may_narrow_it_proves_nothing() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    for (name, value) in [
        ("cnf", json!({"jkt": "k"})),
        ("authorization_details", json!([])),
        ("may_act", json!({"sub": "x"})),
        ("act", json!({"sub": "x"})),
        ("scope", json!("mcp:tools")),
        ("tenant", json!("acme")),
        ("htu", json!("https://elsewhere.test/token")),
        ("client_id", json!("another")),
    ] {
        let assertion = signer.assertion_with(&stack, name, value);
        assert_eq!(outcome(&present_assertion(&stack, &assertion).await), REFUSED, "{name}");
    }
    let id = json!(signer.client.id);
    for (name, value) in [("client_id", id), ("name", json!("A client"))] {
        let assertion = signer.assertion_with(&stack, name, value);
        assert_eq!(outcome(&present_assertion(&stack, &assertion).await), PROVEN, "{name}");
    }
}

#[tokio::test]
async fn the_audience_is_this_server_alone() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let issuer = &stack.issuer;
    for audience in [json!(stack.at("/token")), json!([issuer])] {
        let assertion = signer.assertion_with(&stack, "aud", audience.clone());
        assert_eq!(outcome(&present_assertion(&stack, &assertion).await), PROVEN, "{audience}");
    }
    for audience in [
        json!([issuer, "https://evil.test"]),
        json!(format!("{issuer}/")),
        json!("https://evil.test"),
        json!(stack.at("/revoke")),
        json!([]),
        json!(7),
        Value::Null,
    ] {
        let assertion = signer.assertion_with(&stack, "aud", audience.clone());
        assert_eq!(outcome(&present_assertion(&stack, &assertion).await), REFUSED, "{audience}");
    }
}

#[tokio::test]
async fn the_times_of_an_assertion_are_bounded() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let now = stack.state.clock.now();
    for (name, value) in [("nbf", now + 5), ("iat", now - 600), ("exp", now + 3500)] {
        let assertion = signer.assertion_with(&stack, name, json!(value));
        assert_eq!(outcome(&present_assertion(&stack, &assertion).await), PROVEN, "{name}");
    }
    for (name, value) in [
        ("exp", json!(now - 300)),
        ("exp", json!(now + 86_400)),
        ("exp", json!((now + 60).to_string())),
        ("exp", Value::Null),
        ("nbf", json!(now + 60)),
        ("iat", json!(now + 600)),
    ] {
        let assertion = signer.assertion_with(&stack, name, value.clone());
        let answer = present_assertion(&stack, &assertion).await;
        assert_eq!(outcome(&answer), REFUSED, "{name} {value}");
    }
}

#[tokio::test]
async fn an_assertion_speaks_for_its_signer_only() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let other = Signer::enter(&stack).await;
    for (name, value) in [
        ("iss", json!(other.client.id)),
        ("sub", json!(other.client.id)),
        ("sub", Value::Null),
        ("iss", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
    ] {
        let assertion = signer.assertion_with(&stack, name, value.clone());
        let answer = present_assertion(&stack, &assertion).await;
        assert_eq!(outcome(&answer), REFUSED, "{name} {value}");
    }
    let assertion = signer.assertion(&stack);
    let credentials = [
        ("client_id", other.client.id.as_str()),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion),
    ];
    assert_eq!(outcome(&present(&stack, &credentials).await), REFUSED);
    let forged = other.key.sign(TokenType::IdToken, &signer.claims(&stack)).unwrap();
    assert_eq!(outcome(&present_assertion(&stack, &forged).await), REFUSED);
    let typed = signer.key.sign(TokenType::AccessToken, &signer.claims(&stack)).unwrap();
    assert_eq!(outcome(&present_assertion(&stack, &typed).await), REFUSED);
}

#[tokio::test]
async fn an_unsigned_or_symmetric_assertion_is_refused() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let encode = |value: &Value| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let claims = encode(&signer.claims(&stack));
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": signer.key.kid()}),
        json!({"alg": "ES256", "jwk": signer.key.public_jwk()}),
        json!({"alg": "ES256", "kid": signer.key.kid(), "crit": ["b64"]}),
    ] {
        for signature in ["", "AAAA"] {
            let assertion = format!("{}.{claims}.{signature}", encode(&header));
            let answer = present_assertion(&stack, &assertion).await;
            assert_eq!(outcome(&answer), REFUSED, "{header}");
        }
    }
    for text in ["x", "a.b", "a.b.c", "..", &"a.".repeat(20_000)] {
        assert_eq!(outcome(&present_assertion(&stack, text).await), REFUSED, "{text}");
    }
}

#[tokio::test]
async fn the_parts_of_an_assertion_come_together_and_alone() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let assertion = signer.assertion(&stack);
    let typed = ("client_assertion_type", ASSERTION_TYPE);
    let id = ("client_id", signer.client.id.as_str());
    let asserted = ("client_assertion", assertion.as_str());
    let malformed = (400, "invalid_request");
    assert_eq!(outcome(&present(&stack, &[asserted]).await), malformed);
    assert_eq!(outcome(&present(&stack, &[id, typed]).await), malformed);
    let twice = [asserted, typed, ("client_secret", "pck_x")];
    assert_eq!(outcome(&present(&stack, &twice).await), malformed);
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let saml = [asserted, ("client_assertion_type", saml)];
    assert_eq!(outcome(&present(&stack, &saml).await), REFUSED);
    assert_eq!(outcome(&present(&stack, &[id]).await), REFUSED);
    assert_eq!(outcome(&present(&stack, &[id, ("client_secret", "pck_x")]).await), REFUSED);
    assert_eq!(outcome(&present(&stack, &[id, typed, asserted]).await), PROVEN);
}

#[tokio::test]
async fn a_client_with_a_secret_cannot_sign_instead() {
    let stack = Stack::start().await;
    let signer = Signer::enter(&stack).await;
    let secret = json!({"token_endpoint_auth_method": "client_secret_post"});
    let other = Client::register_as(&stack, secret).await;
    let mut claims = signer.claims(&stack);
    (claims["iss"], claims["sub"]) = (json!(other.id), json!(other.id));
    let assertion = signer.key.sign(TokenType::IdToken, &claims).unwrap();
    assert_eq!(outcome(&present_assertion(&stack, &assertion).await), REFUSED);
}

/// What `/token` says of these Authorization headers.
async fn present_headers(stack: &Stack, headers: &[&[u8]]) -> Answer {
    let form = [("grant_type", "authorization_code"), ("code", "x"), ("code_verifier", VERIFIER)];
    let mut request = http().post(stack.at("/token")).form(&form);
    for header in headers {
        request = request.header("authorization", *header);
    }
    Answer::of(request).await
}

fn basic(scheme: &str, credentials: impl AsRef<[u8]>) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("{scheme} {}", STANDARD.encode(credentials)).into_bytes()
}

#[tokio::test]
async fn a_broken_basic_header_proves_nobody() {
    let stack = Stack::start().await;
    let method = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let client = Client::register_as(&stack, method).await;
    let id = &client.id;
    let secret = client.secret.as_deref().unwrap();
    let right = basic("Basic", format!("{id}:{secret}"));
    for header in [
        b"Basic".to_vec(),
        b"Basic ".to_vec(),
        b"Basic ====".to_vec(),
        b"Basic \xff".to_vec(),
        basic("Bearer", format!("{id}:{secret}")),
        basic("Basic", format!("{id}{secret}")),
        basic("Basic", format!("{id}:")),
        basic("Basic", format!(":{secret}")),
        basic("Basic", format!("{id}:%zz")),
        basic("Basic", format!("{id}:%ff%fe")),
        basic("Basic", [id.as_bytes(), b":\xff\xfe"].concat()),
        basic("Basic", format!("{id}:{secret}\0")),
        basic("Basic", format!("{id}:{secret}:")),
    ] {
        let answer = present_headers(&stack, &[&header]).await;
        assert_eq!(outcome(&answer), REFUSED, "{}", String::from_utf8_lossy(&header));
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    assert_eq!(outcome(&present_headers(&stack, &[&right, &right]).await), REFUSED);
    assert_eq!(outcome(&present_headers(&stack, &[&right]).await), PROVEN);
    let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let encoded = format!("{}:{}", encode(id), encode(secret));
    assert_eq!(outcome(&present_headers(&stack, &[&basic("bAsIc", encoded)]).await), PROVEN);
}

#[tokio::test]
async fn a_client_without_a_secret_sends_none() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let id = ("client_id", client.id.as_str());
    assert_eq!(outcome(&present(&stack, &[id]).await), PROVEN);
    assert_eq!(outcome(&present(&stack, &[id, ("client_secret", "pck_any")]).await), REFUSED);
    for secret in ["", "pck_any"] {
        let header = basic("Basic", format!("{}:{secret}", client.id));
        assert_eq!(outcome(&present_headers(&stack, &[&header]).await), REFUSED, "{secret}");
    }
}

#[tokio::test]
async fn a_secret_in_the_header_and_in_the_body_is_one_too_many() {
    let stack = Stack::start().await;
    let method = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let client = Client::register_as(&stack, method).await;
    let secret = client.secret.as_deref().unwrap();
    let request = http().post(stack.at("/token")).basic_auth(&client.id, Some(secret));
    let form = [("grant_type", "authorization_code"), ("code", "x"), ("client_secret", secret)];
    assert_eq!(outcome(&Answer::of(request.form(&form)).await), (400, "invalid_request"));
}

#[tokio::test]
async fn a_basic_header_has_one_spelling() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let stack = Stack::start().await;
    let method = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let client = Client::register_as(&stack, method).await;
    let credentials = format!("{}:{}", client.id, client.secret.as_deref().unwrap());
    // An encoded letter more or less makes a text whose base64 ends in padding.
    let padded = [0, 1, 2]
        .map(|more| credentials.replacen("pck_", ["pck_", "pck%5F", "%70ck%5F"][more], 1))
        .into_iter()
        .find(|credentials| credentials.len() % 3 == 1)
        .unwrap();
    let spelled = STANDARD.encode(padded);
    assert!(spelled.ends_with("=="));
    let present = async |spelling: String| {
        let header = format!("Basic {spelling}").into_bytes();
        present_headers(&stack, &[&header]).await
    };
    assert_eq!(outcome(&present(spelled.clone()).await), PROVEN);
    let stem = spelled.trim_end_matches('=');
    let (short, last) = stem.split_at(stem.len() - 1);
    let last = char::from(last.as_bytes()[0] + 1);
    for spelling in [
        stem.to_owned(),
        format!("{stem}="),
        format!("{stem}==="),
        format!("{short}{last}=="),
        format!("{spelled}AAAA"),
        format!("{} {}", &stem[..8], &spelled[8..]),
    ] {
        assert_eq!(outcome(&present(spelling.clone()).await), REFUSED, "{spelling}");
    }
}
