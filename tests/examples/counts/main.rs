//! `counts CASE REPEATS`: does one thing a fixed number of times, so that `scripts/count-instructions` can
//! count what it costs under valgrind. Without a case it prints their names.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it measures the others, and what fails there ends it"
)]

mod at_auth;
mod at_mcp;
mod primitives;

use std::{io, net::SocketAddr};

use auth::story::{Stories, StoryFile};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
};
use clap::Parser;
use http::{Request as Builder, StatusCode, header};
use tests::stack::Stack;
use tower::ServiceExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};
use url::Url;

/// Operations before those that count: what is made once is made here.
const WARM_UP: usize = 10;
/// Most requests of the cases that prepare each one.
const PREPARED: usize = WARM_UP + 2 * 25;
/// Most bytes of the file of stories.
const MAX_STORIES: u64 = 64 * 1024 * 1024;
/// Everything in a run has one address, which must reach no limit.
const LIMITS: [&str; 6] =
    ["failed-requests", "registrations", "stories", "approvals", "wrong-secrets", "proofs"];

#[derive(Parser)]
struct Options {
    case: Option<String>,
    /// How often the operations of the case are done: what two repeats cost more than one is the
    /// cost of its operations.
    #[arg(default_value_t = 1)]
    repeats: usize,
}

/// A case, and the number of operations of one repeat: many where each costs little.
type Case = (&'static str, usize);

/// What is asked of a server, again and again.
pub(crate) struct Requests {
    router: Router,
    status: u16,
    next: Box<dyn FnMut() -> Request>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = Options::parse();
    let cases = [primitives::CASES, at_auth::CASES, at_mcp::CASES].concat();
    let Some(name) = options.case else {
        cases.iter().for_each(|(name, operations)| println!("{name} {operations}"));
        return;
    };
    let case = cases.into_iter().find(|(known, _)| *known == name);
    let (name, operations) = case.expect("one of the cases that are printed without a name");
    let number = WARM_UP + options.repeats * operations;
    if primitives::CASES.contains(&(name, operations)) {
        return primitives::run(name, number);
    }
    let no_limits = LIMITS.map(|limit| format!("--limit-{limit}=0"));
    let mut stack = Stack::start_with(&no_limits.each_ref().map(String::as_str), &[]).await;
    keep_stories(&stack);
    let is_for_auth = at_auth::CASES.contains(&(name, operations));
    let mut requests = if is_for_auth {
        at_auth::requests(name, &stack).await
    } else {
        at_mcp::requests(name, &stack)
    };
    requests.send().await;
    // Background work of the server is not part of any request.
    stack.stop_auth().await;
    for _ in 1..number {
        requests.send().await;
    }
}

/// Logs and keeps stories as the program `auth` does, but that the log goes nowhere.
fn keep_stories(stack: &Stack) {
    let log = tracing_subscriber::fmt::layer().with_writer(io::sink).with_target(false);
    let log = log.with_filter(EnvFilter::new(&stack.state.config.log));
    let file = StoryFile::open(&stack.directory().join("stories"), MAX_STORIES);
    let stories = Stories::start(file.expect("a file of stories"), 1).expect("a thread");
    tracing_subscriber::registry().with(log).with(stories.layer()).init();
}

impl Requests {
    async fn send(&mut self) {
        let mut request = (self.next)();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a whole answer");
        let expected = StatusCode::from_u16(self.status).expect("a status");
        assert_eq!(status, expected, "{}", String::from_utf8_lossy(&body));
    }
}

/// A request for a page or a document, with cookies where there are some.
fn get(url: &str, cookies: &str) -> Request {
    let mut builder = addressed(Builder::get(path(url)), url);
    if !cookies.is_empty() {
        builder = builder.header(header::COOKIE, cookies);
    }
    builder.body(Body::empty()).expect("a request")
}

/// A form that is sent, with an `Authorization` header or cookies where there are some.
fn post(url: &str, form: &[(impl AsRef<str>, impl AsRef<str>)], extra: Option<Header>) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let builder = addressed(Builder::post(path(url)), url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let builder = match extra {
        Some((name, value)) => builder.header(name, value),
        None => builder,
    };
    builder.body(Body::from(body)).expect("a request")
}

type Header = (header::HeaderName, String);

fn addressed(builder: http::request::Builder, url: &str) -> http::request::Builder {
    let url = Url::parse(url).expect("a URL");
    builder.header(header::HOST, url.authority())
}

fn path(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    url[url::Position::BeforePath..].to_owned()
}
