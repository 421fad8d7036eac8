//! What is looked up, what is connected to, and what is refused before either.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use net::resolver::LookupFuture;
use tokio::net::TcpListener;

use super::*;
use crate::{
    http::{Fetch, FetchError},
    terminal::explain::Explanation,
};

const PUBLIC: &str = "93.184.216.34";

/// Names and the answers for each, given in turn; the last one is repeated.
type Zone<'a> = &'a [(&'a str, &'a [&'a [&'a str]])];

fn lookup(zone: Zone<'_>) -> Arc<Lookup> {
    let parse = |text: &&str| text.parse::<IpAddr>().expect("an address");
    let zone: BTreeMap<String, Vec<Vec<IpAddr>>> = zone
        .iter()
        .map(|(name, answers)| {
            let answers = answers.iter().map(|answer| answer.iter().map(parse).collect());
            ((*name).to_owned(), answers.collect())
        })
        .collect();
    let asked: BTreeMap<String, AtomicUsize> =
        zone.keys().map(|name| (name.clone(), AtomicUsize::new(0))).collect();
    Arc::new(move |name: String| -> LookupFuture {
        let turn = asked[&name].fetch_add(1, Ordering::Relaxed);
        let answers = &zone[&name];
        let answer = answers.get(turn).or(answers.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    })
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// What comes of a request to `target` that a server at `server` points at.
async fn fetched(zone: Zone<'_>, server: &str, target: &str) -> FetchError {
    let fetch = Fetch::resolving_by(lookup(zone), &url(server), Explanation::default());
    let fetch = fetch.expect("set up");
    fetch.get(&url(target)).await.expect_err("nobody speaks TLS here")
}

fn refusal(error: FetchError) -> Option<NameRefused> {
    match error {
        FetchError::Name { reason, .. } => Some(reason),
        _ => None,
    }
}

/// A port of this machine, and whether somebody has connected to it.
struct Sink(TcpListener);

impl Sink {
    async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn at(&self, name: &str) -> String {
        format!("https://{name}:{}/mcp", self.0.local_addr().expect("an address").port())
    }

    /// Ends the TLS handshake of the one connection that is expected.
    async fn hang_up(self) {
        drop(self.0.accept().await);
    }

    fn was_reached(&self) -> bool {
        use std::task::{Context, Waker};
        self.0.poll_accept(&mut Context::from_waker(Waker::noop())).is_ready()
    }
}

#[tokio::test]
async fn a_name_that_leads_inward_is_not_connected_to_for_a_remote_server() {
    let sink = Sink::open().await;
    for inward in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:127.0.0.1"] {
        let zone: Zone<'_> = &[("mcp.example", &[&[PUBLIC]]), ("as.example", &[&[PUBLIC, inward]])];
        let error = fetched(zone, "https://mcp.example/mcp", &sink.at("as.example")).await;
        assert_eq!(error.kind().1, "refused_address");
        let address = inward.parse().expect("an address");
        assert_eq!(refusal(error), Some(NameRefused::Inward(address)), "{inward}");
    }
    assert!(!sink.was_reached());
}

#[tokio::test]
async fn a_server_in_a_private_network_may_point_into_it() {
    let sink = Sink::open().await;
    let zone: Zone<'_> =
        &[("mcp.corp.example", &[&["10.0.0.5"]]), ("as.corp.example", &[&["127.0.0.1"]])];
    let target = sink.at("as.corp.example");
    let (error, ()) =
        tokio::join!(fetched(zone, "https://mcp.corp.example/mcp", &target), sink.hang_up());
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_the_person_named_may_be_in_a_private_network() {
    let sink = Sink::open().await;
    let (server, zone) =
        (sink.at("mcp.corp.example"), [("mcp.corp.example", &[&["127.0.0.1"][..]][..])]);
    let (error, ()) = tokio::join!(fetched(&zone, &server, &server), sink.hang_up());
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_cannot_be_inside_for_a_moment_to_point_inward_from_outside() {
    let zone: Zone<'_> = &[("mcp.example", &[&["127.0.0.1"], &[PUBLIC]])];
    let server = url("https://mcp.example/mcp");
    let guard = Guard::new(&server, lookup(zone));
    guard.expect(&server);
    assert!(guard.is_inside().await);
    let address = PUBLIC.parse().expect("an address");
    let again = guard.judge("mcp.example", &[address]).await;
    assert_eq!(again, Err(NameRefused::Changed(address)));
}

#[tokio::test]
async fn a_server_cannot_be_on_both_sides() {
    let zone: Zone<'_> = &[("mcp.example", &[&[PUBLIC, "127.0.0.1"]])];
    let error = fetched(zone, "https://mcp.example/mcp", "https://mcp.example/mcp").await;
    assert!(matches!(refusal(error), Some(NameRefused::BothWays(_))));
    let error = fetched(zone, "https://mcp.example/mcp", "https://127.0.0.1/").await;
    assert!(matches!(error, FetchError::Inward { .. }));
}

#[tokio::test]
async fn a_name_of_this_machine_never_leads_to_another() {
    let zone: Zone<'_> = &[("localhost", &[&[PUBLIC]]), ("as.localhost", &[&[PUBLIC]])];
    for target in ["http://localhost/token", "https://as.localhost/token"] {
        let error = fetched(zone, "http://127.0.0.1:1/mcp", target).await;
        assert!(matches!(refusal(error), Some(NameRefused::NotThisMachine(_))), "{target}");
    }
}

#[tokio::test]
async fn the_name_of_a_proxy_is_its_owners_business() {
    let zone: Zone<'_> = &[("proxy.corp.example", &[&["10.0.0.1"]])];
    let guard = Guard::new(&url("https://mcp.example/mcp"), lookup(zone));
    let inward = ["10.0.0.1".parse().expect("an address")];
    assert_eq!(guard.judge("proxy.corp.example", &inward).await, Ok(()));
}
