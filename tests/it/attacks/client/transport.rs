//! Servers that cannot prove who they are, and networks that would listen.

use std::task::{Context, Waker};

use serde_json::json;
use tests::{
    programs::command_line::{CommandLine, Outcome},
    servers::{
        open_server::OpenServer,
        tls::{Authority, Certified, TlsServer},
    },
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

/// Years long after and long before today.
const GOOD: i32 = 2999;
const OVER: i32 = 2020;

async fn open_server() -> OpenServer {
    OpenServer::start(&[("tools/list", json!({"tools": []}))]).await
}

/// The outcome of a call by a client that trusts `authority`, and whether it accepted the server.
async fn called(authority: &Authority, certified: Certified) -> (Outcome, usize) {
    let behind = open_server().await;
    let server = TlsServer::start(&behind.url, certified).await;
    let file = authority.file().display().to_string();
    let person = CommandLine::of(&server.url, "");
    let outcome = person.run_with(&["tools"], ("SSL_CERT_FILE", &file)).await;
    (outcome, server.handshakes())
}

#[tokio::test]
async fn a_server_is_believed_only_with_a_good_certificate_for_its_own_name() {
    let trusted = Authority::new();
    let other = Authority::new();
    let (outcome, handshakes) = called(&trusted, trusted.certify("localhost", GOOD)).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(handshakes > 0);
    for (what, certified) in [
        ("another name", trusted.certify("other.example", GOOD)),
        ("expired", trusted.certify("localhost", OVER)),
        ("signed by a stranger", other.certify("localhost", GOOD)),
        ("signed by itself", Certified::by_itself("localhost", GOOD)),
    ] {
        let (outcome, handshakes) = called(&trusted, certified).await;
        assert_eq!(outcome.code, 3, "{what}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("certificate"), "{what}: {}", outcome.stderr);
        assert_eq!(handshakes, 0, "{what}");
    }
}

/// The versions of TLS that a `ClientHello` offers (RFC 8446 §4.1.2 and §4.2.1).
fn offered_versions(hello: &[u8]) -> Vec<u16> {
    let number = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    let length = |at: usize| usize::from(number(at));
    // The headers of the record and of the message, the old version, the randomness.
    let session = 5 + 4 + 2 + 32;
    let ciphers = session + 1 + usize::from(hello[session]);
    let compression = ciphers + 2 + length(ciphers);
    let mut at = compression + 1 + usize::from(hello[compression]) + 2;
    while number(at) != 43 {
        at += 4 + length(at + 2);
    }
    let end = at + 5 + usize::from(hello[at + 4]);
    (at + 5..end).step_by(2).map(number).collect()
}

/// The first record that comes through `stream`.
async fn first_record(stream: &mut TcpStream) -> Vec<u8> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).await.unwrap();
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..]).await.unwrap();
    record
}

#[tokio::test]
async fn no_version_of_tls_before_1_2_is_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/mcp", listener.local_addr().unwrap());
    let person = CommandLine::of(&address, "");
    let listen = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        first_record(&mut stream).await
    };
    let _process = person.start(&["tools"]);
    let mut versions = offered_versions(&listen.await);
    versions.sort_unstable();
    assert_eq!(versions, [0x0303, 0x0304], "1.2 and 1.3");
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    for address in ["http://mcp.example.com/mcp", "http://10.0.0.1/mcp", "http://a.localhost/mcp"] {
        let outcome = CommandLine::of(address, "").run(&["tools"]).await;
        assert_eq!(outcome.code, 2, "{address}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("use https"), "{}", outcome.stderr);
    }
}

/// Whether a client has connected to `listener`, or is about to.
fn was_reached(listener: &TcpListener) -> bool {
    let mut accepting = std::pin::pin!(listener.accept());
    accepting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test]
async fn no_proxy_comes_between_this_machine_and_its_own_servers() {
    let server = open_server().await;
    let port = url::Url::parse(&server.url).unwrap().port().unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        for host in ["127.0.0.1", "localhost"] {
            let person = CommandLine::of(&format!("http://{host}:{port}/mcp"), "");
            let outcome = person.run_with(&["tools"], (variable, &address)).await;
            assert_eq!(outcome.code, 0, "{variable}: {}", outcome.stderr);
        }
        let person = CommandLine::of("https://127.9.9.9:1/mcp", "");
        assert_eq!(person.run_with(&["tools"], (variable, &address)).await.code, 3, "{variable}");
    }
    assert!(!was_reached(&proxy));
    // Other servers are reached through it, so it was there to be used.
    let person = CommandLine::of("https://mcp.example.com/mcp", "");
    let call = person.run_with(&["tools"], ("HTTPS_PROXY", &address));
    let asked = async {
        let (mut stream, _) = proxy.accept().await.unwrap();
        let mut asked = [0; 7];
        stream.read_exact(&mut asked).await.unwrap();
        asked
    };
    let (outcome, asked) = tokio::join!(call, asked);
    assert_eq!((outcome.code, &asked), (3, b"CONNECT"));
}
