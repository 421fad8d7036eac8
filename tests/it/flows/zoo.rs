//! Signing in where the servers do things differently, or one thing wrong.

use serde_json::{Value, json};
use tests::servers::{
    document_server::Document,
    zoo::{OPENID, RESOURCE, SERVER, Zoo},
};

const GREETING: &str = "Signed in";

fn refused(error: &str) -> Document {
    Document::json(&json!({"error": error, "error_description": "No way."}))
}

#[tokio::test]
async fn a_refusal_counts_whatever_its_status_is() {
    let zoo = Zoo::start().await;
    for status in [200, 201, 400, 401, 403, 404, 429, 500, 503] {
        zoo.documents.put("/token", Document { status, ..refused("invalid_grant") });
        let outcome = zoo.sign_in(&zoo.person()).await;
        let said = "refused to issue a token: invalid_grant: No way.";
        assert!(outcome.stderr.contains(said), "{status}: {}", outcome.stderr);
        assert_eq!(outcome.code, 4, "{status}");
    }
}

#[tokio::test]
async fn a_refused_registration_or_device_counts_at_200_too() {
    let zoo = Zoo::start().await;
    zoo.documents.put("/device_authorization", refused("unauthorized_client"));
    let outcome = zoo.person().run(&["login", "--device"]).await;
    assert!(outcome.stderr.contains("unauthorized_client: No way."), "{}", outcome.stderr);
    zoo.documents.put("/register", refused("invalid_client_metadata"));
    let outcome = zoo.person().run(&["login"]).await;
    assert!(outcome.stderr.contains("invalid_client_metadata: No way."), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_device_waits_while_the_answer_is_pending_at_200() {
    let zoo = Zoo::start().await;
    let granted = Document::json(&Zoo::token(json!({})));
    zoo.documents.put_in_turn("/token", [refused("authorization_pending"), granted]);
    let outcome = zoo.person().run(&["login", "--device"]).await;
    assert!(outcome.stderr.contains(GREETING), "{}", outcome.stderr);
    assert_eq!((outcome.code, zoo.documents.hits("/token")), (0, 2));
}

#[tokio::test]
async fn a_grant_that_cannot_be_renewed_leads_to_a_new_sign_in() {
    let html = Document::status(200).with("content-type", "text/html").saying("<p>Hello</p>");
    for unusable in [
        refused("bad_refresh_token"),
        Document { status: 400, ..refused("invalid_request") },
        Document { status: 404, ..html.clone() },
        html,
        Document::json(&json!({"ok": true})),
        Document::json(&Zoo::token(json!({"token_type": "mac"}))),
        Document::json(&Zoo::token(json!({"access_token": null}))),
        Document::json(&json!(["at", "Bearer", 600, "rt", "a"])),
    ] {
        let zoo = Zoo::start().await;
        let person = zoo.person();
        // The token is due at once.
        zoo.put("/token", &Zoo::token(json!({"expires_in": 0})));
        let outcome = zoo.sign_in(&person).await;
        assert!(outcome.stderr.contains(GREETING), "{}", outcome.stderr);
        zoo.documents.put("/token", unusable.clone());
        zoo.refuse_tokens();
        let outcome = person.run(&["--no-input", "call", "ping"]).await;
        assert_eq!(outcome.code, 4, "{unusable:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("not signed in"), "{unusable:?}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn an_outage_while_a_grant_is_renewed_asks_nobody_to_sign_in() {
    let zoo = Zoo::start().await;
    let person = zoo.person();
    zoo.put("/token", &Zoo::token(json!({"expires_in": 0})));
    zoo.sign_in(&person).await;
    let page = Document::status(503).saying("<h1>Down for maintenance</h1>");
    zoo.documents.put("/token", page.with("retry-after", "30"));
    let outcome = person.run(&["call", "ping"]).await;
    let said = "answered 503 Service Unavailable: Down for maintenance (Retry-After: 30)";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("make dev"), "{}", outcome.stderr);
    assert_eq!(outcome.code, 3);
    zoo.put("/token", &Zoo::token(json!({})));
    let outcome = person.run(&["call", "ping"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "pong\n"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_token_is_not_lost_over_a_member_that_can_be_done_without() {
    let zoo = Zoo::start().await;
    for change in [
        json!({"refresh_token": ""}),
        json!({"refresh_token": null, "scope": null}),
        json!({"scope": ["a", "b"]}),
        json!({"scope": ""}),
        json!({"expires_in": 3599.5}),
        json!({"expires_in": "3600"}),
        json!({"expires_in": ""}),
        json!({"expires_in": "soon"}),
        json!({"token_type": null}),
        json!({"token_type": ""}),
        json!({"id_token": 5, "error": null, "error_description": ""}),
        json!({"error": false}),
    ] {
        zoo.put("/token", &Zoo::token(change.clone()));
        let person = zoo.person();
        let outcome = zoo.sign_in(&person).await;
        assert!(outcome.stderr.contains(GREETING), "{change}: {}", outcome.stderr);
        let outcome = person.run(&["--no-input", "call", "ping"]).await;
        assert_eq!(outcome.stdout, "pong\n", "{change}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_used_is_named_with_what_is_wrong() {
    let zoo = Zoo::start().await;
    for (change, said) in [
        (json!({"token_type": "mac"}), "`token_type` is `mac`, not `Bearer`"),
        (json!({"token_type": 5}), "`token_type` is 5, not `Bearer`"),
        (json!({"access_token": ""}), "`access_token` is missing"),
        (json!({"access_token": ["secret"]}), "`access_token` is not text"),
    ] {
        zoo.put("/token", &Zoo::token(change));
        let outcome = zoo.sign_in(&zoo.person()).await;
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("secret"), "{}", outcome.stderr);
        assert_eq!(outcome.code, 4);
    }
}

#[tokio::test]
async fn no_member_that_the_flow_does_not_use_ends_it() {
    let zoo = Zoo::start().await;
    let names = [
        "revocation_endpoint",
        "userinfo_endpoint",
        "device_authorization_endpoint",
        "introspection_endpoint",
        "jwks_uri",
        "scopes_supported",
        "token_endpoint_auth_methods_supported",
        "dpop_signing_alg_values_supported",
        "client_id_metadata_document_supported",
        "authorization_response_iss_parameter_supported",
        "service_documentation",
    ];
    let odd = [
        json!(""),
        json!(null),
        json!(5),
        json!([null, 5]),
        json!({}),
        json!("http://elsewhere.example/x"),
    ];
    for value in &odd {
        let change: Value = names.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
        // A method that this client does not know is a used member.
        let mut metadata = zoo.metadata(change);
        if value.is_string() {
            metadata["token_endpoint_auth_methods_supported"] = json!(null);
        }
        zoo.put(SERVER, &metadata);
        let resource = json!({"scopes_supported": value, "resource_name": value,
            "dpop_bound_access_tokens_required": value, "jwks_uri": value});
        let resource = if value.is_string() { json!({"jwks_uri": value}) } else { resource };
        zoo.put(RESOURCE, &zoo.resource(resource));
        let outcome = zoo.sign_in(&zoo.person()).await;
        assert!(outcome.stderr.contains(GREETING), "{value}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_member_that_the_flow_needs_is_named_with_its_value() {
    let zoo = Zoo::start().await;
    for (name, value, shown) in [
        ("authorization_endpoint", json!("/authorize"), "\"/authorize\""),
        ("token_endpoint", json!(["x"]), "[\"x\"]"),
        ("registration_endpoint", json!(5), "5"),
    ] {
        zoo.put(SERVER, &zoo.metadata(json!({name: value})));
        let outcome = zoo.person().run(&["login"]).await;
        let said = format!("`{name}` in the metadata of {} is {shown}", zoo.documents.url);
        assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    }
    zoo.put(RESOURCE, &zoo.resource(json!({"authorization_servers": {"a": 1}})));
    let outcome = zoo.person().run(&["login"]).await;
    assert!(outcome.stderr.contains("`authorization_servers`"), "{}", outcome.stderr);
}

#[tokio::test]
async fn an_endpoint_in_the_clear_is_refused() {
    let zoo = Zoo::start().await;
    for name in ["authorization_endpoint", "token_endpoint", "registration_endpoint"] {
        zoo.put(SERVER, &zoo.metadata(json!({name: "http://as.example/x"})));
        let outcome = zoo.person().run(&["login"]).await;
        let said = "refused to talk to http://as.example/x";
        assert!(outcome.stderr.contains(said), "{name}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("/authorize?"), "{name}: {}", outcome.stderr);
        assert_eq!(zoo.documents.hits("/register"), 0, "{name}");
    }
}

#[tokio::test]
async fn a_query_of_the_authorization_endpoint_is_kept_and_a_fragment_is_refused() {
    let zoo = Zoo::start().await;
    let endpoint = zoo.documents.at("/authorize?tenant=1&response_type=token&client_id=theirs");
    zoo.put(SERVER, &zoo.metadata(json!({"authorization_endpoint": endpoint})));
    let waiting = zoo.person().begin(&["login"]).await;
    for (parameter, times) in [("tenant=1", 1), ("response_type=", 1), ("client_id=", 1)] {
        assert_eq!(waiting.url.matches(parameter).count(), times, "{}", waiting.url);
    }
    let endpoint = zoo.documents.at("/authorize#sign-in");
    zoo.put(SERVER, &zoo.metadata(json!({"authorization_endpoint": endpoint})));
    let outcome = zoo.person().run(&["login"]).await;
    assert!(outcome.stderr.contains("without a fragment"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_resource_that_is_no_address_is_not_offered_as_a_server() {
    let zoo = Zoo::start().await;
    for (resource, offered) in [("api://notes", false), ("https://mcp.example.com/mcp", true)] {
        zoo.put(RESOURCE, &zoo.resource(json!({"resource": resource})));
        let outcome = zoo.person().run(&["login"]).await;
        assert!(outcome.stderr.contains(resource), "{}", outcome.stderr);
        let option = format!("--server {resource}");
        assert_eq!(outcome.stderr.contains(&option), offered, "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn what_an_authorization_server_says_about_its_refusal_is_shown() {
    let zoo = Zoo::start().await;
    for (body, said) in [
        (r#"{"message":"No API key found"}"#, "No API key found"),
        (r#"{"error":{"message":"Wrong realm"}}"#, "Wrong realm"),
        ("<html><h1>Blocked by policy</h1></html>", "Blocked by policy"),
        ("plain words \u{1b}[2J", "plain words"),
    ] {
        zoo.documents.put("/token", Document::status(400).saying(body));
        let outcome = zoo.sign_in(&zoo.person()).await;
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        zoo.documents.put("/register", Document::status(403).saying(body));
        let outcome = zoo.person().run(&["login"]).await;
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
        zoo.put("/register", &json!({"client_id": "c"}));
    }
}

#[tokio::test]
async fn discovery_goes_on_to_the_next_place_whatever_the_first_one_answers() {
    for status in [204, 301, 302, 307, 308, 401, 404, 405, 429, 500, 501, 502, 503, 599] {
        let zoo = Zoo::start().await;
        let elsewhere = zoo.documents.at("/sign-in");
        let odd = Document::status(status).with("location", &elsewhere);
        zoo.documents.put(SERVER, odd.clone());
        zoo.put(OPENID, &zoo.metadata(json!({})));
        zoo.challenge(&["Bearer"]);
        zoo.documents.put(RESOURCE, odd);
        zoo.put("/.well-known/oauth-protected-resource", &zoo.resource(json!({})));
        let outcome = zoo.sign_in(&zoo.person()).await;
        assert!(outcome.stderr.contains(GREETING), "{status}: {}", outcome.stderr);
        assert_eq!(zoo.documents.hits("/sign-in"), 0, "{status}");
    }
}

#[tokio::test]
async fn a_document_of_another_server_does_not_end_the_search_and_is_never_believed() {
    let zoo = Zoo::start().await;
    let foreign = zoo.metadata(json!({"issuer": "https://other.example"}));
    zoo.put(SERVER, &foreign);
    let outcome = zoo.person().run(&["login"]).await;
    assert!(outcome.stderr.contains("https://other.example"), "{}", outcome.stderr);
    assert_eq!((outcome.code, zoo.documents.hits("/register")), (4, 0));
    zoo.put(OPENID, &zoo.metadata(json!({})));
    let outcome = zoo.sign_in(&zoo.person()).await;
    assert!(outcome.stderr.contains(GREETING), "{}", outcome.stderr);
}

#[tokio::test]
async fn places_without_a_document_are_listed_with_what_they_answered() {
    let zoo = Zoo::start().await;
    zoo.documents.put(SERVER, Document::status(302).with("location", "/login"));
    let outcome = zoo.person().run(&["login"]).await;
    let said = format!("{SERVER} (302 Found), {}{OPENID} (404 Not Found)", zoo.documents.url);
    assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    zoo.documents.put(OPENID, Document::status(503));
    let outcome = zoo.person().run(&["login"]).await;
    assert!(outcome.stderr.contains("503 Service Unavailable"), "{}", outcome.stderr);
    assert_eq!(outcome.code, 3);
}

#[tokio::test]
async fn every_bearer_challenge_is_read() {
    let zoo = Zoo::start().await;
    let place = zoo.documents.at("/meta");
    zoo.documents.put(RESOURCE, Document::status(404));
    zoo.put("/meta", &zoo.resource(json!({})));
    let second = format!("Bearer resource_metadata=\"{place}\", scope=\"a b\"");
    let joined = format!("Bearer realm=\"gateway\", {second}");
    for lines in [&["Bearer realm=\"gateway\"", "Basic realm=\"x\"", &second][..], &[&joined]] {
        zoo.challenge(lines);
        let outcome = zoo.sign_in(&zoo.person()).await;
        assert!(outcome.stderr.contains(GREETING), "{lines:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("ask you to allow: a b"), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_client_with_a_secret_sends_its_name_in_the_form_as_well() {
    let zoo = Zoo::start().await;
    let methods = json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]});
    zoo.put(SERVER, &zoo.metadata(methods));
    let client = json!({"client_id": "c 1", "client_secret": "s"});
    zoo.put("/register", &client);
    let outcome = zoo.sign_in(&zoo.person()).await;
    assert!(outcome.stderr.contains(GREETING), "{}", outcome.stderr);
    assert!(zoo.documents.last_header("/token", "authorization").starts_with("Basic "));
    let form = zoo.documents.last_body("/token");
    assert!(form.contains("client_id=c+1") && !form.contains("client_secret"), "{form}");
}

#[tokio::test]
async fn compressed_documents_and_tokens_are_read() {
    let zoo = Zoo::start().await;
    let compressed = |document: &Value| Document::json(document).gzipped();
    zoo.documents.put(RESOURCE, compressed(&zoo.resource(json!({}))));
    zoo.documents.put(SERVER, compressed(&zoo.metadata(json!({}))));
    zoo.documents.put("/register", compressed(&json!({"client_id": "c"})));
    zoo.documents.put("/token", compressed(&Zoo::token(json!({}))));
    let outcome = zoo.sign_in(&zoo.person()).await;
    assert!(outcome.stderr.contains(GREETING), "{}", outcome.stderr);
    assert!(zoo.documents.last_header(SERVER, "accept-encoding").contains("gzip"));
}

#[tokio::test]
async fn little_that_becomes_much_is_cut_off() {
    let zoo = Zoo::start().await;
    let padded = [zoo.metadata(json!({})).to_string().as_bytes(), &[b' '; 64 << 20]].concat();
    let bomb = Document::json(&json!({})).saying(padded).gzipped();
    assert!(bomb.body.len() < 100_000);
    zoo.documents.put(SERVER, bomb);
    let outcome = zoo.person().run(&["login"]).await;
    assert!(outcome.stderr.contains("more than 1048576 bytes"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_compression_that_was_not_asked_for_or_is_broken_is_named() {
    let zoo = Zoo::start().await;
    for (encoding, said) in [("br", "the encoding `br`"), ("gzip", "broke off")] {
        let odd = Document::json(&zoo.metadata(json!({}))).with("content-encoding", encoding);
        zoo.documents.put(SERVER, odd);
        let outcome = zoo.person().run(&["login"]).await;
        assert!(outcome.stderr.contains(said), "{encoding}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("make dev"), "{}", outcome.stderr);
    }
}
