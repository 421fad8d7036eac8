//! `auth clients`

use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI, http},
        command_line::Outcome,
        operator,
    },
    stack::Stack,
};

async fn clients(stack: &Stack, arguments: &[&str]) -> Outcome {
    operator::run(stack, &[&["clients"], arguments].concat()).await
}

fn parsed(outcome: &Outcome) -> Value {
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// What the token endpoint says of the client itself, whatever it says of the code.
async fn authenticates(stack: &Stack, id: &str, secret: &str) -> bool {
    let form = [("grant_type", "authorization_code"), ("code", "x"), ("code_verifier", VERIFIER)];
    let request = http().post(stack.at("/token")).basic_auth(id, Some(secret)).form(&form);
    Answer::of(request).await.text("error") == "invalid_grant"
}

const VERIFIER: &str = tests::programs::client::VERIFIER;
const WEB: [&str; 4] = ["--redirect-uri", REDIRECT_URI, "--auth-method", "client_secret_post"];

#[tokio::test]
async fn an_entered_client_signs_in_and_its_secret_is_shown_only_once() {
    let stack = Stack::start().await;
    let client = Client::pre_registered(&stack, &WEB).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    let mut form = client.code_form(&code);
    form.push(("client_secret", client.secret.clone().unwrap()));
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert!(answer.json["refresh_token"].is_string());

    let secret = client.secret.unwrap();
    for command in [&["show", &client.id][..], &["show", &client.id, "--json"], &["list"]] {
        let outcome = clients(&stack, command).await;
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stdout.contains(&client.id), "{}", outcome.stdout);
        let hash = auth::oauth::secret::hash(&secret);
        assert!(!outcome.stdout.contains(&secret) && !outcome.stdout.contains(&hash));
    }
}

#[tokio::test]
async fn two_secrets_are_live_during_a_rotation_and_one_after_it() {
    let stack = Stack::start().await;
    let client = Client::pre_registered(&stack, &["--redirect-uri", REDIRECT_URI]).await;
    let old = client.secret.clone().unwrap();
    let rotate = ["rotate-secret", &client.id, "--keep-old", "600", "--json"];
    let new = parsed(&clients(&stack, &rotate).await)["client_secret"].clone();
    let new = new.as_str().unwrap();
    assert!(authenticates(&stack, &client.id, &old).await);
    assert!(authenticates(&stack, &client.id, new).await);
    stack.advance(601);
    assert!(!authenticates(&stack, &client.id, &old).await);
    assert!(authenticates(&stack, &client.id, new).await);

    let at_once = ["rotate-secret", &client.id, "--keep-old", "0", "--json"];
    let newest = parsed(&clients(&stack, &at_once).await)["client_secret"].clone();
    assert!(!authenticates(&stack, &client.id, new).await);
    assert!(authenticates(&stack, &client.id, newest.as_str().unwrap()).await);
}

#[tokio::test]
async fn a_removed_client_is_unknown_and_what_it_was_granted_has_ended() {
    let stack = Stack::start().await;
    let public = ["--redirect-uri", REDIRECT_URI, "--auth-method", "none"];
    let client = Client::pre_registered(&stack, &public).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert_eq!(clients(&stack, &["remove", &client.id]).await.code, 0);
    let answer = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
    let user = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    assert_eq!(Answer::of(user).await.status, 401);
    let again = clients(&stack, &["remove", &client.id]).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("auth clients list"), "{}", again.stderr);
}

#[tokio::test]
async fn everything_said_of_a_client_is_shown_again_by_the_standards_names() {
    let stack = Stack::start().await;
    let options = "--id web-app --redirect-uri https://app.test/cb --scope mcp:tools \
        --require-pushed-authorization-requests --dpop-bound-access-tokens \
        --access-token-format opaque --post-logout-redirect-uri https://app.test/bye \
        --backchannel-logout-uri https://app.test/logout";
    let options: Vec<&str> = options.split_whitespace().collect();
    let client = Client::pre_registered(&stack, &options).await;
    assert_eq!(client.id, "web-app");
    let mut shown = parsed(&clients(&stack, &["show", "web-app", "--json"]).await);
    shown.as_object_mut().unwrap().remove("created_at").unwrap();
    assert_eq!(
        shown,
        json!({
            "client_id": "web-app",
            "client_name": "Entered client",
            "token_endpoint_auth_method": "client_secret_basic",
            "application_type": "web",
            "scope": "mcp:tools",
            "backchannel_logout_uri": "https://app.test/logout",
            "access_token_format": "opaque",
            "redirect_uris": ["https://app.test/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "post_logout_redirect_uris": ["https://app.test/bye"],
            "require_pushed_authorization_requests": true,
            "dpop_bound_access_tokens": true,
        })
    );
}

#[tokio::test]
async fn a_client_that_could_not_work_is_refused_with_what_to_change() {
    let stack = Stack::start().await;
    let refused: [(&[&str], &str); 12] = [
        (&[], "--redirect-uri"),
        (&["--redirect-uri", "http://app.test/cb"], "https"),
        (&["--redirect-uri", "https://app.test/cb?iss=x"], "\"iss\""),
        (&["--redirect-uri", "shell:startup"], "with a dot"),
        (
            &[
                "--redirect-uri",
                REDIRECT_URI,
                "--post-logout-redirect-uri",
                "https://a.test?state=x",
            ],
            "\"state\"",
        ),
        (&["--redirect-uri", "https://app.test/cb", "--id", "a b"], "letters"),
        (&["--redirect-uri", "https://app.test/cb", "--id", "dyn_1"], "dyn_"),
        (&["--redirect-uri", "https://app.test/cb", "--auth-method", "x"], "client_secret_basic"),
        (&["--redirect-uri", "https://app.test/cb", "--grant-type", "password"], "refresh_token"),
        (&["--redirect-uri", "https://app.test/cb", "--jwks-file", "/nonexistent"], "jwks-file"),
        (&["--resource", "https://mcp.test", "--auth-method", "none"], "authenticate"),
        (&["--grant-type", "authorization_code"], "--redirect-uri"),
    ];
    for (options, hint) in refused {
        let outcome = clients(&stack, &[&["add", "--name", "A client"], options].concat()).await;
        assert_eq!(outcome.code, 1, "{options:?}");
        assert!(
            outcome.stderr.starts_with("error: ") && outcome.stderr.contains(hint),
            "{outcome:?}"
        );
        assert_eq!(outcome.stdout, "");
    }
    assert_eq!(parsed(&clients(&stack, &["list", "--json"]).await), json!([]));
}

#[tokio::test]
async fn a_client_id_is_given_once() {
    let stack = Stack::start().await;
    let options = ["--id", "app", "--redirect-uri", REDIRECT_URI];
    Client::pre_registered(&stack, &options).await;
    let again = clients(&stack, &[&["add", "--name", "Again"], &options[..]].concat()).await;
    assert!(again.stderr.contains("already"), "{}", again.stderr);
}
