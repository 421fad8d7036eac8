//! Tokens that are bound to a key count only with a fresh proof by that key.

use keys::{Algorithm, DpopRequest, SigningKey};
use reqwest::RequestBuilder;
use serde_json::json;
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::message,
    },
    stack::{Stack, access_token::signed},
};

struct Bound {
    stack: Stack,
    key: SigningKey,
    token: String,
}

impl Bound {
    async fn new(options: &[&str]) -> Self {
        let stack = Stack::start_with(&[], options).await;
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let token = signed(&stack, &json!({"cnf": {"jkt": key.thumbprint()}}));
        Self { stack, key, token }
    }

    fn valid(&self) -> DpopRequest<'_> {
        DpopRequest {
            method: "POST",
            url: &self.stack.resource,
            access_token: Some(&self.token),
            nonce: None,
            now: self.stack.state.clock.now(),
        }
    }

    fn proof(&self, request: &DpopRequest<'_>) -> String {
        self.key.dpop_proof(request).unwrap()
    }

    fn request(&self, scheme: &str) -> RequestBuilder {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}});
        http()
            .post(&self.stack.resource)
            .header("accept", "application/json, text/event-stream")
            .header("authorization", format!("{scheme} {}", self.token))
            .json(&message("initialize", params))
    }

    async fn sent(&self, proof: &str) -> Answer {
        Answer::of(self.request("DPoP").header("dpop", proof)).await
    }

    async fn refusal(&self, proof: &str) -> (u16, String, String) {
        let answer = self.sent(proof).await;
        let challenge = answer.headers["www-authenticate"].to_str().unwrap().to_owned();
        (answer.status.as_u16(), answer.text("error").to_owned(), challenge)
    }
}

#[tokio::test]
async fn a_bound_token_is_good_with_a_proof_by_its_key() {
    let bound = Bound::new(&[]).await;
    let answer = bound.sent(&bound.proof(&bound.valid())).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.headers.get("dpop-nonce"), None);
}

#[tokio::test]
async fn a_bound_token_is_worth_nothing_as_a_bearer_token() {
    let bound = Bound::new(&[]).await;
    let proof = bound.proof(&bound.valid());
    for request in [bound.request("Bearer"), bound.request("Bearer").header("dpop", proof)] {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("DPoP error=\"invalid_token\""), "{challenge}");
        assert!(challenge.contains("algs=\"ES256 EdDSA RS256\""), "{challenge}");
    }
}

#[tokio::test]
async fn each_part_of_a_proof_counts() {
    let bound = Bound::new(&[]).await;
    let other_token = "another";
    let other_url = "http://localhost:1/mcp";
    let trailing = format!("{}/", bound.stack.resource);
    let now = bound.stack.state.clock.now();
    let valid = bound.valid();
    for (what, request) in [
        ("method", DpopRequest { method: "GET", ..valid }),
        ("case of the method", DpopRequest { method: "post", ..valid }),
        ("host", DpopRequest { url: other_url, ..valid }),
        ("path", DpopRequest { url: &trailing, ..valid }),
        ("token", DpopRequest { access_token: Some(other_token), ..valid }),
        ("no token", DpopRequest { access_token: None, ..valid }),
        ("old", DpopRequest { now: now - 70, ..valid }),
        ("future", DpopRequest { now: now + 20, ..valid }),
    ] {
        let (status, error, challenge) = bound.refusal(&bound.proof(&request)).await;
        assert_eq!((status, error.as_str()), (401, "invalid_dpop_proof"), "{what}");
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
    }
    for nonsense in ["", "a.b.c", "e30.e30.e30"] {
        assert_eq!(bound.refusal(nonsense).await.1, "invalid_dpop_proof");
    }
    assert_eq!(Answer::of(bound.request("DPoP")).await.text("error"), "invalid_dpop_proof");
}

#[tokio::test]
async fn query_and_spelling_of_the_url_do_not_count() {
    let bound = Bound::new(&[]).await;
    let spelled = bound.stack.resource.replace("http://localhost", "HTTP://LOCALHOST");
    let spelled = format!("{spelled}?a=b#c");
    let proof = bound.proof(&DpopRequest { url: &spelled, ..bound.valid() });
    assert_eq!(bound.sent(&proof).await.status, 200);
}

#[tokio::test]
async fn a_proof_by_another_key_is_refused() {
    let bound = Bound::new(&[]).await;
    let thief = SigningKey::generate(Algorithm::ES256).unwrap();
    let proof = thief.dpop_proof(&bound.valid()).unwrap();
    assert_eq!(bound.refusal(&proof).await.1, "invalid_token");
}

#[tokio::test]
async fn a_proof_counts_once() {
    let bound = Bound::new(&[]).await;
    let proof = bound.proof(&bound.valid());
    assert_eq!(bound.sent(&proof).await.status, 200);
    assert_eq!(bound.refusal(&proof).await.1, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_token_that_is_not_bound_needs_no_proof_and_gets_nothing_by_one() {
    let mut bound = Bound::new(&[]).await;
    bound.token = signed(&bound.stack, &json!({}));
    assert_eq!(Answer::of(bound.request("Bearer")).await.status, 200);
    assert_eq!(bound.refusal(&bound.proof(&bound.valid())).await.1, "invalid_token");
}

#[tokio::test]
async fn two_proofs_are_a_bad_request() {
    let bound = Bound::new(&[]).await;
    let one = bound.proof(&bound.valid());
    let two = bound.proof(&bound.valid());
    let doubled = bound.request("DPoP").header("dpop", &one).header("dpop", &two);
    assert_eq!(Answer::of(doubled).await.status, 400);
    assert_eq!(bound.refusal(&format!("{one},{two}")).await.1, "invalid_dpop_proof");
}

#[tokio::test]
async fn where_bound_tokens_are_required_others_are_refused_and_the_metadata_says_so() {
    let mut bound = Bound::new(&["--dpop", "required"]).await;
    assert_eq!(bound.sent(&bound.proof(&bound.valid())).await.status, 200);
    bound.token = signed(&bound.stack, &json!({}));
    let answer = Answer::of(bound.request("Bearer")).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("DPoP "));

    let origin = bound.stack.resource.strip_suffix("/mcp").unwrap();
    let url = format!("{origin}/.well-known/oauth-protected-resource/mcp");
    let metadata = Answer::of(http().get(url)).await.json;
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true);
    let algorithms = json!(["ES256", "EdDSA", "RS256"]);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], algorithms);
}

#[tokio::test]
async fn where_nonces_are_asked_for_a_proof_without_a_fresh_one_gets_the_next() {
    let bound = Bound::new(&["--dpop-nonces", "true"]).await;
    let first = bound.sent(&bound.proof(&bound.valid())).await;
    assert_eq!((first.status.as_u16(), first.text("error")), (401, "use_dpop_nonce"));
    let nonce = first.headers["dpop-nonce"].to_str().unwrap().to_owned();

    let with_nonce = |nonce| bound.proof(&DpopRequest { nonce: Some(nonce), ..bound.valid() });
    let accepted = bound.sent(&with_nonce(&nonce)).await;
    assert_eq!(accepted.status, 200);
    assert!(accepted.headers.contains_key("dpop-nonce"));
    assert_eq!(bound.refusal(&with_nonce("made-up")).await.1, "use_dpop_nonce");
    bound.stack.advance(300);
    assert_eq!(bound.refusal(&with_nonce(&nonce)).await.1, "use_dpop_nonce");
}
