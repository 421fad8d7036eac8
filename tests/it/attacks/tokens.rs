//! Access tokens and assertions that an attacker makes: by a key or a MAC of their own, with a header
//! that leads to it, as another kind of token, or in another place.

use auth::oauth::client_assertion::ASSERTION_TYPE;
use aws_lc_rs::hmac;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use keys::{Algorithm, PublicJwk, SigningKey, TokenType};
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, Client, VERIFIER, http},
        mcp_client::{Wire, call, message, post},
        raw_jws,
    },
    servers::{
        document_server::{Document, DocumentServer},
        trusted_issuer::TrustedIssuer,
    },
    stack::{
        Stack,
        access_token::{claims, signed, signed_as},
    },
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

async fn answer(stack: &Stack, token: &str) -> Answer {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await
}

async fn assert_refused(stack: &Stack, token: &str, context: &str) {
    let answer = answer(stack, token).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"), "{context}");
}

/// The claims of a token that would be taken.
fn good_claims(stack: &Stack) -> String {
    claims(&signed(stack, &json!({}))).to_string()
}

/// The public key in each form that a careless verifier may take for the secret of a MAC.
fn as_secrets(key: &PublicJwk) -> Vec<Vec<u8>> {
    let jwk = json!(key);
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [&[4][..], &member("x"), &member("y")].concat();
    // The head of a SubjectPublicKeyInfo of P-256.
    let head = STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE").unwrap();
    let der = [&head[..head.len() - 1], &point].concat();
    let base64 = STANDARD.encode(&der);
    let (one, two) = base64.split_at(64);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{one}\n{two}\n-----END PUBLIC KEY-----");
    vec![
        pem.clone().into(),
        format!("{pem}\n").into(),
        base64.into(),
        der,
        point,
        member("x"),
        jwk.to_string().into(),
        json!({"keys": [jwk]}).to_string().into(),
        Vec::new(),
    ]
}

/// A compact JWS with a MAC by `secret`.
fn with_mac(algorithm: &str, header: &Value, claims: &str, secret: &[u8]) -> String {
    let mut header = header.clone();
    header["alg"] = algorithm.into();
    let function = match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(function, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The same claims with each MAC that the public key makes.
fn with_each_mac<'a>(
    key: &PublicJwk,
    header: &'a Value,
    claims: &'a str,
) -> impl Iterator<Item = String> + use<'a> {
    as_secrets(key).into_iter().flat_map(move |secret| {
        ["HS256", "HS384", "HS512"].map(|name| with_mac(name, header, claims, &secret))
    })
}

#[tokio::test]
async fn a_mac_with_the_public_key_signs_no_access_token() {
    let stack = Stack::start().await;
    let key = stack.state.keys.current(stack.state.clock.now()).unwrap();
    let claims = good_claims(&stack);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid()});
    let good = raw_jws::sign(&key, &header.to_string(), &claims);
    assert_eq!(answer(&stack, &good).await.status, 200);
    for token in with_each_mac(key.public_jwk(), &header, &claims) {
        assert_refused(&stack, &token, &token).await;
    }
}

#[tokio::test]
async fn a_mac_with_the_public_key_signs_no_client_assertion() {
    let stack = Stack::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public_jwk()]}});
    let client = Client::register_as(&stack, metadata).await;
    let now = stack.state.clock.now();
    let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "iat": now,
        "exp": now + 60, "jti": "1"});
    let error = async |assertion: String| {
        let form = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", "x".into()),
            ("code_verifier", VERIFIER.into()),
            ("client_assertion_type", ASSERTION_TYPE.into()),
            ("client_assertion", assertion),
        ];
        client.post("/token", &form).await.text("error").to_owned()
    };
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": key.kid()});
    for assertion in with_each_mac(key.public_jwk(), &header, &claims.to_string()) {
        assert_eq!(error(assertion).await, "invalid_client");
    }
    let with_secret = json!({"token_endpoint_auth_method": "client_secret_post"});
    let with_secret = Client::register_as(&stack, with_secret).await;
    let mut of_it = claims.clone();
    of_it["iss"] = with_secret.id.clone().into();
    of_it["sub"] = with_secret.id.clone().into();
    let secret = with_secret.secret.as_deref().unwrap().as_bytes();
    let assertion = with_mac("HS256", &json!({"typ": "JWT"}), &of_it.to_string(), secret);
    assert_eq!(error(assertion).await, "invalid_client");
    // A client that has proved itself is told that the code is none.
    let good = raw_jws::sign(&key, &header.to_string(), &claims.to_string());
    assert_eq!(error(good).await, "invalid_grant");
}

#[tokio::test]
async fn a_mac_or_nothing_at_all_signs_no_identity_assertion() {
    let issuer = TrustedIssuer::default();
    let stack = issuer.trusted(&json!({})).await;
    issuer.enter_person(&stack).await;
    let client = Client::pre_registered(&stack, &["--grant-type", JWT_BEARER]).await;
    let post = async |assertion: String| {
        let form = [("grant_type", JWT_BEARER.to_owned()), ("assertion", assertion)];
        client.post_authenticated("/token", &form).await
    };
    let good = issuer.identity(&stack, &client.id, &json!({}));
    let claims = claims(&good).to_string();
    let header = json!({"typ": "oauth-id-jag+jwt", "kid": issuer.key.kid()});
    let mut forged: Vec<_> = with_each_mac(issuer.key.public_jwk(), &header, &claims).collect();
    let secret = client.secret.as_deref().unwrap();
    forged.push(with_mac("HS256", &header, &claims, secret.as_bytes()));
    let unsigned = json!({"alg": "none", "typ": "oauth-id-jag+jwt", "kid": issuer.key.kid()});
    let [header, claims] = [unsigned.to_string(), claims].map(|text| URL_SAFE_NO_PAD.encode(text));
    forged.push(format!("{header}.{claims}."));
    for assertion in forged {
        let answer = post(assertion.clone()).await;
        assert_eq!(answer.text("error"), "invalid_grant", "{assertion}");
    }
    assert_eq!(post(good).await.status, 200);
}

#[tokio::test]
async fn a_key_that_a_token_brings_along_is_not_looked_at() {
    let stack = Stack::start().await;
    let attacker = DocumentServer::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    attacker.put("/keys", Document::json(&json!({"keys": [key.public_jwk()]})));
    let real = stack.state.keys.current(stack.state.clock.now()).unwrap();
    let claims = good_claims(&stack);
    let certificate = rcgen::generate_simple_self_signed(["evil.test".to_owned()]).unwrap();
    for kid in [real.kid(), key.kid()] {
        for (name, value) in [
            ("jwk", json!(key.public_jwk())),
            ("jku", json!(attacker.at("/keys"))),
            ("x5u", json!(attacker.at("/keys"))),
            ("x5c", json!([STANDARD.encode(certificate.cert.der())])),
        ] {
            let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
            header[name] = value;
            let forged = raw_jws::sign(&key, &header.to_string(), &claims);
            assert_refused(&stack, &forged, &header.to_string()).await;
        }
    }
    assert_eq!(attacker.hits("/keys"), 0);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": real.kid()});
    let good = raw_jws::sign(&real, &header.to_string(), &claims);
    assert_eq!(answer(&stack, &good).await.status, 200);
}

#[tokio::test]
async fn the_name_of_a_key_is_a_name_and_leads_nowhere() {
    let stack = Stack::start().await;
    let attacker = DocumentServer::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    attacker.put("/keys", Document::json(&json!({"keys": [key.public_jwk()]})));
    let claims = good_claims(&stack);
    for kid in [
        json!("../../../../dev/null"),
        json!("' UNION SELECT 'k'--"),
        json!("a\nlevel=error"),
        json!("\0"),
        json!(""),
        json!("__proto__"),
        json!("k".repeat(8192)),
        json!(attacker.at("/keys")),
        json!(7),
        json!([key.kid()]),
        Value::Null,
    ] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
        let forged = raw_jws::sign(&key, &header.to_string(), &claims);
        assert_refused(&stack, &forged, &header.to_string()).await;
        // The contents of /dev/null as the secret of a MAC.
        let forged = with_mac("HS256", &header, &claims, b"");
        assert_refused(&stack, &forged, &header.to_string()).await;
    }
    assert_eq!(attacker.hits("/keys"), 0);
    assert_eq!(answer(&stack, &signed(&stack, &json!({}))).await.status, 200);
}

#[tokio::test]
async fn only_the_type_of_access_tokens_is_taken_in_any_of_its_spellings() {
    let stack = Stack::start().await;
    for kind in [
        TokenType::IdToken,
        TokenType::LogoutToken,
        TokenType::ClientAssertion,
        TokenType::IdentityAssertion,
        TokenType::UserInfo,
        TokenType::TokenIntrospection,
        TokenType::CallerIdentity,
    ] {
        assert_refused(&stack, &signed_as(&stack, kind, &json!({})), kind.as_str()).await;
    }
    let key = stack.state.keys.current(stack.state.clock.now()).unwrap();
    let claims = good_claims(&stack);
    let typed = |typ: Value| {
        let header = json!({"alg": "ES256", "typ": typ, "kid": key.kid()});
        raw_jws::sign(&key, &header.to_string(), &claims)
    };
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert_eq!(answer(&stack, &typed(json!(typ))).await.status, 200, "{typ}");
    }
    for typ in [
        json!("JWT"),
        json!("dpop+jwt"),
        json!("at+jwt "),
        json!("text/at+jwt"),
        json!(""),
        json!(["at+jwt"]),
        Value::Null,
    ] {
        assert_refused(&stack, &typed(typ.clone()), &typ.to_string()).await;
    }
    let header = json!({"alg": "ES256", "kid": key.kid()}).to_string();
    assert_refused(&stack, &raw_jws::sign(&key, &header, &claims), "without typ").await;
}

#[tokio::test]
async fn a_token_that_is_wrapped_encrypted_or_deep_is_refused_and_the_next_is_taken() {
    let stack = Stack::start().await;
    let good = signed(&stack, &json!({}));
    let key = stack.state.keys.current(stack.state.clock.now()).unwrap();
    let mut nested = good.clone();
    for _ in 0..8 {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "cty": "JWT", "kid": key.kid()});
        nested = raw_jws::sign(&key, &header.to_string(), &nested);
        assert_refused(&stack, &nested, "nested").await;
    }
    let parts: Vec<_> = good.split('.').collect();
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#);
    let encrypted = format!("{header}..AAAAAAAAAAAAAAAA.{}.{}", parts[1], parts[2]);
    assert_refused(&stack, &encrypted, "of five parts").await;
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    let deep = good_claims(&stack).replacen('{', &format!(r#"{{"x":{deep},"#), 1);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid()}).to_string();
    assert_refused(&stack, &raw_jws::sign(&key, &header, &deep), "deep").await;
    let wide: String = (0..1000).map(|number| format!(r#""{number}":1,"#)).collect();
    let wide = good_claims(&stack).replacen('{', &format!("{{{wide}"), 1);
    assert_eq!(answer(&stack, &raw_jws::sign(&key, &header, &wide)).await.status, 200);
    let json_form = json!({"payload": parts[1],
        "signatures": [{"protected": parts[0], "signature": parts[2]}]});
    let answered = answer(&stack, &json_form.to_string()).await;
    assert_eq!((answered.status.as_u16(), answered.text("error")), (400, "invalid_request"));
    assert_eq!(answer(&stack, &good).await.status, 200);
}

#[tokio::test]
async fn a_token_counts_in_its_header_alone() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let ask = |name: &str, value: &str| {
        let hello = message("tools/list", json!({}));
        post(&stack.resource, "").header(name, value).json(&hello)
    };
    for (name, value) in [
        ("cookie", format!("access_token={token}")),
        ("cookie", format!("authorization=Bearer {token}")),
        ("x-access-token", token.clone()),
        ("x-forwarded-access-token", token.clone()),
        ("proxy-authorization", format!("Bearer {token}")),
        ("x-authorization", format!("Bearer {token}")),
        ("sec-websocket-protocol", format!("bearer, {token}")),
    ] {
        let answer = Answer::of(ask(name, &value)).await;
        assert_eq!(answer.status, 401, "{name}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(!challenge.contains("error="), "{name}: {challenge}");
    }
    let form = http().post(&stack.resource).form(&[("access_token", &token)]);
    assert_eq!(Answer::of(form).await.status, 401);
    assert_eq!(answer(&stack, &token).await.status, 200);
}

const INTROSPECTION: [&str; 4] =
    ["--introspection-client-id", "demo-server", "--introspection-client-secret", "pck_demo"];

#[tokio::test]
async fn a_bad_jwt_gets_no_second_opinion() {
    let asked = DocumentServer::start().await;
    let for_mcp = [&["--issuer", asked.url.as_str()], &INTROSPECTION[..]].concat();
    let stack = Stack::start_with(&[], &for_mcp).await;
    let metadata = json!({"issuer": asked.url, "jwks_uri": stack.at("/jwks"),
        "introspection_endpoint": asked.at("/introspect")});
    asked.put("/.well-known/oauth-authorization-server", Document::json(&metadata));
    let now = stack.state.clock.now();
    let active = json!({"active": true, "iss": asked.url, "sub": "nick", "client_id": "client",
        "aud": stack.audience, "scope": "mcp:tools profile email", "exp": now + 600});
    asked.put("/introspect", Document::json(&active));

    let with = |change: Value| {
        let mut claims = json!({"iss": asked.url});
        change.as_object().unwrap().iter().for_each(|(name, value)| {
            claims[name] = value.clone();
        });
        signed(&stack, &claims)
    };
    let good = with(json!({}));
    assert_eq!(answer(&stack, &good).await.status, 200);
    let (content, signature) = good.rsplit_once('.').unwrap();
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let claims = content.split_once('.').unwrap().1;
    for bad in [
        format!("{content}.{}", signature.chars().rev().collect::<String>()),
        format!("{content}."),
        format!("{unsigned}.{claims}."),
        format!("x.{claims}.{signature}"),
        with(json!({"exp": now - 60})),
        with(json!({"aud": "http://localhost:9/mcp"})),
        with(json!({"iss": "https://evil.test"})),
        with(json!({"iss": null})),
        signed_as(&stack, TokenType::IdToken, &json!({"iss": asked.url})),
    ] {
        assert_refused(&stack, &bad, &bad).await;
    }
    assert_eq!(asked.hits("/introspect"), 0);
    assert_eq!(answer(&stack, "opaque").await.status, 200);
    assert_eq!(asked.hits("/introspect"), 1);
}

#[tokio::test]
async fn a_key_that_an_assertion_brings_along_is_not_looked_at() {
    let issuer = TrustedIssuer::default();
    let stack = issuer.trusted(&json!({})).await;
    issuer.enter_person(&stack).await;
    let attacker = DocumentServer::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    attacker.put("/keys", Document::json(&json!({"keys": [key.public_jwk()]})));
    let own = SigningKey::generate(Algorithm::ES256).unwrap();
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [own.public_jwk()]}});
    let client = Client::register_as(&stack, metadata).await;
    let asserting = Client::pre_registered(&stack, &["--grant-type", JWT_BEARER]).await;
    let now = stack.state.clock.now();
    let of_client = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "iat": now,
        "exp": now + 60, "jti": "1"});
    let good = issuer.identity(&stack, &asserting.id, &json!({}));
    let of_issuer = claims(&good).to_string();
    for (name, value) in [
        ("jwk", json!(key.public_jwk())),
        ("jku", json!(attacker.at("/keys"))),
        ("x5u", json!(attacker.at("/keys"))),
    ] {
        let header = |typ: &str, kid: &str| {
            let mut header = json!({"alg": "ES256", "typ": typ, "kid": kid});
            header[name] = value.clone();
            header.to_string()
        };
        for kid in [own.kid(), key.kid()] {
            let forged = raw_jws::sign(&key, &header("JWT", kid), &of_client.to_string());
            let form = [
                ("grant_type", "authorization_code".to_owned()),
                ("code", "x".into()),
                ("code_verifier", VERIFIER.into()),
                ("client_assertion_type", ASSERTION_TYPE.into()),
                ("client_assertion", forged),
            ];
            let answer = client.post("/token", &form).await;
            assert_eq!(answer.text("error"), "invalid_client", "{name}");
        }
        for kid in [issuer.key.kid(), key.kid()] {
            let forged = raw_jws::sign(&key, &header("oauth-id-jag+jwt", kid), &of_issuer);
            let form = [("grant_type", JWT_BEARER.to_owned()), ("assertion", forged)];
            let answer = asserting.post_authenticated("/token", &form).await;
            assert_eq!(answer.text("error"), "invalid_grant", "{name}");
        }
    }
    assert_eq!(attacker.hits("/keys"), 0);
    let form = [("grant_type", JWT_BEARER.to_owned()), ("assertion", good)];
    assert_eq!(asserting.post_authenticated("/token", &form).await.status, 200);
}
