//! The guard in front of another server, and with several authorization servers.

use std::net::Ipv4Addr;

use axum::{
    Json, Router,
    extract::Request,
    http::HeaderMap,
    routing::{get, post},
};
use guard::{Caller, Guard};
use keys::{Algorithm, DpopRequest, SigningKey};
use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, http},
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed},
};
use tokio::net::TcpListener;

/// A server that shows what the guard lets through to it; its address.
async fn echo_server(issuers: &[&str], resource: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://localhost:{}/mcp", listener.local_addr().unwrap().port());
    let guard = Guard::new(resource, issuers.iter().copied()).build().unwrap();
    let shown = async |request: Request| {
        let names: Vec<String> = request.headers().keys().map(ToString::to_string).collect();
        let caller = request.extensions().get::<Caller>().map(|caller| caller.subject.clone());
        Json(json!({"headers": names, "caller": caller}))
    };
    let router = guard.protect(post(shown));
    tokio::spawn(mcp::serve(listener, router, std::future::pending()));
    url
}

async fn call(url: &str, token: &str) -> Answer {
    Answer::of(http().post(url).bearer_auth(token).header("dpop", "x").body("{}")).await
}

#[tokio::test]
async fn the_server_behind_learns_who_calls_and_never_the_token() {
    let stack = Stack::start().await;
    let url = echo_server(&[&stack.issuer], &stack.resource).await;
    let answer = call(&url, &signed(&stack, &json!({}))).await;
    assert_eq!(answer.json["caller"], "nick", "{}", answer.json);
    let headers = answer.json["headers"].to_string();
    assert!(!headers.contains("authorization") && !headers.contains("dpop"), "{headers}");
}

#[tokio::test]
async fn tokens_of_each_trusted_issuer_are_taken_and_of_no_other() {
    let one = Stack::start().await;
    let two = Stack::start().await;
    let other = Stack::start().await;
    let resource = one.resource.as_str();
    let url = echo_server(&[&one.issuer, &two.issuer], resource).await;
    let token = |stack: &Stack| signed(stack, &json!({"aud": resource}));
    assert_eq!(call(&url, &token(&one)).await.status, 200);
    assert_eq!(call(&url, &token(&two)).await.status, 200);
    assert_eq!(call(&url, &token(&other)).await.status, 401);
    // The keys of one do not vouch for the name of the other.
    let posing = signed(&one, &json!({"aud": resource, "iss": two.issuer}));
    assert_eq!(call(&url, &posing).await.status, 401);

    let well_known = url.replace("/mcp", "/.well-known/oauth-protected-resource");
    let metadata = Answer::of(http().get(well_known)).await.json;
    assert_eq!(metadata["authorization_servers"], json!([one.issuer, two.issuer]));
    assert_eq!(metadata.get("resource_name"), None::<&Value>);
}

#[tokio::test]
async fn an_issuer_whose_documents_are_compressed_is_understood() {
    let stack = Stack::start().await;
    let issuer = DocumentServer::start().await;
    let keys = Answer::of(http().get(stack.at("/jwks"))).await.json;
    let metadata = json!({"issuer": issuer.url, "jwks_uri": issuer.at("/jwks")});
    let place = "/.well-known/oauth-authorization-server";
    issuer.put(place, Document::json(&metadata).gzipped());
    issuer.put("/jwks", Document::json(&keys).gzipped());
    let url = echo_server(&[&issuer.url], &stack.resource).await;
    let token = signed(&stack, &json!({"iss": issuer.url}));
    assert_eq!(call(&url, &token).await.status, 200);

    // The limit holds for what comes out.
    let other = DocumentServer::start().await;
    let metadata = json!({"issuer": other.url, "jwks_uri": other.at("/jwks")});
    other.put(place, Document::json(&metadata).gzipped());
    let padded = [keys.to_string().as_bytes(), &[b' '; 32 << 20]].concat();
    other.put("/jwks", Document::json(&keys).saying(padded).gzipped());
    let url = echo_server(&[&other.url], &stack.resource).await;
    let token = signed(&stack, &json!({"iss": other.url}));
    assert_eq!(call(&url, &token).await.status, 503);
}

#[tokio::test]
async fn several_resources_of_one_host_merge_and_each_is_known_by_its_own_metadata() {
    let stack = Stack::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let guarded = |name: &'static str| {
        let guard = Guard::new(&format!("{origin}/{name}/mcp"), [&stack.issuer]).build().unwrap();
        guard.protect(post(move || async move { name }))
    };
    let router = guarded("notes").merge(guarded("mail")).route("/health", get(async || "ok"));
    tokio::spawn(mcp::serve(listener, router, std::future::pending()));
    for (name, other) in [("notes", "mail"), ("mail", "notes")] {
        let own = format!("{origin}/{name}/mcp");
        let foreign = format!("{origin}/{other}/mcp");
        let metadata = format!("{origin}/.well-known/oauth-protected-resource/{name}/mcp");
        assert_eq!(Answer::of(http().get(&metadata)).await.text("resource"), own);
        let refused = Answer::of(http().post(&own)).await;
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
        let token = signed(&stack, &json!({"aud": own}));
        assert_eq!(call(&own, &token).await.status, 200);
        assert_eq!(call(&foreign, &token).await.status, 401, "a token is for one resource");
    }
    let root =
        Answer::of(http().get(format!("{origin}/.well-known/oauth-protected-resource"))).await;
    assert_eq!(root.text("resource"), format!("{origin}/mail/mcp"));
    assert_eq!(http().get(format!("{origin}/health")).send().await.unwrap().status(), 200);
    assert_eq!(http().get(format!("{origin}/else")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn with_a_slash_at_the_end_the_server_answers_as_without() {
    let stack = Stack::start().await;
    let slashed = format!("{}/", stack.resource);
    let plain = Answer::of(http().post(&stack.resource)).await;
    let refused = Answer::of(http().post(&slashed)).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.headers["www-authenticate"], plain.headers["www-authenticate"]);
    let token = signed(&stack, &json!({}));
    let listed = tests::programs::mcp_client::send(
        &slashed,
        tests::programs::mcp_client::Wire::V2026,
        &token,
        "tools/list",
        json!({}),
    );
    assert_eq!(listed.await.status, 200);
    let metadata = slashed.replace("/mcp/", "/.well-known/oauth-protected-resource/mcp/");
    assert_eq!(Answer::of(http().get(metadata)).await.text("resource"), stack.resource);
}

#[tokio::test]
async fn what_is_not_examined_does_not_reach_the_server() {
    let stack = Stack::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://localhost:{}/mcp", listener.local_addr().unwrap().port());
    let guard = Guard::new(&stack.resource, [&stack.issuer]).build().unwrap();
    let shown = async |body: axum::body::Bytes| body;
    let router = guard.protect(axum::routing::any(shown));
    tokio::spawn(mcp::serve(listener, router, std::future::pending()));
    let token = signed(&stack, &json!({}));
    let send = async |method: reqwest::Method| {
        let request = http().request(method, &url).bearer_auth(&token).body("{\"method\":\"x\"}");
        request.send().await.unwrap()
    };
    for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
        assert_eq!(send(method).await.text().await.unwrap(), "", "a body that was not read");
    }
    for method in [reqwest::Method::PUT, reqwest::Method::PATCH, reqwest::Method::HEAD] {
        let answer = send(method.clone()).await;
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "GET, POST, DELETE");
    }
}

#[tokio::test]
async fn a_client_that_listens_does_not_hold_up_the_stop_of_the_server() {
    let stack = Stack::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://localhost:{}/mcp", listener.local_addr().unwrap().port());
    let guard = Guard::new(&stack.resource, [&stack.issuer]).build().unwrap();
    let endless = async || {
        let events = futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
        ([("content-type", "text/event-stream")], axum::body::Body::from_stream(events))
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let router = guard.protect(axum::routing::get(endless));
    let served = tokio::spawn(mcp::serve(listener, router, async {
        let _ = stopped.await;
    }));
    let token = signed(&stack, &json!({}));
    let mut stream = http().get(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    stop.send(()).unwrap();
    // Well within the 10 seconds that a request under way would get.
    let limit = std::time::Duration::from_secs(5);
    tokio::time::timeout(limit, served).await.unwrap().unwrap();
    assert_eq!(stream.chunk().await.unwrap(), None);
}

/// Routes of a server's own behind `Guard::layer`; their origin.
async fn own_routes(stack: &Stack) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let guard = Guard::new(&origin, [&stack.issuer]).with_scopes(["mcp:tools"]).build().unwrap();
    let shown = async |caller: Caller, headers: HeaderMap, body: String| {
        assert!(!headers.contains_key("authorization") && !headers.contains_key("dpop"));
        format!("{} says {body}", caller.subject)
    };
    let admin = Router::new()
        .route("/admin", post(shown))
        .layer(guard.layer().with_scopes(["notes:write"]));
    let notes = Router::new()
        .route("/mine", post(shown))
        .route("/endless", get(std::future::pending::<()>))
        .layer(guard.layer());
    let router = Router::new().nest("/notes", notes).merge(admin).merge(guard.metadata());
    tokio::spawn(mcp::serve(listener, router, std::future::pending()));
    origin
}

#[tokio::test]
async fn own_routes_need_a_token_and_get_the_caller_instead() {
    let stack = Stack::start().await;
    let origin = own_routes(&stack).await;
    let mine = format!("{origin}/notes/mine");
    let refused = Answer::of(http().post(&mine).body("hello")).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    let metadata = format!("{origin}/.well-known/oauth-protected-resource");
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
    assert_eq!(Answer::of(http().get(&metadata)).await.text("resource"), origin);

    let token = signed(&stack, &json!({"aud": origin}));
    let sent = http().post(&mine).bearer_auth(&token).body("hello").send().await.unwrap();
    assert_eq!(sent.text().await.unwrap(), "nick says hello");
    let from_a_page = http().post(&mine).bearer_auth(&token).header("origin", "https://evil.test");
    assert_eq!(Answer::of(from_a_page).await.status, 403);
    let elsewhere = signed(&stack, &json!({}));
    assert_eq!(call(&mine, &elsewhere).await.status, 401, "a token is for one resource");
}

#[tokio::test]
async fn own_routes_are_refused_in_the_terms_of_oauth_and_not_of_json_rpc() {
    let stack = Stack::start().await;
    let origin = own_routes(&stack).await;
    let token = signed(&stack, &json!({"aud": origin}));
    let mut calls = tokio::task::JoinSet::new();
    // One more than a caller may have in progress. Only that one is answered.
    for _ in 0..129 {
        let endless = http().get(format!("{origin}/notes/endless")).bearer_auth(&token);
        calls.spawn(Answer::of(endless));
    }
    let refused = calls.join_next().await.unwrap().unwrap();
    assert_eq!((refused.status.as_u16(), refused.text("error")), (429, "temporarily_unavailable"));
    assert_eq!(refused.headers["retry-after"], "5");
    assert!(refused.text("error_description").starts_with("Too many of your requests"));
    assert_eq!(refused.json.get("jsonrpc"), None);
}

#[tokio::test]
async fn own_routes_may_need_scopes_of_their_own() {
    let stack = Stack::start().await;
    let origin = own_routes(&stack).await;
    let admin = format!("{origin}/admin");
    let refused = call(&admin, &signed(&stack, &json!({"aud": origin}))).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (403, "insufficient_scope"));
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"notes:write\""), "{challenge}");
    let token = signed(&stack, &json!({"aud": origin, "scope": "notes:write"}));
    let sent = http().post(&admin).bearer_auth(&token).body("x").send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let token = signed(&stack, &json!({"aud": origin, "scope": ""}));
    assert_eq!(call(&format!("{origin}/notes/mine"), &token).await.status, 403);
}

#[tokio::test]
async fn a_bound_token_at_an_own_route_needs_a_proof_for_its_url() {
    let stack = Stack::start().await;
    let origin = own_routes(&stack).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let bound = json!({"aud": origin, "cnf": {"jkt": key.thumbprint()}});
    let token = signed(&stack, &bound);
    let send = async |path: &str| {
        let url = format!("{origin}{path}");
        let access_token = Some(token.as_str());
        let now = stack.state.clock.now();
        let request = DpopRequest { method: "POST", url: &url, access_token, nonce: None, now };
        let proof = key.dpop_proof(&request).unwrap();
        let sent = http().post(format!("{origin}/notes/mine")).header("dpop", proof);
        sent.header("authorization", format!("DPoP {token}")).send().await.unwrap().status()
    };
    assert_eq!(send("/notes/mine").await, 200);
    assert_eq!(send("/mine").await, 401);
    assert_eq!(call(&format!("{origin}/notes/mine"), &token).await.status, 401);
}

#[tokio::test]
async fn a_group_is_demanded_by_its_name_and_no_scope_is_asked_for_instead() {
    let stack = Stack::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://localhost:{}/deploy", listener.local_addr().unwrap().port());
    let guard = Guard::new(&stack.resource, [&stack.issuer]).with_groups_claim("roles");
    let guard = guard.build().unwrap();
    let router = Router::new()
        .route("/deploy", get(async |caller: Caller| Json(caller.groups().to_vec())))
        .layer(guard.layer().with_scopes(["mcp:tools", "group:platform"]));
    tokio::spawn(mcp::serve(listener, router, std::future::pending()));
    let call = async |claims: Value| {
        Answer::of(http().get(&url).bearer_auth(signed(&stack, &claims))).await
    };

    let answer = call(json!({"roles": ["staff", "platform"]})).await;
    assert_eq!((answer.status.as_u16(), answer.json), (200, json!(["staff", "platform"])));
    for claims in [json!({}), json!({"roles": "staff"}), json!({"groups": ["platform"]})] {
        let refused = call(claims).await;
        assert_eq!((refused.status.as_u16(), refused.text("error")), (403, "access_denied"));
        let told = refused.text("error_description");
        assert!(told.contains("the group platform; ask the operator"), "{told}");
        assert!(!refused.headers.contains_key("www-authenticate"));
    }
    let refused = call(json!({"roles": ["platform"], "scope": "profile"})).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (403, "insufficient_scope"));
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"mcp:tools\""), "{challenge}");
}
