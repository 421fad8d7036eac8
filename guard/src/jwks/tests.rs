//! The key cache against a small issuer whose clock, health and speed the tests decide.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State as Shared,
    http::StatusCode as Status,
    response::{IntoResponse, Response},
    routing::get,
};
use keys::{Algorithm, KeySet, SigningKey};
use serde_json::json;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use super::*;

/// Seconds that the issuer's keys are fresh.
const MAX_AGE: i64 = 300;

struct Issuer {
    url: String,
    set: Mutex<KeySet>,
    kid: String,
    /// What stood in `Cache-Control` of the last request.
    asked_for: Mutex<Option<HeaderValue>>,
    is_down: AtomicBool,
    fetches: AtomicUsize,
    unchanged: AtomicUsize,
    /// A permit is added for each request that arrives.
    arrivals: Semaphore,
    /// A request is answered when it gets a permit of these.
    answers: Semaphore,
}

async fn metadata(Shared(issuer): Shared<Arc<Issuer>>) -> Response {
    issuer.arrivals.add_permits(1);
    let _permit = issuer.answers.acquire().await.unwrap();
    let url = &issuer.url;
    if issuer.is_down.load(Ordering::Relaxed) {
        Status::BAD_GATEWAY.into_response()
    } else {
        Json(json!({"issuer": url, "jwks_uri": format!("{url}/jwks")})).into_response()
    }
}

async fn jwks(Shared(issuer): Shared<Arc<Issuer>>, headers: HeaderMap) -> Response {
    issuer.fetches.fetch_add(1, Ordering::Relaxed);
    issuer.arrivals.add_permits(1);
    *issuer.asked_for.lock().unwrap() = headers.get(CACHE_CONTROL).cloned();
    let _permit = issuer.answers.acquire().await.unwrap();
    let set = issuer.set.lock().unwrap().clone();
    let tag = set.keys().len().to_string();
    let caching = [("cache-control", format!("public, max-age={MAX_AGE}")), ("etag", tag.clone())];
    if issuer.is_down.load(Ordering::Relaxed) {
        return Status::BAD_GATEWAY.into_response();
    }
    if headers.get(IF_NONE_MATCH).is_some_and(|etag| *etag == tag) {
        issuer.unchanged.fetch_add(1, Ordering::Relaxed);
        return (Status::NOT_MODIFIED, caching).into_response();
    }
    (caching, Json(&set)).into_response()
}

struct Setting {
    issuer: Arc<Issuer>,
    cache: Arc<KeyCache>,
    seconds: Arc<AtomicI64>,
}

impl Setting {
    async fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let issuer = Arc::new(Issuer {
            url: url.clone(),
            set: KeySet::new(vec![key.public_jwk().clone()]).into(),
            kid: key.kid().into(),
            asked_for: Mutex::default(),
            is_down: AtomicBool::default(),
            fetches: AtomicUsize::default(),
            unchanged: AtomicUsize::default(),
            arrivals: Semaphore::new(0),
            answers: Semaphore::new(100),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/jwks", get(jwks))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5));
        let server = AuthorizationServer::new(http.build().unwrap(), url);
        let cache = KeyCache::new(Arc::new(server), Clock::manual(seconds.clone()));
        Self { issuer, cache, seconds }
    }

    /// One whose keys have been fetched.
    async fn warm() -> Self {
        let setting = Self::new().await;
        assert!(setting.knows_its_key().await);
        setting
    }

    fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn set_down(&self, is_down: bool) {
        self.issuer.is_down.store(is_down, Ordering::Relaxed);
    }

    async fn knows_its_key(&self) -> bool {
        let kid = &self.issuer.kid;
        self.cache.holding(kid).await.is_ok_and(|keys| keys.contains(kid))
    }

    /// The same, without waiting for any answer.
    async fn knows_its_key_at_once(&self) -> bool {
        tokio::select! {
            biased;
            known = self.knows_its_key() => known,
            () = std::future::ready(()) => false,
        }
    }

    fn fetches(&self) -> usize {
        self.issuer.fetches.load(Ordering::Relaxed)
    }

    async fn fetch_has_ended(&self) {
        let running = self.cache.state().running.clone();
        let _ = running.unwrap().changed().await;
    }
}

#[tokio::test]
async fn a_storm_of_unknown_keys_causes_one_fetch_and_disturbs_nobody() {
    let setting = Setting::warm().await;
    setting.advance(60);
    for _ in 0..2 {
        let mut storm = JoinSet::new();
        for number in 0..100 {
            let cache = setting.cache.clone();
            storm.spawn(async move { cache.holding(&format!("unknown-{number}")).await });
        }
        for keys in storm.join_all().await {
            assert!(!keys.unwrap().is_empty());
        }
        assert!(setting.knows_its_key().await);
        assert_eq!(setting.fetches(), 2);
    }
    setting.advance(60);
    setting.cache.holding("unknown").await.unwrap();
    assert_eq!(setting.fetches(), 3);
}

#[tokio::test]
async fn whoever_hangs_up_does_not_end_the_fetch() {
    let setting = Setting::new().await;
    setting.issuer.answers.forget_permits(100);
    let (cache, kid) = (setting.cache.clone(), setting.issuer.kid.clone());
    let request = tokio::spawn(async move { cache.holding(&kid).await });
    setting.issuer.arrivals.acquire().await.unwrap().forget();
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    setting.issuer.answers.add_permits(100);
    assert!(setting.knows_its_key().await);
    assert_eq!(setting.fetches(), 1);
}

#[tokio::test]
async fn keys_are_fetched_anew_ahead_of_their_end_while_requests_go_on() {
    let setting = Setting::warm().await;
    setting.advance(MAX_AGE / 2);
    assert!(setting.knows_its_key().await);
    assert_eq!(setting.fetches(), 1);

    setting.issuer.answers.forget_permits(100);
    setting.advance(MAX_AGE * 3 / 8);
    assert!(setting.knows_its_key_at_once().await);
    setting.issuer.answers.add_permits(100);
    setting.fetch_has_ended().await;
    assert_eq!(setting.issuer.unchanged.load(Ordering::Relaxed), 1);

    setting.advance(MAX_AGE / 2);
    assert!(setting.knows_its_key().await);
    assert_eq!(setting.fetches(), 2);
}

#[tokio::test]
async fn an_answer_that_was_long_under_way_is_as_old_as_its_question() {
    let setting = Setting::new().await;
    setting.issuer.answers.forget_permits(100);
    let (cache, kid) = (setting.cache.clone(), setting.issuer.kid.clone());
    let request = tokio::spawn(async move { cache.holding(&kid).await });
    setting.issuer.arrivals.acquire().await.unwrap().forget();
    setting.advance(60);
    setting.issuer.answers.add_permits(100);
    assert!(request.await.unwrap().is_ok());

    setting.advance(MAX_AGE - 60);
    setting.cache.holding("made-meanwhile").await.unwrap();
    assert_eq!(setting.fetches(), 2, "the set is held for longer than its age");
}

#[tokio::test]
async fn known_keys_are_used_through_an_outage_of_a_day_and_no_longer() {
    let setting = Setting::warm().await;
    setting.set_down(true);
    setting.advance(MAX_AGE + 1);
    assert!(setting.knows_its_key().await);
    let unknown = setting.cache.holding("unknown").await;
    assert_eq!(unknown.unwrap_err(), Refusal::NoKeys, "nobody said that there is no such key");

    setting.issuer.answers.forget_permits(100);
    setting.advance(MAX_STALENESS - 60);
    assert!(setting.knows_its_key_at_once().await);
    setting.issuer.answers.add_permits(100);
    setting.fetch_has_ended().await;

    setting.advance(60);
    assert!(!setting.knows_its_key().await);
    setting.set_down(false);
    setting.advance(60);
    assert!(setting.knows_its_key().await);
}

#[tokio::test]
async fn after_a_key_was_withdrawn_its_successor_is_known_as_soon_as_it_is_published() {
    let setting = Setting::warm().await;
    let successor = SigningKey::generate(Algorithm::ES256).unwrap();
    setting.advance(1);
    setting.cache.withdraw(&setting.issuer.kid);
    setting.fetch_has_ended().await;
    // The issuer has not noticed yet: nobody may say that there is no such key.
    let early = setting.cache.holding(successor.kid()).await;
    assert_eq!(early.unwrap_err(), Refusal::NoKeys);
    assert_eq!(setting.issuer.asked_for.lock().unwrap().as_ref().unwrap(), "no-cache");

    let both = vec![successor.public_jwk().clone(), successor.public_jwk().clone()];
    *setting.issuer.set.lock().unwrap() = KeySet::new(both);
    setting.advance(1);
    assert!(setting.cache.holding(successor.kid()).await.unwrap().contains(successor.kid()));
    assert!(!setting.knows_its_key().await);
    let fetches = setting.fetches();
    setting.advance(1);
    setting.cache.holding("unknown").await.unwrap();
    assert_eq!(setting.fetches(), fetches, "fetches go on after the key is gone");
}

#[tokio::test]
async fn an_issuer_that_starts_later_is_found() {
    let setting = Setting::new().await;
    setting.set_down(true);
    let keys = setting.cache.holding("any").await;
    assert_eq!(keys.unwrap_err(), Refusal::NoKeys);
    setting.set_down(false);
    setting.advance(5);
    assert!(setting.knows_its_key().await);
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_followed() {
    let setting = Setting::new().await;
    let http = setting.cache.server.http.clone();
    let other = setting.issuer.url.replace("127.0.0.1", "localhost");
    let server = Arc::new(AuthorizationServer::new(http, other));
    let cache = KeyCache::new(server, Clock::manual(setting.seconds.clone()));
    let keys = cache.holding(&setting.issuer.kid).await;
    assert_eq!(keys.unwrap_err(), Refusal::NoKeys);
    assert_eq!(setting.fetches(), 0);
}

#[test]
fn what_an_answer_says_of_its_freshness_is_bounded() {
    let read = |text: &'static str| {
        max_age(&[(CACHE_CONTROL, HeaderValue::from_static(text))].into_iter().collect())
    };
    assert_eq!(read("public, max-age=600"), 600);
    assert_eq!(read("max-age=0"), 10);
    assert_eq!(read("max-age=99999999"), 24 * 3600);
    assert_eq!(read("no-cache"), 300);
    assert_eq!(max_age(&HeaderMap::new()), 300);
}
