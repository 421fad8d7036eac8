//! Where the access token goes, and where it never does.

use std::{future::IntoFuture as _, sync::Mutex};

use axum::{Router, extract::State, http::Uri, response::IntoResponse};
use http::{Method, header::LOCATION};
use rmcp::model::{ClientNotification, ClientRequest, NumberOrString};

use super::*;
use crate::secret::Secret;

type Seen = Arc<Mutex<Vec<(String, bool)>>>;

/// A server that answers everything with `status` and a redirect to `place`.
async fn server(status: StatusCode, place: String) -> (Url, Seen) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let seen = Seen::default();
    let note = move |State(seen): State<Seen>, uri: Uri, headers: HeaderMap| {
        let has_token = headers.contains_key("authorization");
        seen.lock().expect("not poisoned").push((uri.path().to_owned(), has_token));
        let answer = (status, [(LOCATION, place.clone())]).into_response();
        async { answer }
    };
    let router = Router::new().fallback(note).with_state(Arc::clone(&seen));
    tokio::spawn(axum::serve(listener, router).into_future());
    (Url::parse(&url).expect("a URL"), seen)
}

#[tokio::test]
async fn a_token_follows_no_redirect_to_wherever_it_leads() {
    let (elsewhere, theirs) = server(StatusCode::OK, String::new()).await;
    for status in [301, 302, 303, 307, 308] {
        let status = StatusCode::from_u16(status).expect("a status");
        let (url, seen) = server(status, elsewhere.to_string()).await;
        let fetch = crate::http::Fetch::new(&url, crate::terminal::explain::Explanation::default());
        let fetch = fetch.expect("set up");
        let slot = TokenSlot::default();
        slot.set(Some(AccessToken { token: Secret::new("t"), key: None }));
        let client = fetch.client_for(&url).await.expect("allowed").clone();
        let wire = Wire::new(client, url.clone(), slot, Notes::default());
        let notification = ClientNotification::InitializedNotification(Default::default());
        let message = ClientJsonRpcMessage::notification(notification);
        let sent =
            wire.post_message(url.as_str().into(), message, None, None, Headers::new()).await;
        let place = match sent {
            Err(StreamableHttpError::Client(WireError::Moved(place))) => place,
            other => panic!("{status}: {:?}", other.is_ok()),
        };
        assert_eq!(place, elsewhere.to_string());
        assert_eq!(*seen.lock().expect("not poisoned"), [("/mcp".to_owned(), true)]);
    }
    assert!(theirs.lock().expect("not poisoned").is_empty());
}

/// A server that accepts everything, and the methods of what it has got.
async fn accepting_server() -> (Url, Arc<Mutex<Vec<Method>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let seen: Arc<Mutex<Vec<Method>>> = Arc::default();
    let note = move |State(seen): State<Arc<Mutex<Vec<Method>>>>, method: Method| {
        seen.lock().expect("not poisoned").push(method);
        async { StatusCode::ACCEPTED }
    };
    let router = Router::new().fallback(note).with_state(Arc::clone(&seen));
    tokio::spawn(axum::serve(listener, router).into_future());
    (Url::parse(&url).expect("a URL"), seen)
}

#[tokio::test]
async fn the_first_request_of_a_session_follows_the_stream_on_which_the_server_speaks() {
    let (url, seen) = accepting_server().await;
    let fetch = crate::http::Fetch::new(&url, crate::terminal::explain::Explanation::default());
    let client = fetch.expect("set up").client_for(&url).await.expect("allowed").clone();
    let wire = Wire::new(client, url.clone(), TokenSlot::default(), Notes::default());
    let (uri, session): (Arc<str>, Option<Arc<str>>) = (url.as_str().into(), Some("s".into()));
    let post =
        |message| wire.post_message(uri.clone(), message, session.clone(), None, Headers::new());
    let notification = ClientNotification::InitializedNotification(Default::default());
    post(ClientJsonRpcMessage::notification(notification)).await.expect("accepted");
    let ping = ClientRequest::PingRequest(Default::default());
    let request = post(ClientJsonRpcMessage::request(ping, NumberOrString::Number(1)));
    let stream = async {
        // Whatever the request would do without the stream, it has begun to do by now.
        tokio::task::yield_now().await;
        wire.get_stream(uri.clone(), session.clone(), None, None, Headers::new()).await
    };
    let (requested, streamed) = tokio::join!(request, stream);
    assert!(requested.is_ok() && streamed.is_ok());
    let seen = seen.lock().expect("not poisoned");
    assert_eq!(*seen, [Method::POST, Method::GET, Method::POST]);
}
