//! The gate behind a proxy that asks whether a request may pass: real ones, with the recipes of
//! docs/forward-auth.md, and their headers by hand.

use keys::{Algorithm, DpopRequest, PublishedKeys, SigningKey};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::{message, post},
        process::free_port,
        reverse_proxy::ReverseProxy,
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed, gate},
};

/// A server behind a proxy that asks a gate.
struct Behind {
    stack: Stack,
    server: DocumentServer,
    resource: String,
    gate: String,
    _proxy: ReverseProxy,
}

impl Behind {
    async fn start(proxy: &str, further: &[&str]) -> Self {
        let stack = Stack::start().await;
        let server = DocumentServer::start().await;
        server.put("/mcp", Document::json(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
        let port = free_port().await;
        let resource = format!("http://localhost:{port}/mcp");
        let options = ["--forward-auth", proxy, "--scope", "mcp:tools", "--facade", "false"];
        let options = [&options[..], further].concat();
        let gate = gate::start_forward_auth(&stack, &resource, &options).await;
        let proxy = match proxy {
            "nginx" => ReverseProxy::nginx(port, &gate, &server.url).await,
            _ => ReverseProxy::caddy(port, &gate, &server.url).await,
        };
        Self { stack, server, resource, gate, _proxy: proxy }
    }

    fn token(&self, change: Value) -> String {
        let mut claims = json!({"aud": self.resource});
        change.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        signed(&self.stack, &claims)
    }

    fn ask(&self, token: &str) -> RequestBuilder {
        post(&self.resource, token).json(&message("ping", json!({})))
    }
}

fn challenge(answer: &Answer) -> &str {
    let all: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].to_str().unwrap()
}

async fn a_caller_comes_in_and_the_server_learns_who_calls(proxy: &str) {
    let behind = Behind::start(proxy, &["--identity", "both"]).await;
    let claims = json!({"email": "nick@example.com", "email_verified": true});
    let request = behind.ask(&behind.token(claims));
    let forged = [
        ("x-portcullis-identity", "a.b.c"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-groups", "admins"),
        ("x-forwarded-preferred-username", "admin"),
        ("x_forwarded_user", "admin"),
        ("x-original-url", "http://localhost/elsewhere"),
        ("x-original-method", "DELETE"),
        ("x-forwarded-method", "DELETE"),
        ("x-forwarded-uri", "/elsewhere"),
        ("cookie", "session=1"),
    ];
    let request =
        forged.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = Answer::of(request).await;
    assert_eq!((answer.status.as_u16(), &answer.json["result"]), (200, &json!({})));
    let header = |name: &str| behind.server.last_header("/mcp", name);
    for name in ["authorization", "dpop", "cookie", "x-forwarded-groups", "x_forwarded_user"] {
        assert_eq!(header(name), "", "{name}");
    }
    assert_eq!(header("x-forwarded-user"), "nick");
    assert_eq!(header("x-forwarded-email"), "nick@example.com");
    assert_eq!(header("x-forwarded-preferred-username"), "");
    let sent: Value = serde_json::from_str(&behind.server.last_body("/mcp")).unwrap();
    assert_eq!(sent["method"], "ping");
    let keys = behind.resource.replace("/mcp", "/.well-known/portcullis-identity/jwks.json");
    let keys = Answer::of(http().get(keys)).await.json.to_string();
    let keys = PublishedKeys::from_json(keys.as_bytes()).unwrap();
    let identity = header("x-portcullis-identity");
    let claims: Value = keys.verify(&identity, |typ| typ == Some("caller-identity+jwt")).unwrap();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("nick"), &json!(behind.resource)));
}

async fn a_challenge_and_its_body_reach_the_client(proxy: &str) {
    let behind = Behind::start(proxy, &[]).await;
    let missing = Answer::of(behind.ask("")).await;
    let metadata = behind.resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp");
    assert_eq!(missing.status, 401);
    let named = format!("resource_metadata=\"{metadata}\"");
    assert!(challenge(&missing).starts_with("Bearer scope=\"mcp:tools\""), "{missing:?}");
    assert!(challenge(&missing).contains(&named), "{missing:?}");
    assert_eq!(missing.text("error"), "invalid_token");
    assert_eq!(Answer::of(http().get(metadata)).await.json["resource"], behind.resource);

    let short = Answer::of(behind.ask(&behind.token(json!({"scope": "profile"})))).await;
    assert_eq!((short.status.as_u16(), short.text("error")), (403, "insufficient_scope"));
    assert!(challenge(&short).contains("error=\"insufficient_scope\""), "{short:?}");
    assert!(challenge(&short).contains("scope=\"mcp:tools\""), "{short:?}");
    let other = Answer::of(behind.ask(&behind.token(json!({"aud": "https://a.example"})))).await;
    assert_eq!((other.status.as_u16(), other.text("error")), (401, "invalid_token"));
    assert_eq!(behind.server.hits("/mcp"), 0);
}

async fn a_proof_is_compared_with_the_original_request(proxy: &str) {
    let behind = Behind::start(proxy, &[]).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = behind.token(json!({"cnf": {"jkt": key.thumbprint()}}));
    for (method, url, status) in [
        ("POST", behind.resource.clone(), 200),
        ("GET", behind.resource.clone(), 401),
        ("POST", format!("{}/forward-auth", behind.gate), 401),
    ] {
        let now = behind.stack.state.clock.now();
        let request =
            DpopRequest { method, url: &url, access_token: Some(&token), nonce: None, now };
        let proof = key.dpop_proof(&request).unwrap();
        let request = behind.ask("").header("authorization", format!("DPoP {token}"));
        let answer = Answer::of(request.header("dpop", proof)).await;
        assert_eq!(answer.status, status, "{method} {url}: {answer:?}");
    }
}

#[tokio::test]
async fn with_nginx_a_caller_comes_in_and_the_server_learns_who_calls() {
    a_caller_comes_in_and_the_server_learns_who_calls("nginx").await;
}

#[tokio::test]
async fn with_caddy_a_caller_comes_in_and_the_server_learns_who_calls() {
    a_caller_comes_in_and_the_server_learns_who_calls("caddy").await;
}

#[tokio::test]
async fn with_nginx_a_challenge_and_its_body_reach_the_client() {
    a_challenge_and_its_body_reach_the_client("nginx").await;
}

#[tokio::test]
async fn with_caddy_a_challenge_and_its_body_reach_the_client() {
    a_challenge_and_its_body_reach_the_client("caddy").await;
}

#[tokio::test]
async fn with_nginx_a_proof_is_compared_with_the_original_request() {
    a_proof_is_compared_with_the_original_request("nginx").await;
}

#[tokio::test]
async fn with_caddy_a_proof_is_compared_with_the_original_request() {
    a_proof_is_compared_with_the_original_request("caddy").await;
}

#[tokio::test]
async fn with_nginx_an_answer_of_the_server_is_its_own_and_a_gate_that_is_gone_lets_no_one_in() {
    let behind = Behind::start("nginx", &[]).await;
    let own = json!({"own": true});
    for status in [401, 403, 500] {
        behind.server.put("/mcp", Document { status, ..Document::json(&own) });
        let answer = Answer::of(behind.ask(&behind.token(json!({})))).await;
        assert_eq!((answer.status.as_u16(), &answer.json), (status, &own));
    }
    let stack = Stack::start().await;
    let port = free_port().await;
    let gone = format!("http://127.0.0.1:{}", free_port().await);
    let _proxy = ReverseProxy::nginx(port, &gone, &behind.server.url).await;
    let resource = format!("http://localhost:{port}/mcp");
    let token = signed(&stack, &json!({"aud": resource}));
    let request = post(&resource, &token).json(&message("ping", json!({})));
    let answer = Answer::of(request).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (503, "temporarily_unavailable"));
    assert_eq!(answer.headers["retry-after"], "5");
}

#[tokio::test]
async fn with_the_headers_of_traefik_a_request_is_judged_as_it_came() {
    let stack = Stack::start().await;
    let resource = "https://mcp.example.com/mcp";
    let options = ["--forward-auth", "traefik"];
    let gate = gate::start_forward_auth(&stack, resource, &options).await;
    let token = signed(&stack, &json!({"aud": resource}));
    let sent = [
        ("x-forwarded-method", "POST"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "mcp.example.com"),
        ("x-forwarded-uri", "/mcp?a=b"),
        ("x-forwarded-for", "203.0.113.7"),
    ];
    let ask = |change: (&'static str, &'static str)| {
        let request = http().get(format!("{gate}/forward-auth")).bearer_auth(&token);
        let headers =
            sent.map(|(name, value)| if name == change.0 { change } else { (name, value) });
        let headers = headers.into_iter().filter(|(_, value)| !value.is_empty());
        Answer::of(headers.fold(request, |request, (name, value)| request.header(name, value)))
    };
    let answer = ask(("", "")).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert!(answer.headers.contains_key("x-portcullis-identity"));
    for change in [
        ("x-forwarded-uri", "/admin"),
        ("x-forwarded-uri", "/mcp/%2e%2e/admin"),
        ("x-forwarded-uri", ""),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-method", ""),
    ] {
        let answer = ask(change).await;
        assert_eq!(answer.status, 403, "{change:?}: {}", answer.json);
        assert!(!answer.headers.contains_key("x-portcullis-identity"));
    }
    let in_query = ask(("x-forwarded-uri", "/mcp?access_token=a")).await;
    assert_eq!(in_query.status, 400);
}

#[tokio::test]
async fn only_a_proxy_at_a_trusted_address_is_answered() {
    let stack = Stack::start().await;
    let resource = "https://mcp.example.com/mcp";
    let token = signed(&stack, &json!({"aud": resource}));
    for (from, status) in [("10.0.0.0/8", 403), ("10.0.0.0/8,127.0.0.1", 200)] {
        let options = ["--forward-auth", "nginx", "--forward-auth-from", from];
        let gate = gate::start_forward_auth(&stack, resource, &options).await;
        let request = http()
            .get(format!("{gate}/forward-auth"))
            .bearer_auth(&token)
            .header("x-original-url", resource)
            .header("x-original-method", "GET");
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, status, "{from}");
        assert_eq!(answer.headers.contains_key("x-portcullis-identity"), status == 200);
        // Nothing is passed on.
        assert_eq!(Answer::of(http().post(format!("{gate}/mcp"))).await.status, 404);
    }
}
