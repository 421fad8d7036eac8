//! A request names one server, once and in one way; and a page of a stranger stays one, whatever
//! its own name leads to.

use serde_json::json;
use tests::{
    programs::{
        client::{Answer, http},
        raw_http::RawHttp,
    },
    stack::{Stack, access_token::signed},
};

/// Routes of each kind, at either server.
fn routes(stack: &Stack) -> Vec<(&str, &'static str)> {
    let auth = stack.issuer.as_str();
    let mcp = stack.resource.as_str();
    let at_auth = ["/", "/health", "/jwks", "/sign-in", "/authorize", "/nothing", "/style.css"];
    let at_mcp = [
        "/mcp",
        "/health",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/authorize",
        "/nothing",
    ];
    at_auth.map(|path| (auth, path)).into_iter().chain(at_mcp.map(|path| (mcp, path))).collect()
}

#[tokio::test]
async fn a_request_that_could_be_for_two_servers_is_refused_on_every_route() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    for (server, path) in routes(&stack) {
        let port = url::Url::parse(server).unwrap().port().unwrap();
        let own = format!("localhost:{port}");
        for (target, hosts) in [
            (path.to_owned(), vec![own.as_str(), own.as_str()]),
            (path.to_owned(), vec![own.as_str(), "evil.test"]),
            (path.to_owned(), vec![]),
            (path.to_owned(), vec![""]),
            (path.to_owned(), vec!["localhost, evil.test"]),
            (path.to_owned(), vec!["localhost,evil.test"]),
            (path.to_owned(), vec!["localhost evil.test"]),
            (path.to_owned(), vec!["localhost:99999"]),
            (path.to_owned(), vec!["localhost:0"]),
            (path.to_owned(), vec!["localhost:"]),
            (path.to_owned(), vec!["localhost:80:80"]),
            (path.to_owned(), vec!["evil@localhost"]),
            (path.to_owned(), vec!["localhost/evil"]),
            (path.to_owned(), vec!["http://localhost"]),
            (path.to_owned(), vec!["l%6fcalhost"]),
            (path.to_owned(), vec!["lo\u{f6}calhost"]),
            (format!("http://evil.test{path}"), vec![own.as_str()]),
            (format!("http://evil.test{path}"), vec!["evil.test"]),
            (format!("http://{own}{path}"), vec!["evil.test"]),
            (format!("http://evil@{own}{path}"), vec![own.as_str()]),
        ] {
            let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
            let mut raw = RawHttp::connect(server).await;
            let request =
                format!("GET {target} HTTP/1.1\r\n{hosts}Authorization: Bearer {token}\r\n\r\n");
            assert_eq!(raw.send(&request).await.status, 400, "{request}");
        }
    }
}

#[tokio::test]
async fn a_request_that_names_this_server_is_served_however_it_is_written() {
    let stack = Stack::start().await;
    for server in [stack.issuer.as_str(), &stack.resource] {
        let port = url::Url::parse(server).unwrap().port().unwrap();
        for request in [
            format!("GET /health HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
            format!(
                "GET http://localhost:{port}/health HTTP/1.1\r\nHost: LOCALHOST:{port}\r\n\r\n"
            ),
            format!("GET /health HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n"),
            // Probes of a load balancer call by address, and the oldest ones by nothing at all.
            format!("GET /health HTTP/1.1\r\nHost: 10.0.0.5:{port}\r\n\r\n"),
            "GET /health HTTP/1.0\r\n\r\n".into(),
        ] {
            let answer = RawHttp::connect(server).await.send(&request).await;
            assert_eq!(answer.status, 200, "{request}");
        }
    }
}

#[tokio::test]
async fn without_a_host_header_an_old_request_does_not_reach_the_mcp_server() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let request = format!("GET /mcp HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n");
    assert_eq!(RawHttp::connect(&stack.resource).await.send(&request).await.status, 403);
}

#[tokio::test]
async fn a_form_of_a_page_whose_own_name_leads_to_this_server_is_refused() {
    let stack = Stack::start().await;
    let own = stack.issuer.strip_prefix("http://").unwrap();
    let status = async |headers: &[(&str, &str)]| {
        let mut request = http().post(stack.at("/sign-in/github")).form(&[("continue", "/")]);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await.status.as_u16()
    };
    let same = ("sec-fetch-site", "same-origin");
    for rebound in [
        [("host", "evil.test"), ("origin", "http://evil.test"), same],
        [("host", own), ("origin", "http://evil.test"), same],
        // The page can ask its browser to keep its origin secret.
        [("host", "evil.test"), ("origin", "null"), same],
        [("host", "evil.test"), ("origin", "null"), ("sec-fetch-site", "none")],
    ] {
        assert_eq!(status(&rebound).await, 403, "{rebound:?}");
    }
    assert_eq!(status(&[("host", "evil.test"), ("origin", "http://evil.test")]).await, 403);
    for ours in [
        [("host", own), ("origin", &stack.issuer), same],
        [("host", own), ("origin", "null"), same],
        // A proxy in front may call this server by another name.
        [("host", "backend"), ("origin", &stack.issuer), same],
    ] {
        assert_eq!(status(&ours).await, 303, "{ours:?}");
    }
}
