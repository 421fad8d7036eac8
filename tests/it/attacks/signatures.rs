//! Signed values that two readers could understand in two ways: refused wherever one is taken,
//! although the signature is right.

use auth::oauth::client_assertion::ASSERTION_TYPE;
use keys::{Algorithm, SigningKey};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, VERIFIER, http},
        mcp_client::{Wire, call},
        raw_jws,
    },
    servers::document_server::{Document, DocumentServer},
    stack::Stack,
};

/// Header members in front of those that a good header has. Only the first changes nothing.
const ADDED: [&str; 12] = [
    r#""x":[[1]],"#,
    r#""crit":null,"#,
    r#""crit":[],"#,
    r#""crit":"","#,
    r#""crit":["exp"],"#,
    r#""b64":false,"#,
    r#""b64":true,"#,
    r#""zip":"DEF","#,
    r#""zip":null,"#,
    r#""alg":"none","#,
    r#""alg":"ES256","#,
    r#""x":{"y":1,"y":2},"#,
];

/// The same claims with one that comes twice.
fn doubled(claims: &Value, name: &str) -> String {
    claims.to_string().replacen('{', &format!(r#"{{"{name}":{},"#, claims[name]), 1)
}

/// What `answer` is for a value with these header members and claims: the first of `ADDED` must
/// succeed, and everything else must not.
async fn assert_only_the_plain_one_counts(
    header: &str,
    claims: &Value,
    doubled_name: &str,
    succeeds: impl AsyncFn(String, String) -> bool,
) {
    // Each value is new, so that none is refused because it was used before.
    let succeeds = async |header: String, claims: String| {
        succeeds(header, claims.replace("the jti", &uuid::Uuid::new_v4().to_string())).await
    };
    for (number, added) in ADDED.iter().enumerate() {
        let header = header.replacen('{', &format!("{{{added}"), 1);
        assert_eq!(succeeds(header, claims.to_string()).await, number == 0, "{added}");
    }
    let twice = doubled(claims, doubled_name);
    assert!(!succeeds(header.to_owned(), twice).await, "{doubled_name} twice");
    let array = json!(claims.as_object().unwrap().values().collect::<Vec<_>>());
    assert!(!succeeds(header.to_owned(), array.to_string()).await, "claims in an array");
}

#[tokio::test]
async fn a_client_assertion_means_one_thing() {
    let stack = Stack::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public_jwk()]}});
    let client = Client::register_as(&stack, metadata).await;
    let now = stack.state.clock.now();
    let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "iat": now,
        "exp": now + 60, "jti": "the jti"});
    let header = json!({"alg": "ES256", "kid": key.kid()}).to_string();
    assert_only_the_plain_one_counts(&header, &claims, "jti", async |header, claims| {
        let form = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", "x".into()),
            ("code_verifier", VERIFIER.into()),
            ("client_assertion_type", ASSERTION_TYPE.into()),
            ("client_assertion", raw_jws::sign(&key, &header, &claims)),
        ];
        let answer = Answer::of(http().post(stack.at("/token")).form(&form)).await;
        // A client that has proved itself is told that the code is none.
        answer.text("error") == "invalid_grant"
    })
    .await;
}

#[tokio::test]
async fn a_proof_of_possession_means_one_thing() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let form = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.id.clone()),
        ("refresh_token", tokens.text("refresh_token").into()),
    ];
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": key.public_jwk().material});
    let claims = json!({"jti": "the jti", "htm": "POST", "htu": stack.at("/token"),
        "iat": stack.state.clock.now()});
    let prove = async |header: String, claims: String| {
        let proof = raw_jws::sign(&key, &header, &claims);
        client.post_with_proof("/token", &form, &proof).await.status == 200
    };
    assert_only_the_plain_one_counts(&header.to_string(), &claims, "htu", prove).await;
}

#[tokio::test]
async fn an_access_token_means_one_thing() {
    let stack = Stack::start().await;
    let now = stack.state.clock.now();
    let key = stack.state.keys.current(now).unwrap();
    let claims = json!({"iss": stack.issuer, "sub": "nick", "aud": stack.audience,
        "client_id": "client", "scope": "mcp:tools profile email", "exp": now + 600, "iat": now,
        "jti": "the jti", "name": "Nick Lucas"});
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid()}).to_string();
    assert_only_the_plain_one_counts(&header, &claims, "sub", async |header, claims| {
        let token = raw_jws::sign(&key, &header, &claims);
        let arguments = json!({"message": "ping"});
        call(&stack.resource, Wire::V2026, &token, "echo", arguments).await.status == 200
    })
    .await;
}

/// A header for each member that can say where the key of the signer is: in it, or at `server`.
fn headers_with_a_key(signer: &SigningKey, server: &DocumentServer, kid: &str) -> Vec<String> {
    server.put("/keys", Document::json(&json!({"keys": [signer.public_jwk()]})));
    let place = server.at("/keys");
    let key = json!(signer.public_jwk());
    let members =
        [("jwk", key), ("jku", json!(place)), ("x5u", json!(place)), ("x5c", json!(["AA"]))];
    let header = |(name, value): (&str, Value)| {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
        header[name] = value;
        header.to_string()
    };
    members.into_iter().map(header).collect()
}

#[tokio::test]
async fn a_key_that_an_access_token_brings_along_verifies_nothing() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    let now = stack.state.clock.now();
    let key = stack.state.keys.current(now).unwrap();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let claims = json!({"iss": stack.issuer, "sub": "nick", "aud": stack.audience,
        "client_id": "client", "scope": "mcp:tools profile email", "exp": now + 600, "iat": now,
        "jti": "1", "name": "Nick Lucas"});
    let status = async |token: String| {
        let arguments = json!({"message": "ping"});
        call(&stack.resource, Wire::V2026, &token, "echo", arguments).await.status
    };
    for kid in [key.kid(), stranger.kid()] {
        for header in headers_with_a_key(&stranger, &server, kid) {
            let forged = raw_jws::sign(&stranger, &header, &claims.to_string());
            assert_eq!(status(forged).await, 401, "{header}");
        }
    }
    // The key that is known by its name verifies, whatever else the header says.
    for header in headers_with_a_key(&stranger, &server, key.kid()) {
        let honest = raw_jws::sign(&key, &header, &claims.to_string());
        assert_eq!(status(honest).await, 200, "{header}");
    }
    assert_eq!(server.hits("/keys"), 0);
}

#[tokio::test]
async fn a_key_that_a_client_assertion_brings_along_verifies_nothing() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let metadata = json!({"token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public_jwk()]}});
    let client = Client::register_as(&stack, metadata).await;
    let now = stack.state.clock.now();
    let prove = async |signer: &SigningKey, header: &str| {
        let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "iat": now,
            "exp": now + 60, "jti": uuid::Uuid::new_v4().to_string()});
        let form = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", "x".into()),
            ("code_verifier", VERIFIER.into()),
            ("client_assertion_type", ASSERTION_TYPE.into()),
            ("client_assertion", raw_jws::sign(signer, header, &claims.to_string())),
        ];
        let answer = Answer::of(http().post(stack.at("/token")).form(&form)).await;
        answer.text("error").to_owned()
    };
    for kid in [key.kid(), stranger.kid()] {
        for header in headers_with_a_key(&stranger, &server, kid) {
            let header = header.replace("at+jwt", "JWT");
            assert_eq!(prove(&stranger, &header).await, "invalid_client", "{header}");
        }
    }
    for header in headers_with_a_key(&stranger, &server, key.kid()) {
        let header = header.replace("at+jwt", "JWT");
        assert_eq!(prove(&key, &header).await, "invalid_grant", "{header}");
    }
    assert_eq!(server.hits("/keys"), 0);
}
