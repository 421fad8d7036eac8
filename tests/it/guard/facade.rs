//! Clients of 2025-03-26 find the authorization server at the MCP server's own origin.

use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, REDIRECT_URI, VERIFIER, http},
        mcp_client::{message, post as mcp_post},
        raw_http::RawHttp,
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::claims},
};
use url::Url;

fn origin(stack: &Stack) -> &str {
    stack.resource.strip_suffix("/mcp").unwrap()
}

async fn metadata(stack: &Stack) -> Value {
    let url = format!("{}/.well-known/oauth-authorization-server", origin(stack));
    Answer::of(http().get(url).header("mcp-protocol-version", "2025-03-26")).await.json
}

fn endpoint(metadata: &Value, name: &str) -> String {
    metadata[name].as_str().unwrap().to_owned()
}

/// Registers as a client with a secret; id and secret.
async fn register(metadata: &Value) -> (String, String) {
    let request = json!({"client_name": "Old client", "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic"});
    let url = endpoint(metadata, "registration_endpoint");
    let answer = Answer::of(http().post(url).json(&request)).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    (answer.text("client_id").into(), answer.text("client_secret").into())
}

/// The authorization request of a client that never heard of resources.
fn authorization_request(metadata: &Value, client_id: &str) -> Url {
    let challenge = {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        use sha2::Digest;
        URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(VERIFIER.as_bytes()))
    };
    let parameters = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", REDIRECT_URI),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "the-state"),
    ];
    Url::parse_with_params(&endpoint(metadata, "authorization_endpoint"), parameters).unwrap()
}

async fn code(url: &Url) -> String {
    let mut browser = Browser::default();
    let page = browser.open(url.as_str()).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    let page = browser.press(&page, "decision", "allow").await;
    page.query("code").unwrap()
}

fn exchange(metadata: &Value, client: (&str, &str), form: &[(&str, &str)]) -> RequestBuilder {
    let url = endpoint(metadata, "token_endpoint");
    http().post(url).basic_auth(client.0, Some(client.1)).form(form)
}

#[tokio::test]
async fn a_client_that_knows_only_2025_03_26_signs_in_with_a_secret_and_calls_a_tool() {
    let stack = Stack::start().await;
    let metadata = metadata(&stack).await;
    for name in ["authorization", "token", "registration", "revocation"] {
        let url = endpoint(&metadata, &format!("{name}_endpoint"));
        assert!(url.starts_with(origin(&stack)), "{url}");
    }
    let (id, secret) = register(&metadata).await;
    let code = code(&authorization_request(&metadata, &id)).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT_URI),
    ];
    let wrong = Answer::of(exchange(&metadata, (&id, "wrong"), &form)).await;
    assert_eq!((wrong.status.as_u16(), wrong.text("error")), (401, "invalid_client"));
    let tokens = Answer::of(exchange(&metadata, (&id, &secret), &form)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    assert_eq!(tokens.headers["cache-control"], "no-store");
    let token = tokens.text("access_token").to_owned();
    assert_eq!(claims(&token)["aud"], stack.resource.as_str());
    assert_eq!(claims(&token)["iss"], metadata["issuer"]);

    let hello = json!({"protocolVersion": "2025-03-26", "capabilities": {},
        "clientInfo": {"name": "old", "version": "1"}});
    let hello = Answer::of(mcp_post(&stack.resource, &token).json(&message("initialize", hello)));
    let hello = hello.await;
    assert_eq!(hello.json["result"]["protocolVersion"], "2025-03-26");
    let session = hello.headers["mcp-session-id"].to_str().unwrap();
    let call = json!({"name": "echo", "arguments": {"message": "ping pong"}});
    let request = mcp_post(&stack.resource, &token).header("mcp-session-id", session);
    let answer = Answer::of(request.json(&message("tools/call", call))).await;
    let text = &answer.json["result"]["content"][0]["text"];
    assert_eq!(text, "Hello Nick Lucas: ping pong", "{}", answer.json);

    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", tokens.text("refresh_token"))];
    let refreshed = Answer::of(exchange(&metadata, (&id, &secret), &refresh)).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.json);
    let revocation = http()
        .post(endpoint(&metadata, "revocation_endpoint"))
        .basic_auth(&id, Some(&secret))
        .form(&[("token", refreshed.text("refresh_token"))]);
    assert_eq!(Answer::of(revocation).await.status, 200);
    let again =
        [("grant_type", "refresh_token"), ("refresh_token", refreshed.text("refresh_token"))];
    let ended = Answer::of(exchange(&metadata, (&id, &secret), &again)).await;
    assert_eq!(ended.text("error"), "invalid_grant");
}

#[tokio::test]
async fn what_the_authorization_server_does_not_have_is_not_advertised() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let document = json!({"issuer": issuer, "registration_endpoint": "",
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token")});
    let router = Router::new()
        .route("/.well-known/oauth-authorization-server", get(async || Json(document)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let stack = Stack::start_with(&[], &["--issuer", &issuer]).await;
    let metadata = metadata(&stack).await;
    assert!(metadata["token_endpoint"].is_string(), "{metadata}");
    for (name, path) in [("registration_endpoint", "/register"), ("revocation_endpoint", "/revoke")]
    {
        assert_eq!(metadata.get(name), None, "{name}");
        let answer = Answer::of(http().post(format!("{}{path}", origin(&stack))).body("{}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_metadata_is_cached_for_each_spelling_of_the_host() {
    let stack = Stack::start().await;
    let url = format!("{}/.well-known/oauth-authorization-server", origin(&stack));
    let by_address = url.replace("localhost", "127.0.0.1");
    let one = Answer::of(http().get(url)).await;
    let other = Answer::of(http().get(by_address)).await;
    assert_ne!(one.json["token_endpoint"], other.json["token_endpoint"]);
    let mut vary = one.headers.get_all("vary").iter();
    assert!(vary.any(|value| value == "host"), "{:?}", one.headers);
}

#[tokio::test]
async fn a_request_for_another_resource_or_for_several_is_refused() {
    let stack = Stack::start().await;
    let metadata = metadata(&stack).await;
    let url = authorization_request(&metadata, "c");
    for resources in ["&resource=https://other.test", "&resource=", "&resource=a&resource=b"] {
        let answer = Answer::of(http().get(format!("{url}{resources}"))).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "invalid_target"));
    }
    let own = Answer::of(http().get(format!("{url}&resource={}", stack.resource))).await;
    assert_eq!(own.status, 302);
    assert!(own.headers["location"].to_str().unwrap().starts_with(&stack.issuer));
}

#[tokio::test]
async fn an_outage_is_an_outage_in_json() {
    let mut stack = Stack::start().await;
    stack.stop_auth().await;
    for path in ["/token", "/register", "/revoke"] {
        let url = format!("{}{path}", origin(&stack));
        let answer = Answer::of(http().post(url).form(&[("a", "b")])).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text("error")),
            (503, "temporarily_unavailable")
        );
        assert_eq!(answer.headers["retry-after"], "5");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn one_setting_takes_the_facade_away() {
    let stack = Stack::start_with(&[], &["--facade", "false"]).await;
    let well_known = "/.well-known/oauth-authorization-server";
    for path in [well_known, "/authorize", "/token", "/register", "/revoke"] {
        let url = format!("{}{path}", origin(&stack));
        assert_eq!(Answer::of(http().get(&url)).await.status, 404, "{path}");
        assert_eq!(Answer::of(http().post(&url)).await.status, 404, "{path}");
    }
}

/// An authorization server that shows what reaches it, and answers as none should.
async fn odd_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let document = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/page"),
        "revocation_endpoint": format!("{issuer}/elsewhere")});
    let shown = async |request: Request| {
        let names: Vec<String> = request.headers().keys().map(ToString::to_string).collect();
        let headers = [(header::SET_COOKIE, "a=b"), (header::LOCATION, "https://as.test/internal")];
        (headers, Json(json!({"headers": names, "path": request.uri().path()})))
    };
    let page = async || (StatusCode::INTERNAL_SERVER_ERROR, "<h1>stack trace</h1>").into_response();
    let elsewhere = async || (StatusCode::FOUND, [(header::LOCATION, "/token")]).into_response();
    let router = Router::new()
        .route("/.well-known/oauth-authorization-server", get(async || Json(document)))
        .route("/token", post(shown))
        .route("/page", post(page))
        .route("/elsewhere", post(elsewhere));
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

#[tokio::test]
async fn only_what_is_needed_crosses_in_either_direction() {
    let issuer = odd_server().await;
    let stack = Stack::start_with(&[], &["--issuer", &issuer]).await;
    let at = |path: &str| format!("{}{path}", origin(&stack));
    let mut odd = HeaderMap::new();
    for (name, value) in [
        ("cookie", "session=1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-auth-user", "admin"),
        ("host", "evil.test"),
    ] {
        odd.insert(name, value.parse().unwrap());
    }
    let request =
        http().post(at("/token?@evil.test")).headers(odd).basic_auth("id", Some("secret"));
    let answer = Answer::of(request.form(&[("a", "b")])).await;
    assert_eq!(answer.json["path"], "/token");
    let crossed = answer.json["headers"].to_string();
    for name in ["authorization", "content-type"] {
        assert!(crossed.contains(name), "{crossed}");
    }
    for name in ["cookie", "x-forwarded-for", "x-auth-user"] {
        assert!(!crossed.contains(name), "{crossed}");
    }
    assert_eq!((answer.headers.get("set-cookie"), answer.headers.get("location")), (None, None));
    for path in ["/register", "/revoke"] {
        let answer = Answer::of(http().post(at(path)).body("{}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text("error")),
            (503, "temporarily_unavailable")
        );
    }
    let large = Answer::of(http().post(at("/token")).body("x".repeat(65 * 1024))).await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_mistake_of_its_sender_and_no_outage() {
    let issuer = DocumentServer::start().await;
    let place = "/.well-known/oauth-authorization-server";
    let document = json!({"issuer": issuer.url, "token_endpoint": issuer.at("/token")});
    issuer.put(place, Document::json(&document));
    issuer.put("/token", Document::json(&json!({"token_type": "Bearer"})));
    let stack = Stack::start_with(&[], &["--issuer", &issuer.url]).await;
    let send = async |body: &str| {
        let mut raw = RawHttp::connect(&stack.resource).await;
        let head = "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        raw.send(&format!("POST /token HTTP/1.1\r\n{head}{body}")).await.status
    };
    let too_long = format!("10001\r\n{}\r\n0\r\n\r\n", "x".repeat(0x10001));
    for broken in ["x", "5\r\n0123456", &too_long] {
        assert_eq!(send(broken).await, 400, "{:.20}", broken);
    }
    assert_eq!(issuer.hits("/token"), 0);
    assert_eq!(send("3\r\na=b\r\n0\r\n\r\n").await, 200);
    assert_eq!((issuer.hits("/token"), issuer.last_body("/token")), (1, "a=b".into()));
    // None of them made the server ask again where the authorization server is.
    assert_eq!(issuer.hits(place), 1);
}

#[tokio::test]
async fn behind_the_facade_each_client_needs_its_own_consent_and_its_own_verifier() {
    let stack = Stack::start().await;
    let metadata = metadata(&stack).await;
    let (one, one_secret) = register(&metadata).await;
    let (other, _) = register(&metadata).await;
    let url = authorization_request(&metadata, &one);
    let query = url.query().unwrap().replace("code_challenge=", "x=");
    let mut without = url.clone();
    without.set_query(Some(&query));
    let mut browser = Browser::default();
    let page = browser.open(without.as_str()).await;
    assert_eq!(page.query("error").as_deref(), Some("invalid_request"), "{}", page.url);

    let page = browser.open(url.as_str()).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    let page = browser.press(&page, "decision", "allow").await;
    assert_eq!(page.query("iss"), Some(stack.issuer.clone()));
    let code = page.query("code").unwrap();
    // The same browser has allowed one client, and not the other.
    let page = browser.open(authorization_request(&metadata, &other).as_str()).await;
    assert_eq!((page.url.path(), page.query("code")), ("/consent", None), "{}", page.url);

    let form = |verifier| {
        [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", verifier),
            ("redirect_uri", REDIRECT_URI),
        ]
    };
    for verifier in ["", "another-verifier-of-sufficient-length-0123456789"] {
        let refused = Answer::of(exchange(&metadata, (&one, &one_secret), &form(verifier))).await;
        assert_eq!(refused.status, 400, "{verifier}: {}", refused.json);
        assert_eq!(refused.json.get("access_token"), None);
    }
    let tokens = Answer::of(exchange(&metadata, (&one, &one_secret), &form(VERIFIER))).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
}
