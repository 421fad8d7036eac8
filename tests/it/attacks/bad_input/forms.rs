//! The endpoints that take a form and answer JSON.

use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http, with},
    stack::Stack,
};

use super::{Flaw, assert_is_error};

type Form = Vec<(&'static str, String)>;

/// A valid request, and which of its parameters it could do without.
struct Case {
    path: &'static str,
    form: Form,
    optional: &'static [&'static str],
    /// What a long value, or one of control characters, may be taken for.
    errors: &'static [&'static str],
}

async fn send(stack: &Stack, path: &str, body: String) -> Answer {
    let form = "application/x-www-form-urlencoded";
    Answer::of(http().post(stack.at(path)).header("content-type", form).body(body)).await
}

async fn confidential(stack: &Stack) -> Client {
    let metadata = serde_json::json!({
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code"],
    });
    Client::register_as(stack, metadata).await
}

fn with_credentials(client: &Client, rest: &[(&'static str, &str)]) -> Form {
    let mut form: Form = rest.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    form.push(("client_id", client.id.clone()));
    form.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
    form
}

/// Tries every flaw of every parameter. What a request may do without is left out of those that
/// would be valid, and so would use something up.
async fn try_everything(stack: &Stack, case: &Case) {
    for (name, _) in &case.form {
        for flaw in Flaw::ALL {
            let is_optional = case.optional.contains(name);
            if is_optional && matches!(flaw, Flaw::Missing | Flaw::Empty)
                || *name == "resource" && flaw == Flaw::Doubled
            {
                continue;
            }
            let context = format!("{} {name} {flaw:?}", case.path);
            let answer = send(stack, case.path, flaw.in_form(&case.form, name)).await;
            let error = assert_is_error(&answer, &context);
            let expected: &[&str] = match *name {
                _ if flaw.is_invalid_request() => &["invalid_request"],
                "client_id" | "client_secret" => &["invalid_client"],
                _ if matches!(flaw, Flaw::Missing | Flaw::Empty) => &["invalid_request"],
                _ => case.errors,
            };
            assert!(expected.contains(&error.as_str()), "{context}: {error} {}", answer.json);
        }
    }
}

#[tokio::test]
async fn a_code_survives_every_flawed_exchange() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let mut form = client.code_form(&code);
    form.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
    let case = Case {
        path: "/token",
        form: form.clone(),
        optional: &["redirect_uri", "resource"],
        errors: &["invalid_request", "invalid_grant", "invalid_target", "unsupported_grant_type"],
    };
    try_everything(&stack, &case).await;
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn a_refresh_token_survives_every_flawed_refresh() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let mut form = client.code_form(&code);
    form.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
    let tokens = client.post("/token", &form).await;
    let form = with_credentials(
        &client,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.text("refresh_token")),
            ("scope", "mcp:tools"),
            ("resource", &stack.resource),
        ],
    );
    let case = Case {
        path: "/token",
        form: form.clone(),
        optional: &["scope", "resource"],
        errors: &[
            "invalid_request",
            "invalid_grant",
            "invalid_scope",
            "invalid_target",
            "unsupported_grant_type",
        ],
    };
    try_everything(&stack, &case).await;
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn a_device_code_survives_every_flawed_poll() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let form = with_credentials(&client, &[("scope", "mcp:tools"), ("resource", &stack.resource)]);
    let case = Case {
        path: "/device_authorization",
        form: form.clone(),
        optional: &["scope", "resource"],
        errors: &["invalid_scope", "invalid_target"],
    };
    try_everything(&stack, &case).await;
    let device = client.post("/device_authorization", &form).await;
    assert_eq!(device.status, 200, "{}", device.json);
    let form = with_credentials(
        &client,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device.text("device_code")),
        ],
    );
    let case = Case {
        path: "/token",
        form: form.clone(),
        optional: &[],
        errors: &["invalid_request", "invalid_grant", "unsupported_grant_type"],
    };
    try_everything(&stack, &case).await;
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.text("error"), "authorization_pending", "{}", answer.json);
}

#[tokio::test]
async fn a_pushed_request_is_judged_parameter_by_parameter() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let mut form = client.authorize_parameters();
    form.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
    form.extend([("nonce", "n".into()), ("prompt", "login".into()), ("max_age", "60".into())]);
    // What a client may say in any words is as good with control characters: it comes back to it.
    form.retain(|(name, _)| !["state", "nonce"].contains(name));
    let case = Case {
        path: "/par",
        form: form.clone(),
        optional: &["resource", "scope", "prompt", "max_age", "redirect_uri"],
        errors: &[
            "invalid_request",
            "invalid_scope",
            "invalid_target",
            "unsupported_response_type",
            "invalid_redirect_uri",
        ],
    };
    form.retain(|(name, _)| *name != "prompt");
    try_everything(&stack, &Case { form: form.clone(), ..case }).await;
    assert_eq!(client.post("/par", &form).await.status, 201);
}

#[tokio::test]
async fn thousands_of_scopes_are_refused_wherever_they_are_asked_for() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let secret = client.secret.clone().unwrap();
    for (path, form) in [
        ("/par", client.authorize_parameters()),
        ("/device_authorization", vec![]),
        ("/token", vec![("grant_type", "refresh_token".into()), ("refresh_token", "x".into())]),
    ] {
        let form = with(with(form, "client_id", &client.id), "client_secret", &secret);
        let form = with(form, "scope", &super::thousands_of_scopes());
        let error = assert_is_error(&client.post(path, &form).await, path);
        assert_eq!(error, "invalid_scope", "{path}");
    }
}

#[tokio::test]
async fn asking_and_revoking_touch_no_token_that_was_not_named() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let mut form = client.code_form(&code);
    form.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
    let tokens = client.post("/token", &form).await;
    for path in ["/introspect", "/revoke"] {
        let form = with_credentials(&client, &[("token", tokens.text("refresh_token"))]);
        for (name, _) in &form {
            for flaw in Flaw::ALL {
                let context = format!("{path} {name} {flaw:?}");
                let answer = send(&stack, path, flaw.in_form(&form, name)).await;
                // An unknown token is not an error at either (RFC 7662 §2.2, RFC 7009 §2.2).
                let is_other =
                    *name == "token" && matches!(flaw, Flaw::Long | Flaw::ControlCharacters);
                if is_other {
                    assert_eq!(answer.status, 200, "{context}: {}", answer.json)
                } else {
                    drop(assert_is_error(&answer, &context))
                }
            }
        }
        let form = with_credentials(&client, &[("token", tokens.text("refresh_token"))]);
        let known = client.post("/introspect", &form).await;
        assert_eq!(known.json["active"], true, "{}", known.json);
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_not_read() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let body = "grant_type=authorization_code&client_id=a";
    for path in ["/token", "/introspect", "/revoke", "/par", "/device_authorization"] {
        for media_type in ["application/json", "multipart/form-data; boundary=a", "text/plain", ""]
        {
            let request = http().post(stack.at(path)).header("content-type", media_type).body(body);
            let answer = Answer::of(request).await;
            let error = assert_is_error(&answer, &format!("{path} {media_type}"));
            assert_eq!(error, "invalid_request", "{path} {media_type}");
        }
        for body in ["", "&&&==", "\u{0}", "{}", "grant_type", "%", "%zz=%"] {
            let answer = send(&stack, path, body.into()).await;
            assert_is_error(&answer, &format!("{path} {body:?}"));
        }
        let query = format!("{path}?client_id={}", client.id);
        let answer = send(&stack, &query, String::new()).await;
        assert_eq!(answer.status, 401, "{path} took parameters of the query: {}", answer.json);
        let answer = http().get(stack.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
    }
}
