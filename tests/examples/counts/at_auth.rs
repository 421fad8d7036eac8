//! Cases of the authorization server: requests through its router, without sockets.

use auth::testing;
use axum::extract::Request;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    Request as Builder,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE},
};
use serde_json::json;
use tests::{people::browser::Browser, programs::client::Client, stack::Stack};

use crate::{Case, Header, PREPARED, Requests, addressed, get, path, post};

pub(crate) const CASES: &[Case] = &[
    ("metadata", 200),
    ("jwks", 200),
    ("revocations", 200),
    ("health", 500),
    ("sign_in_page", 100),
    ("authorize", 50),
    ("consent_page", 50),
    ("consent", 25),
    ("code", 25),
    ("refresh", 25),
    ("client_credentials", 50),
    ("introspect", 100),
    ("userinfo", 100),
    ("register", 100),
];

/// What one case sends, and the status that it expects.
pub(crate) async fn requests(case: &str, stack: &Stack) -> Requests {
    let (status, next) = match case {
        "sign_in_page" => (200, document(stack, "/sign-in")),
        "metadata" => (200, document(stack, "/.well-known/oauth-authorization-server")),
        "jwks" => (200, document(stack, "/jwks")),
        "health" => (200, document(stack, "/health")),
        "revocations" => (200, document(stack, "/revocations?after=0")),
        "register" => (201, registrations(stack)),
        "client_credentials" | "introspect" => (200, of_machine(case, stack).await),
        _ => of_user(case, stack).await,
    };
    Requests { router: testing::router(stack.state.clone()), status, next }
}

type Next = Box<dyn FnMut() -> Request>;

fn document(stack: &Stack, path: &str) -> Next {
    let url = stack.at(path);
    Box::new(move || get(&url, ""))
}

fn registrations(stack: &Stack) -> Next {
    let url = stack.at("/register");
    let body = json!({"client_name": "Counted client", "redirect_uris": ["http://127.0.0.1:1/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none"});
    Box::new(move || {
        let builder = addressed(Builder::post(path(&url)), &url);
        let builder = builder.header(CONTENT_TYPE, "application/json");
        builder.body(body.to_string().into()).expect("a request")
    })
}

/// Requests of a client that acts for itself, which the operator entered.
async fn of_machine(case: &str, stack: &Stack) -> Next {
    let options = ["--grant-type", "client_credentials", "--scope", "mcp:tools"];
    let client = Client::pre_registered(stack, &options).await;
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("scope", "mcp:tools".to_owned()),
        ("resource", stack.audience.clone()),
    ];
    let secret = client.secret.clone().unwrap_or_default();
    let credentials = STANDARD.encode(format!("{}:{secret}", client.id));
    let basic: Header = (AUTHORIZATION, format!("Basic {credentials}"));
    if case == "client_credentials" {
        let url = stack.at("/token");
        return Box::new(move || post(&url, &form, Some(basic.clone())));
    }
    let answer = client.post_authenticated("/token", &form).await;
    let form = [("token", answer.text("access_token").to_owned())];
    let url = stack.at("/introspect");
    Box::new(move || post(&url, &form, Some(basic.clone())))
}

/// Requests of a user who is signed in, or of a client with this user's tokens.
async fn of_user(case: &str, stack: &Stack) -> (u16, Next) {
    let client = Client::register(stack).await;
    let mut browser = Browser::default();
    let tokens = client.obtain_tokens(&mut browser).await;
    let authorize = client.authorize_url(&client.authorize_parameters());
    let token = stack.at("/token");
    match case {
        "authorize" => {
            let cookies = browser.cookies_for(&stack.issuer);
            (303, Box::new(move || get(&authorize, &cookies)))
        }
        "consent_page" => {
            let page = browser.open(&authorize).await.url.to_string();
            let cookies = browser.cookies_for(&stack.issuer);
            (200, Box::new(move || get(&page, &cookies)))
        }
        "consent" => {
            let mut forms = Vec::new();
            for _ in 0..PREPARED {
                let request = browser.open(&authorize).await.hidden("request");
                forms.push([("request", request), ("decision", "allow".to_owned())]);
            }
            let cookies = (COOKIE, browser.cookies_for(&stack.issuer));
            let url = stack.at("/consent");
            let scopes = ["profile", "email"].map(|scope| ("scope", scope.to_owned()));
            let forms = forms.into_iter().map(move |form| {
                post(&url, &[form, scopes.clone()].concat(), Some(cookies.clone()))
            });
            (303, prepared(forms))
        }
        "code" => {
            let mut forms = Vec::new();
            for _ in 0..PREPARED {
                let code = client.obtain_code(&mut browser).await;
                forms.push(client.code_form(&code));
            }
            (200, prepared(forms.into_iter().map(move |form| post(&token, &form, None))))
        }
        "refresh" => {
            let mut forms = Vec::new();
            for _ in 0..PREPARED {
                let tokens = client.obtain_tokens(&mut browser).await;
                forms.push(client.refresh_form(tokens.text("refresh_token")));
            }
            (200, prepared(forms.into_iter().map(move |form| post(&token, &form, None))))
        }
        _ => {
            let bearer = (AUTHORIZATION, format!("Bearer {}", tokens.text("access_token")));
            let url = stack.at("/userinfo");
            let form: [(&str, &str); 0] = [];
            (200, Box::new(move || post(&url, &form, Some(bearer.clone()))))
        }
    }
}

/// Requests that can be sent once each.
fn prepared(requests: impl Iterator<Item = Request>) -> Next {
    let mut requests = requests.collect::<Vec<_>>().into_iter();
    Box::new(move || requests.next().expect("a request that was prepared"))
}
