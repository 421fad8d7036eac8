//! Grants, and the ways in which clients prove themselves.

use keys::{Algorithm, SigningKey, TokenType};
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI, http},
        operator,
    },
    servers::trusted_issuer::{TrustedIssuer, WORKLOAD_CLIENT},
    stack::Stack,
};

use super::{is_listed, listed};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn own_token(client: &Client) -> Answer {
    let form = [("grant_type", "client_credentials".to_owned())];
    client.post_authenticated("/token", &form).await
}

/// Uses a grant the way it is meant; `None` if this test does not know how.
async fn uses(stack: &Stack, issuer: &TrustedIssuer, grant: &str) -> Option<Answer> {
    let public = Client::register(stack).await;
    Some(match grant {
        "authorization_code" => public.obtain_tokens(&mut Browser::default()).await,
        "refresh_token" => {
            let tokens = public.obtain_tokens(&mut Browser::default()).await;
            public.refresh(tokens.text("refresh_token")).await
        }
        "client_credentials" => {
            own_token(&Client::pre_registered(stack, &["--grant-type", grant]).await).await
        }
        TOKEN_EXCHANGE => {
            let options = ["--grant-type", grant, "--resource", &stack.audience];
            let server = Client::pre_registered(stack, &options).await;
            let tokens = public.obtain_tokens(&mut Browser::default()).await;
            let form = [
                ("grant_type", grant.to_owned()),
                ("subject_token", tokens.text("access_token").to_owned()),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token".to_owned()),
            ];
            server.post_authenticated("/token", &form).await
        }
        JWT_BEARER => {
            let options =
                ["--id", WORKLOAD_CLIENT, "--auth-method", "none", "--grant-type", JWT_BEARER];
            let workload = Client::pre_registered(stack, &options).await;
            let assertion = issuer.workload(stack, &json!({}));
            let form = [("grant_type", grant.to_owned()), ("assertion", assertion)];
            workload.post("/token", &form).await
        }
        _ => return None,
    })
}

/// A device gets its codes, and waits for its person. Their answer is tested elsewhere.
async fn device_waits(stack: &Stack) {
    let grants = json!({"grant_types": ["authorization_code", DEVICE_CODE]});
    let client = Client::register_as(stack, grants).await;
    let form = [("client_id", client.id.clone())];
    let codes = client.post("/device_authorization", &form).await;
    let form = [
        ("grant_type", DEVICE_CODE.to_owned()),
        ("client_id", client.id.clone()),
        ("device_code", codes.text("device_code").to_owned()),
    ];
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.text("error"), "authorization_pending", "{}", answer.json);
}

#[tokio::test]
async fn each_listed_grant_gives_tokens_and_any_other_is_unsupported() {
    let issuer = TrustedIssuer::default();
    let stack = issuer.trusted(&json!({})).await;
    let grants = listed(&stack, "grant_types_supported").await;
    for grant in &grants {
        if grant == DEVICE_CODE {
            device_waits(&stack).await;
            continue;
        }
        let answer = uses(&stack, &issuer, grant).await;
        assert!(answer.is_some(), "{grant} is listed, and no test uses it");
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{grant}: {}", answer.json);
        assert!(!answer.text("access_token").is_empty(), "{grant}");
    }
    let client = Client::register(&stack).await;
    for grant in [
        "password",
        "implicit",
        "urn:openid:params:grant-type:ciba",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "Authorization_Code",
    ] {
        assert!(!is_listed(&grants, grant));
        let form = [("grant_type", grant.to_owned()), ("client_id", client.id.clone())];
        let answer = client.post("/token", &form).await;
        assert_eq!(answer.text("error"), "unsupported_grant_type", "{grant}");
    }
}

#[tokio::test]
async fn assertions_are_listed_only_where_an_issuer_is_trusted() {
    let stack = Stack::start().await;
    assert!(!is_listed(&listed(&stack, "grant_types_supported").await, JWT_BEARER));
    let profile = "urn:ietf:params:oauth:grant-profile:id-jag";
    let stack = TrustedIssuer::default().trusted(&json!({})).await;
    assert!(is_listed(&listed(&stack, "grant_types_supported").await, JWT_BEARER));
    assert_eq!(listed(&stack, "authorization_grant_profiles_supported").await, [profile]);
}

#[tokio::test]
async fn each_listed_way_to_authenticate_works_at_its_endpoint() {
    let stack = Stack::start().await;
    for (name, path) in [
        ("token_endpoint_auth_methods_supported", "/token"),
        ("introspection_endpoint_auth_methods_supported", "/introspect"),
        ("revocation_endpoint_auth_methods_supported", "/revoke"),
    ] {
        for method in listed(&stack, name).await {
            let answer = authenticate(&stack, path, &method).await;
            assert!(answer.is_some(), "{method} is listed, and no test uses it");
            let answer = answer.unwrap();
            assert_ne!(answer.text("error"), "invalid_client", "{method} at {path}");
            assert!(answer.status.as_u16() < 500, "{method} at {path}");
        }
    }
    let introspection = listed(&stack, "introspection_endpoint_auth_methods_supported").await;
    assert!(!is_listed(&introspection, "none"));
    let answer = authenticate(&stack, "/introspect", "none").await.unwrap();
    assert_eq!(answer.text("error"), "invalid_client");
}

#[tokio::test]
async fn ways_to_authenticate_that_are_not_listed_cannot_be_entered() {
    let stack = Stack::start().await;
    let methods = listed(&stack, "token_endpoint_auth_methods_supported").await;
    for method in ["client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"] {
        assert!(!is_listed(&methods, method));
        let options = ["clients", "add", "--name", "X", "--grant-type", "client_credentials"];
        let options = [&options[..], &["--auth-method", method]].concat();
        let refused = operator::carry_out(&stack, &options).await.unwrap_err();
        assert!(refused.contains("--auth-method"), "{refused}");
    }
}

/// A request to `path` by a client that proves itself so; `None` if this test does not know how.
async fn authenticate(stack: &Stack, path: &str, method: &str) -> Option<Answer> {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let file = stack.directory().join(key.kid());
    std::fs::write(&file, json!({"keys": [key.public_jwk()]}).to_string()).unwrap();
    let file = file.display().to_string();
    let mut options = vec!["--auth-method", method, "--redirect-uri", REDIRECT_URI];
    if method == "private_key_jwt" {
        options.extend(["--jwks-file", &file]);
    }
    let client = Client::pre_registered(stack, &options).await;
    let id = ("client_id", client.id.clone());
    let request = http().post(stack.at(path));
    let grant = ("grant_type", "refresh_token".to_owned());
    let mut form = vec![("token", "x".to_owned()), grant, ("refresh_token", "x".to_owned())];
    let secret = client.secret.clone().unwrap_or_default();
    let request = match method {
        "client_secret_basic" => request.basic_auth(&client.id, Some(secret)).form(&form),
        "client_secret_post" => {
            form.extend([id, ("client_secret", secret)]);
            request.form(&form)
        }
        "private_key_jwt" => {
            let now = stack.state.clock.now();
            let claims = json!({"iss": client.id, "sub": client.id, "aud": stack.issuer,
                "exp": now + 60, "iat": now, "jti": uuid::Uuid::new_v4().to_string()});
            let assertion = key.sign(TokenType::ClientAssertion, &claims).unwrap();
            let kind = ("client_assertion_type", ASSERTION_TYPE.to_owned());
            form.extend([kind, ("client_assertion", assertion)]);
            request.form(&form)
        }
        "none" => {
            form.push(id);
            request.form(&form)
        }
        _ => return None,
    };
    Some(Answer::of(request).await)
}
