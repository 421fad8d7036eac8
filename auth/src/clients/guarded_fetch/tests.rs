//! What is resolved, what is connected to, and what is refused before either.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use net::resolver::{LookupFuture, MAX_ADDRESSES};
use reqwest::dns::Resolve;
use tokio::net::TcpListener;

use super::*;

/// A lookup that answers in turn, and how often it was asked.
fn lookup(answers: &[&[&'static str]]) -> (Arc<Lookup>, Arc<AtomicUsize>) {
    let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
    let answers: Vec<Vec<IpAddr>> = answers.iter().map(parse).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup = move |_: String| -> LookupFuture {
        let turn = count.fetch_add(1, Ordering::Relaxed);
        let answer = answers.get(turn).or(answers.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    };
    (Arc::new(lookup), asked)
}

async fn resolved(answers: &[&[&'static str]]) -> (Result<Vec<SocketAddr>, String>, usize) {
    let (lookup, asked) = lookup(answers);
    let resolver = JudgedResolver::new(lookup, PublicOnly { allows_loopback: false });
    let found = resolver.resolve("cimd.test".parse().unwrap()).await;
    let found = found.map(Iterator::collect).map_err(|error| error.to_string());
    (found, asked.load(Ordering::Relaxed))
}

fn issuer() -> Url {
    Url::parse("https://auth.test").unwrap()
}

#[tokio::test]
async fn nothing_is_fetched_from_this_server_itself() {
    let sink = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = sink.local_addr().unwrap().port();
    let local = Url::parse(&format!("http://localhost:{port}")).unwrap();
    for (issuer, url) in [
        (issuer(), "https://auth.test/authorize?client_id=x".to_owned()),
        (issuer(), "https://AUTH.test:8443/jwks".to_owned()),
        (local.clone(), format!("http://localhost:{port}/c.json")),
        (local.clone(), format!("http://127.0.0.1:{port}/c.json")),
        (local.clone(), format!("http://[::1]:{port}/c.json")),
    ] {
        let fetch = GuardedFetch::new(issuer, true).unwrap();
        let refused = fetch.fetch(&Url::parse(&url).unwrap(), 5120, None, 0).await;
        assert!(matches!(refused.map(|_| ()), Err(FetchError::Own)), "{url}");
    }
    assert_untouched(&sink).await;
    let is_own = |url: &str| is_same_server(&local, &Url::parse(url).unwrap());
    assert!(!is_own("http://localhost:1/c.json") && !is_own("https://auth.test/c.json"));
}

#[test]
fn a_fetch_is_known_among_the_entries_of_proxies() {
    let is_fetch = |values: &[&'static str]| {
        let values = values.iter().map(|value| (header::HeaderName::from_static(CDN_LOOP), *value));
        super::is_fetch(&values.map(|(name, value)| (name, value.parse().unwrap())).collect())
    };
    assert!(is_fetch(&["portcullis"]) && is_fetch(&["cloudflare", "edge; v=1, Portcullis;a=b"]));
    assert!(!is_fetch(&[]) && !is_fetch(&["cloudflare", "not-portcullis"]));
}

#[tokio::test]
async fn a_name_is_refused_if_any_of_its_addresses_is_not_public() {
    for answer in [
        &["127.0.0.1"][..],
        &["::1"],
        &["93.184.216.34", "10.0.0.1"],
        &["2606:4700::1", "::ffff:169.254.169.254"],
        &[],
    ] {
        let (found, _) = resolved(&[answer]).await;
        assert!(found.is_err(), "{answer:?}");
    }
}

#[tokio::test]
async fn the_addresses_that_were_judged_are_the_ones_connected_to() {
    // A second look-up would find loopback; there is none.
    let (found, asked) = resolved(&[&["93.184.216.34"], &["127.0.0.1"]]).await;
    assert_eq!(found.unwrap(), ["93.184.216.34:0".parse().unwrap()]);
    assert_eq!(asked, 1);
    let many = vec!["93.184.216.34"; 100];
    assert_eq!(resolved(&[&many]).await.0.unwrap().len(), MAX_ADDRESSES);
}

#[tokio::test]
async fn a_fetch_asks_for_the_name_once_and_connects_to_nothing_that_is_not_public() {
    let sink = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = sink.local_addr().unwrap().port();
    let (lookup, asked) = lookup(&[&["127.0.0.1"]]);
    let fetch = GuardedFetch::resolving_by(lookup, issuer(), false).unwrap();
    let url = Url::parse(&format!("https://cimd.test:{port}/c.json")).unwrap();
    let refused = fetch.fetch(&url, 5120, None, 0).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, FetchError::Unreachable(_)), "{refused}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_untouched(&sink).await;
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_without_a_resolver() {
    let sink = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = sink.local_addr().unwrap().port();
    let fetch = GuardedFetch::new(issuer(), false).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
        "[fd00::1]",
        "[fe80::1]",
        "localhost",
        "localhost.",
        "a.localhost",
        "metadata.google.internal",
        "printer.local",
        "intranet",
    ] {
        let url = Url::parse(&format!("https://{host}:{port}/c.json")).unwrap();
        let refused = fetch.fetch(&url, 5120, None, 0).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, FetchError::NotPublic(_)), "{host}: {refused}");
    }
    let plain = Url::parse("http://93.184.216.34/c.json").unwrap();
    let refused = fetch.fetch(&plain, 5120, None, 0).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, FetchError::NotPublic(_)));
    assert_untouched(&sink).await;
}

/// A connection of the fetch would be in the queue before this one of the test.
async fn assert_untouched(sink: &TcpListener) {
    let own = tokio::net::TcpStream::connect(sink.local_addr().unwrap()).await.unwrap();
    let (_, peer) = sink.accept().await.unwrap();
    assert_eq!(peer, own.local_addr().unwrap());
}

#[test]
fn an_origin_and_all_of_them_together_are_limited() {
    let fetch = GuardedFetch::new(issuer(), false).unwrap();
    let of = |host: u32| Url::parse(&format!("https://h{host}.test/c")).unwrap();
    for _ in 0..MAX_PER_MINUTE_AND_ORIGIN {
        assert!(fetch.admit(&of(0), 0).is_ok());
    }
    assert!(matches!(fetch.admit(&of(0), 0), Err(FetchError::TooMany(_))));
    assert!(fetch.admit(&of(0), 60).is_ok());
    let others = (1..2 * MAX_PER_MINUTE).filter(|host| fetch.admit(&of(*host), 60).is_ok());
    assert!(others.count() < MAX_PER_MINUTE as usize);
    let fresh = GuardedFetch::new(issuer(), false).unwrap();
    let held: Vec<_> = (0..512).filter_map(|host| fresh.admit(&of(host), 0).ok()).collect();
    assert_eq!(held.len(), MAX_CONCURRENT_FETCHES);
}

#[test]
fn a_network_is_limited_and_leaves_the_others_alone() {
    let fetch = GuardedFetch::new(issuer(), false).unwrap();
    for _ in 0..MAX_PER_MINUTE_AND_NETWORK {
        assert!(fetch.admit_visitor("203.0.113.0/24", 0).is_ok());
    }
    let refused = fetch.admit_visitor("203.0.113.0/24", 0);
    assert!(matches!(refused, Err(FetchError::TooMany(_))));
    assert!(fetch.admit_visitor("198.51.100.0/24", 0).is_ok());
    assert!(fetch.admit_visitor("203.0.113.0/24", 1).is_ok());
}

#[test]
fn only_a_json_document_is_an_answer() {
    let judged = |status: u16, lines: &[(&'static str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(*name, value.parse().unwrap());
        }
        check_answer(StatusCode::from_u16(status).unwrap(), &headers)
    };
    let json = ("content-type", "application/json");
    assert!(judged(200, &[json]).is_ok());
    assert!(judged(200, &[("content-type", "application/client+json; charset=UTF-8")]).is_ok());
    for media_type in ["text/html", "application/json; charset=latin1", "text/json", ""] {
        let judged = judged(200, &[("content-type", media_type)]);
        assert!(matches!(judged, Err(FetchError::Unusable(_))), "{media_type}");
    }
    assert!(matches!(
        judged(200, &[json, ("content-encoding", "br")]),
        Err(FetchError::Unusable(_))
    ));
    for status in [201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 404, 410] {
        assert!(matches!(judged(status, &[json]), Err(FetchError::Unusable(_))), "{status}");
    }
    for status in [403, 429, 500, 503, 520] {
        assert!(matches!(judged(status, &[json]), Err(FetchError::Unreachable(_))), "{status}");
    }
}
