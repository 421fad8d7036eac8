//! The deny list against an issuer that can be told what to answer.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::{Query, State as Shared},
    http::{HeaderMap, StatusCode as Status},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

const GRANT: &str = "5f0c";
const TOKEN: &str = "5f0c.1";
const KEY_ID: &str = "8r4T";
const ISSUED_AT: i64 = 1_800_000_000;

struct Issuer {
    url: String,
    has_list: bool,
    is_down: AtomicBool,
    revoked: Mutex<Vec<(String, i64, Option<i64>)>>,
    /// Number of entries in one answer.
    page: AtomicUsize,
    full_answers: AtomicUsize,
}

#[derive(Deserialize)]
struct Question {
    after: usize,
}

async fn metadata(Shared(issuer): Shared<Arc<Issuer>>) -> Response {
    let url = &issuer.url;
    let list = format!("{url}/revocations");
    match (issuer.is_down.load(Ordering::Relaxed), issuer.has_list) {
        (true, _) => Status::BAD_GATEWAY.into_response(),
        (_, true) => Json(json!({"issuer": url, "revocations_endpoint": list})).into_response(),
        (_, false) => Json(json!({"issuer": url})).into_response(),
    }
}

async fn revocations(
    Shared(issuer): Shared<Arc<Issuer>>,
    Query(question): Query<Question>,
    headers: HeaderMap,
) -> Response {
    if issuer.is_down.load(Ordering::Relaxed) {
        return Status::BAD_GATEWAY.into_response();
    }
    let all = issuer.revoked.lock().unwrap();
    if headers[IF_NONE_MATCH] == format!("\"{}\"", all.len()).as_str() {
        return Status::NOT_MODIFIED.into_response();
    }
    issuer.full_answers.fetch_add(1, Ordering::Relaxed);
    let known = if question.after > all.len() { 0 } else { question.after };
    let news = all.iter().skip(known).take(issuer.page.load(Ordering::Relaxed));
    let entry = |(id, until, before): &(String, i64, Option<i64>)| json!({"id": id, "until": until, "before": before});
    let revoked: Vec<_> = news.map(entry).collect();
    Json(json!({"version": known + revoked.len(), "revoked": revoked})).into_response()
}

fn named(token_id: &str) -> Revocable<'_> {
    Revocable {
        token_id,
        key_id: Some(KEY_ID),
        subject: "nick",
        client_id: "app",
        issued_at: ISSUED_AT,
    }
}

struct Setting {
    issuer: Arc<Issuer>,
    list: Arc<DenyList>,
    seconds: Arc<AtomicI64>,
}

impl Setting {
    async fn new(policy: Revocations, has_list: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Arc::new(Issuer {
            url: url.clone(),
            has_list,
            is_down: AtomicBool::default(),
            revoked: Mutex::default(),
            page: AtomicUsize::new(1000),
            full_answers: AtomicUsize::default(),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/revocations", get(revocations))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5));
        let server = Arc::new(AuthorizationServer::new(http.build().unwrap(), url));
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let clock = Clock::manual(seconds.clone());
        let keys = KeyCache::new(server.clone(), clock.clone());
        let list = DenyList::new(server, policy, keys, clock);
        Self { issuer, list, seconds }
    }

    fn revoke(&self, id: &str) {
        self.revoke_before(id, None);
    }

    fn revoke_before(&self, id: &str, before: Option<i64>) {
        let until = self.list.clock.now() + 900;
        self.issuer.revoked.lock().unwrap().push((id.into(), until, before));
    }

    /// Waits until the task has taken a whole turn that began after now.
    async fn turn(&self) {
        let mut turns = self.list.follow(&mut self.list.state()).clone();
        let seen = *turns.borrow_and_update();
        turns.wait_for(|turn| *turn > seen + 1).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_caller_knows_what_was_revoked_before() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    setting.revoke(GRANT);
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked));
    assert_eq!(setting.list.check(named("6e2a.1")).await, Ok(()));
}

#[tokio::test]
async fn a_token_or_its_whole_grant_is_refused_one_turn_later() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Ok(()));
    setting.revoke("6e2a.7");
    setting.revoke(GRANT);
    setting.turn().await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked));
    assert_eq!(setting.list.check(named("6e2a.7")).await, Err(Refusal::Revoked));
    assert_eq!(setting.list.check(named("6e2a.8")).await, Ok(()));
    assert!(setting.list.has_revoked(named(TOKEN)));
}

#[tokio::test]
async fn a_withdrawn_key_takes_all_its_tokens_with_it_and_no_other() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Ok(()));
    setting.revoke(&format!("kid:{KEY_ID}"));
    setting.turn().await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::KeyWithdrawn));
    assert!(setting.list.has_revoked(named(TOKEN)));
    for key_id in [Some("another"), None] {
        assert_eq!(setting.list.check(Revocable { key_id, ..named(TOKEN) }).await, Ok(()));
    }
}

#[tokio::test]
async fn of_a_user_or_client_who_is_shut_out_the_tokens_until_then_are_refused() {
    let client = format!("client:{}", URL_SAFE_NO_PAD.encode(sha256("app")));
    for id in ["sub:nick", &client] {
        let setting = Setting::new(Revocations::FailOpen, true).await;
        assert_eq!(setting.list.check(named(TOKEN)).await, Ok(()));
        setting.revoke_before(id, Some(ISSUED_AT + 1));
        setting.turn().await;
        assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked), "{id}");
        assert!(setting.list.has_revoked(named(TOKEN)));
        let other = Revocable { subject: "ada", client_id: "other", ..named(TOKEN) };
        assert_eq!(setting.list.check(other).await, Ok(()));
        let later = Revocable { issued_at: ISSUED_AT + 1, ..named(TOKEN) };
        assert_eq!(setting.list.check(later).await, Ok(()), "{id} was let in again");
    }
}

#[tokio::test]
async fn nothing_is_sent_twice_and_a_long_list_comes_in_pages() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    (0..10).for_each(|number| setting.revoke(&format!("{number}.1")));
    setting.issuer.page.store(4, Ordering::Relaxed);
    assert_eq!(setting.list.check(named("9.1")).await, Err(Refusal::Revoked));
    setting.turn().await;
    assert_eq!(setting.issuer.full_answers.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    setting.revoke(GRANT);
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked));
    setting.seconds.fetch_add(900, Ordering::Relaxed);
    setting.turn().await;
    assert!(setting.list.state().tokens.is_empty());
}

#[tokio::test]
async fn through_an_outage_fail_open_knows_what_it_knew_and_accepts_the_rest() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    setting.revoke(GRANT);
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked));
    setting.issuer.is_down.store(true, Ordering::Relaxed);
    setting.turn().await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked));
    assert_eq!(setting.list.check(named("6e2a.1")).await, Ok(()));
}

#[tokio::test]
async fn fail_closed_refuses_everything_until_the_list_can_be_had() {
    let setting = Setting::new(Revocations::FailClosed, true).await;
    setting.issuer.is_down.store(true, Ordering::Relaxed);
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::RevocationsUnknown));
    setting.issuer.is_down.store(false, Ordering::Relaxed);
    setting.turn().await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Ok(()));

    setting.list.state().known_at = Instant::now().checked_sub(MAX_AGE);
    setting.issuer.is_down.store(true, Ordering::Relaxed);
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::RevocationsUnknown));
}

#[tokio::test]
async fn an_issuer_without_a_list_is_trusted_only_where_none_is_demanded() {
    let open = Setting::new(Revocations::FailOpen, false).await;
    assert_eq!(open.list.check(named(TOKEN)).await, Ok(()));
    let closed = Setting::new(Revocations::FailClosed, false).await;
    assert_eq!(closed.list.check(named(TOKEN)).await, Err(Refusal::RevocationsUnknown));
}

#[tokio::test]
async fn an_issuer_with_another_database_is_believed_from_the_start() {
    let setting = Setting::new(Revocations::FailOpen, true).await;
    (0..3).for_each(|number| setting.revoke(&format!("{number}.1")));
    assert_eq!(setting.list.check(named("2.1")).await, Err(Refusal::Revoked));
    setting.issuer.revoked.lock().unwrap().clear();
    setting.revoke(GRANT);
    setting.turn().await;
    assert_eq!(setting.list.check(named(TOKEN)).await, Err(Refusal::Revoked));
    assert_eq!(setting.list.check(named("2.1")).await, Ok(()));
}

#[tokio::test]
async fn off_asks_nothing_and_refuses_nothing() {
    let setting = Setting::new(Revocations::Off, true).await;
    setting.revoke(GRANT);
    assert_eq!(setting.list.check(named(TOKEN)).await, Ok(()));
    assert!(!setting.list.has_revoked(named(TOKEN)));
    assert!(setting.list.state().polls.is_none());
}
