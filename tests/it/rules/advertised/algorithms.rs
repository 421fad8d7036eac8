//! Algorithms: those that this server signs with, and those that it takes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{Algorithm, DpopRequest, SigningKey, TokenType};
use serde_json::{Value, json};
use sha2::Digest;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, http, with},
    stack::{Stack, access_token::claims},
};

use super::{is_listed, listed};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const UNLISTED: [&str; 6] = ["none", "HS256", "ES384", "PS256", "RS1", "ES256K"];

/// A member of a JWT's header.
fn alg(jwt: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["alg"].as_str().unwrap().to_owned()
}

/// The token with another algorithm in its header.
fn relabelled(jwt: &str, alg: &str) -> String {
    let (header, rest) = jwt.split_once('.').unwrap();
    let mut header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["alg"] = json!(alg);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[tokio::test]
async fn proofs_of_each_listed_algorithm_are_taken_and_no_others() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let algorithms = listed(&stack, "dpop_signing_alg_values_supported").await;
    let url = stack.at("/token");
    let prove = |key: &SigningKey| {
        let now = stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        key.dpop_proof(&request).unwrap()
    };
    let mut browser = Browser::default();
    for name in &algorithms {
        let key = SigningKey::generate(name.parse::<Algorithm>().unwrap()).unwrap();
        let form = client.code_form(&client.obtain_code(&mut browser).await);
        let answer = client.post_with_proof("/token", &form, &prove(&key)).await;
        assert_eq!(answer.text("token_type"), "DPoP", "{name}: {}", answer.json);
    }
    let form = client.code_form(&client.obtain_code(&mut browser).await);
    let proof = prove(&SigningKey::generate(Algorithm::ES256).unwrap());
    for name in UNLISTED {
        assert!(!is_listed(&algorithms, name));
        let answer = client.post_with_proof("/token", &form, &relabelled(&proof, name)).await;
        assert_eq!(answer.text("error"), "invalid_dpop_proof", "{name}");
    }
}

#[tokio::test]
async fn client_assertions_of_each_listed_algorithm_are_taken_and_no_others() {
    let stack = Stack::start().await;
    for (name, path) in [
        ("token_endpoint_auth_signing_alg_values_supported", "/token"),
        ("introspection_endpoint_auth_signing_alg_values_supported", "/introspect"),
        ("revocation_endpoint_auth_signing_alg_values_supported", "/revoke"),
    ] {
        let algorithms = listed(&stack, name).await;
        for algorithm in &algorithms {
            let key = SigningKey::generate(algorithm.parse::<Algorithm>().unwrap()).unwrap();
            let client = signer(&stack, &key).await;
            let assertion = assertion(&stack, &client, &key);
            for unlisted in UNLISTED {
                assert!(!is_listed(&algorithms, unlisted));
                let answer = present(&stack, path, &relabelled(&assertion, unlisted)).await;
                assert_eq!(answer.text("error"), "invalid_client", "{unlisted} at {path}");
            }
            let answer = present(&stack, path, &assertion).await;
            assert_ne!(answer.text("error"), "invalid_client", "{algorithm} at {path}");
        }
    }
}

async fn signer(stack: &Stack, key: &SigningKey) -> Client {
    let file = stack.directory().join(key.kid());
    std::fs::write(&file, json!({"keys": [key.public_jwk()]}).to_string()).unwrap();
    let file = file.display().to_string();
    let options = ["--auth-method", "private_key_jwt", "--jwks-file", &file];
    Client::pre_registered(stack, &[&options[..], &["--redirect-uri", REDIRECT_URI]].concat()).await
}

fn assertion(stack: &Stack, client: &Client, key: &SigningKey) -> String {
    let now = stack.state.clock.now();
    let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer, "exp": now + 60,
        "iat": now, "jti": uuid::Uuid::new_v4().to_string()});
    key.sign(TokenType::ClientAssertion, &claims).unwrap()
}

async fn present(stack: &Stack, path: &str, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("token", "x"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    Answer::of(http().post(stack.at(path)).form(&form)).await
}

/// Tokens of a person who let the client know who they are.
async fn with_id_token(client: &Client) -> Answer {
    let mut browser = Browser::default();
    let request = with(client.authorize_parameters(), "scope", "openid mcp:tools");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    let form = client.code_form(&page.query("code").unwrap());
    client.post_authenticated("/token", &form).await
}

#[tokio::test]
async fn an_id_token_names_its_access_token_by_the_hash_of_its_own_algorithm() {
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let stack = Stack::start_with(&["--signing-algorithm", algorithm], &[]).await;
        let tokens = with_id_token(&Client::register(&stack).await).await;
        let access_token = tokens.text("access_token").as_bytes();
        let left_half = match algorithm {
            "EdDSA" => sha2::Sha512::digest(access_token)[..32].to_vec(),
            _ => sha2::Sha256::digest(access_token)[..16].to_vec(),
        };
        let at_hash = &claims(tokens.text("id_token"))["at_hash"];
        assert_eq!(*at_hash, URL_SAFE_NO_PAD.encode(left_half), "{algorithm}");
    }
}

#[tokio::test]
async fn what_this_server_signs_is_signed_as_listed() {
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let options = ["--signing-algorithm", algorithm];
        let stack = Stack::start_with(&options, &[]).await;
        let secret = json!({"token_endpoint_auth_method": "client_secret_basic"});
        let client = Client::register_as(&stack, secret).await;
        let tokens = with_id_token(&client).await;
        let token = tokens.text("access_token");

        let request = http().get(stack.at("/userinfo")).bearer_auth(token);
        let request = request.header("accept", "application/jwt");
        let userinfo = request.send().await.unwrap().text().await.unwrap();
        let request = http().post(stack.at("/introspect")).form(&[("token", token)]);
        let request = request.basic_auth(&client.id, client.secret.as_ref());
        let request = request.header("accept", "application/token-introspection+jwt");
        let introspection = request.send().await.unwrap().text().await.unwrap();
        for (name, jwt) in [
            ("id_token_signing_alg_values_supported", tokens.text("id_token")),
            ("userinfo_signing_alg_values_supported", &userinfo),
            ("introspection_signing_alg_values_supported", &introspection),
        ] {
            assert_eq!(alg(jwt), algorithm, "{name}");
            assert_eq!(listed(&stack, name).await, [algorithm], "{name}");
        }
    }
}
