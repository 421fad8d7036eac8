//! How often strangers may fail, prove and register (docs/limits.md), and who is not punished for it.

use futures::future::join_all;
use keys::{Algorithm, DpopRequest, SigningKey};
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, VERIFIER, http},
    stack::Stack,
};

const OFFICE: &str = "203.0.113.9";
const ELSEWHERE: &str = "198.51.100.1";

/// Few enough a minute that nothing comes back while a test runs.
const FEW: usize = 3;

/// A stack behind a proxy that says where requests come from.
async fn stack(limits: &[&str]) -> Stack {
    Stack::start_with(&[&["--trusted-proxies", "1"][..], limits].concat(), &[]).await
}

async fn machine(stack: &Stack) -> Client {
    let method = ["--auth-method", "client_secret_post"];
    let options = [&method[..], &["--grant-type", "client_credentials"]].concat();
    Client::pre_registered(stack, &options).await
}

async fn send(stack: &Stack, address: &str, form: &[(&str, &str)]) -> Answer {
    let request = http().post(stack.at("/token")).form(form);
    Answer::of(request.header("x-forwarded-for", address)).await
}

/// Asks for a token of the client's own, with this secret.
async fn prove(stack: &Stack, address: &str, id: &str, secret: &str) -> Answer {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    send(stack, address, &form).await
}

async fn refresh(stack: &Stack, address: &str, id: &str, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", token)];
    send(stack, address, &form).await
}

fn outcome(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text("error"))
}

/// Asserts that a request was one too many, and that the answer says what to do.
fn assert_one_too_many(answer: &Answer) {
    assert_eq!(outcome(answer), (429, "slow_down"), "{}", answer.json);
    let seconds: i64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(answer.text("error_description").contains("Retry-After"), "{}", answer.json);
    assert_eq!(answer.headers["cache-control"], "no-store");
}

const WRONG: (u16, &str) = (401, "invalid_client");

#[tokio::test]
async fn a_secret_is_guessed_a_few_times_a_minute_and_its_owner_is_served_elsewhere() {
    let stack = stack(&["--limit-wrong-secrets", "3"]).await;
    let client = machine(&stack).await;
    let neighbour = machine(&stack).await;
    let secret = client.secret.as_deref().unwrap();
    for number in 0..FEW {
        let guess = prove(&stack, OFFICE, &client.id, &format!("guess-{number}")).await;
        assert_eq!(outcome(&guess), WRONG);
    }
    assert_one_too_many(&prove(&stack, OFFICE, &client.id, "guess").await);
    // A right guess looks like any other, so that it does not reveal that it was right.
    assert_one_too_many(&prove(&stack, OFFICE, &client.id, secret).await);

    assert_eq!(prove(&stack, ELSEWHERE, &client.id, secret).await.status, 200);
    let own = neighbour.secret.as_deref().unwrap();
    assert_eq!(prove(&stack, OFFICE, &neighbour.id, own).await.status, 200);
    stack.advance(60);
    assert_eq!(prove(&stack, OFFICE, &client.id, secret).await.status, 200);
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_than_one_after_the_other() {
    let stack = stack(&["--limit-wrong-secrets", "3"]).await;
    let client = machine(&stack).await;
    let guesses = (0..40).map(|_| prove(&stack, OFFICE, &client.id, "guess"));
    let answers = join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| outcome(answer) == WRONG).count();
    assert_eq!(looked_at, FEW);
}

#[tokio::test]
async fn secrets_are_guessed_no_more_often_at_the_other_endpoints() {
    let stack = stack(&["--limit-wrong-secrets", "3"]).await;
    let client = machine(&stack).await;
    let form = [("client_id", client.id.as_str()), ("client_secret", "guess"), ("token", "x")];
    for (number, path) in ["/revoke", "/introspect", "/par", "/revoke"].iter().enumerate() {
        let request = http().post(stack.at(path)).form(&form);
        let answer = Answer::of(request.header("x-forwarded-for", OFFICE)).await;
        if number < FEW {
            assert_eq!(outcome(&answer), WRONG, "{path}")
        } else {
            assert_one_too_many(&answer)
        }
    }
}

#[tokio::test]
async fn an_address_that_the_sender_writes_itself_is_not_believed() {
    let stack = stack(&["--limit-wrong-secrets", "3"]).await;
    let client = machine(&stack).await;
    for number in 0..FEW {
        let address = format!("192.0.2.{number}, {OFFICE}");
        assert_eq!(outcome(&prove(&stack, &address, &client.id, "guess").await), WRONG);
    }
    assert_one_too_many(&prove(&stack, &format!("192.0.2.9, {OFFICE}"), &client.id, "guess").await);
}

#[tokio::test]
async fn a_client_that_proves_itself_as_often_as_it_likes_is_never_refused() {
    let stack = stack(&["--limit-wrong-secrets", "3", "--limit-failed-requests", "3"]).await;
    let client = machine(&stack).await;
    let secret = client.secret.as_deref().unwrap();
    let requests = (0..64).map(|_| prove(&stack, OFFICE, &client.id, secret));
    for answer in join_all(requests).await {
        assert_eq!(answer.status, 200, "{}", answer.json);
    }
}

#[tokio::test]
async fn a_flood_of_made_up_tokens_is_slowed_down_and_a_valid_one_is_not() {
    let stack = stack(&["--limit-failed-requests", "3"]).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client.id.as_str()),
        ("code", "pcc_made-up"),
        ("code_verifier", VERIFIER),
    ];
    for _ in 0..FEW {
        let answer = send(&stack, OFFICE, &form).await;
        assert_eq!(outcome(&answer), (400, "invalid_grant"));
    }
    assert_one_too_many(&send(&stack, OFFICE, &form).await);
    assert_one_too_many(&refresh(&stack, OFFICE, &client.id, "pcr_made-up").await);
    assert_one_too_many(&refresh(&stack, OFFICE, "a-made-up-client", "pcr_made-up").await);

    // The same client, whose id everybody may know, at the same address.
    let honest = refresh(&stack, OFFICE, &client.id, tokens.text("refresh_token")).await;
    assert_eq!(honest.status, 200, "{}", honest.json);
    let elsewhere = refresh(&stack, ELSEWHERE, &client.id, "pcr_made-up").await;
    assert_eq!(outcome(&elsewhere), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_client_that_authenticates_is_counted_by_itself_wherever_it_is() {
    let stack = stack(&["--limit-failed-requests", "3"]).await;
    let method = json!({"token_endpoint_auth_method": "client_secret_post"});
    let one = Client::register_as(&stack, method.clone()).await;
    let other = Client::register_as(&stack, method).await;
    let guess = async |client: &Client, address: String| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client.id.as_str()),
            ("client_secret", client.secret.as_deref().unwrap()),
            ("refresh_token", "pcr_made-up"),
        ];
        send(&stack, &address, &form).await
    };
    for number in 0..FEW {
        let answer = guess(&one, format!("192.0.2.{number}")).await;
        assert_eq!(outcome(&answer), (400, "invalid_grant"));
    }
    assert_one_too_many(&guess(&one, "192.0.2.100".into()).await);
    assert_eq!(outcome(&guess(&other, "192.0.2.100".into()).await), (400, "invalid_grant"));
}

#[tokio::test]
async fn with_the_default_limits_64_refreshes_at_once_are_all_answered() {
    let stack = stack(&[]).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let first = tokens.text("refresh_token");
    let answers = join_all((0..64).map(|_| refresh(&stack, OFFICE, &client.id, first))).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.json);
    }
}

/// A made-up token with this proof of possession.
async fn send_proof(stack: &Stack, address: &str, id: &str, proof: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", "made-up")];
    let request = http().post(stack.at("/token")).form(&form).header("dpop", proof);
    Answer::of(request.header("x-forwarded-for", address)).await
}

#[tokio::test]
async fn proofs_of_strangers_fill_no_table_and_one_too_many_is_not_used_up() {
    let stack = stack(&["--limit-proofs", "3"]).await;
    let stranger = Client::register(&stack).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let proof = || {
        let url = stack.at("/token");
        let now = stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        key.dpop_proof(&request).unwrap()
    };
    for _ in 0..FEW {
        let answer = send_proof(&stack, OFFICE, &stranger.id, &proof()).await;
        assert_eq!(outcome(&answer), (400, "invalid_grant"));
    }
    let kept = proof();
    assert_one_too_many(&send_proof(&stack, OFFICE, &stranger.id, &kept).await);
    let elsewhere = send_proof(&stack, ELSEWHERE, &stranger.id, &proof()).await;
    assert_eq!(outcome(&elsewhere), (400, "invalid_grant"));
    // A proof that is remembered as used would be refused as such.
    stack.advance(20);
    let answer = send_proof(&stack, OFFICE, &stranger.id, &kept).await;
    assert_eq!(outcome(&answer), (400, "invalid_grant"));

    // An operator vouches for this one.
    let machine = machine(&stack).await;
    for _ in 0..=FEW {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", machine.id.as_str()),
            ("client_secret", machine.secret.as_deref().unwrap()),
        ];
        let request = http().post(stack.at("/token")).form(&form).header("dpop", proof());
        let answer = Answer::of(request.header("x-forwarded-for", OFFICE)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
    }
}

async fn register(stack: &Stack, address: &str) -> Answer {
    let request = json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"});
    let request = http().post(stack.at("/register")).json(&request);
    Answer::of(request.header("x-forwarded-for", address)).await
}

#[tokio::test]
async fn an_address_registers_a_few_clients_a_minute_and_the_count_is_not_in_the_database() {
    let stack = stack(&["--limit-registrations", "3"]).await;
    let before = stack.database_size();
    for _ in 0..FEW {
        assert_eq!(register(&stack, OFFICE).await.status, 201);
    }
    assert_one_too_many(&register(&stack, OFFICE).await);
    assert_eq!(register(&stack, ELSEWHERE).await.status, 201);
    // One host has as many addresses as it likes of these 64 bits.
    for number in 0..FEW {
        assert_eq!(register(&stack, &format!("2001:db8:1:2::{number}")).await.status, 201);
    }
    assert_one_too_many(&register(&stack, "2001:db8:1:2:ffff::1").await);
    assert_eq!(register(&stack, "2001:db8:1:3::1").await.status, 201);
    assert_eq!(stack.database_size(), before);
    stack.advance(60);
    assert_eq!(register(&stack, OFFICE).await.status, 201);
}

#[tokio::test]
async fn zero_is_no_limit() {
    let off = ["--limit-wrong-secrets", "0", "--limit-registrations", "0"];
    let stack =
        stack(&[&off[..], &["--limit-failed-requests", "0", "--limit-proofs", "0"]].concat()).await;
    let client = machine(&stack).await;
    let guesses = (0..100).map(|_| prove(&stack, OFFICE, &client.id, "guess"));
    for answer in join_all(guesses).await {
        assert_eq!(outcome(&answer), WRONG);
    }
    assert_eq!(register(&stack, OFFICE).await.status, 201);
}

#[tokio::test]
async fn a_person_lets_so_many_programs_in_a_day_and_others_are_not_kept_from_it() {
    let stack = stack(&["--limit-approvals", "2"]).await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    for _ in 0..2 {
        client.obtain_code(&mut browser).await;
    }
    let url = client.authorize_url(&client.authorize_parameters());
    let page = client.reach_consent(&mut browser, &url).await;
    let refused = browser.press(&page, "decision", "allow").await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(!refused.header("retry-after").is_empty());

    let mut other = Browser::default();
    let page = other.open(&url).await;
    let page = other.send_form(&page, "/sign-in/github").await;
    let page = other.press(&page, "user", "ada-park").await;
    let allowed = other.press(&page, "decision", "allow").await;
    assert!(allowed.query("code").is_some(), "{}", allowed.text());
}

#[tokio::test]
async fn access_tokens_of_a_person_are_revoked_one_by_one_so_often_and_all_at_once_ever_after() {
    let stack = stack(&["--limit-revocations", "2"]).await;
    let client = Client::register(&stack).await;
    let mut tokens = client.obtain_tokens(&mut Browser::default()).await;
    let revoke = async |token: &str| {
        let form = [("client_id", client.id.clone()), ("token", token.to_owned())];
        client.post("/revoke", &form).await
    };
    for _ in 0..2 {
        assert_eq!(revoke(tokens.text("access_token")).await.status, 200);
        tokens = client.refresh(tokens.text("refresh_token")).await;
    }
    let refused = revoke(tokens.text("access_token")).await;
    assert_eq!(outcome(&refused), (429, "slow_down"), "{}", refused.json);
    assert_eq!(client.user_info(tokens.text("access_token")).await.status, 200);
    assert_eq!(revoke(tokens.text("refresh_token")).await.status, 200);
    assert_eq!(client.user_info(tokens.text("access_token")).await.status, 401);
}
