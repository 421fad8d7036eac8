//! A third party's web server: serves the documents that a test puts there, and counts requests.

use std::{
    collections::{HashMap, VecDeque},
    io::Write as _,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    response::Response,
    routing::any,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::waiting::delay;

/// A web server on a free port. It stops when it is dropped.
pub struct DocumentServer {
    /// Its address, without a trailing slash.
    pub url: String,
    places: Places,
    task: JoinHandle<()>,
}

type Places = Arc<Mutex<HashMap<String, Place>>>;

/// What a path answers, and how often it was asked.
#[derive(Default)]
struct Place {
    documents: VecDeque<Document>,
    requests: Vec<Request<Bytes>>,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// Whether the answer never comes.
    pub hangs: bool,
    /// How long the answer takes.
    pub delay: Duration,
}

impl Document {
    pub fn json(value: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json".into())],
            body: value.to_string().into(),
            ..Self::status(200)
        }
    }

    /// The same compressed, and said to be.
    pub fn gzipped(mut self) -> Self {
        self.body = gzip(&self.body).into();
        self.with("content-encoding", "gzip")
    }

    /// The same after a while.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same with another body.
    pub fn saying(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same with one header more.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn status(status: u16) -> Self {
        let headers = Vec::new();
        let body = Bytes::new();
        let delay = Duration::ZERO;
        Self { status, headers, body, hangs: false, delay }
    }
}

/// `body`, compressed.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("compressed");
    encoder.finish().expect("compressed")
}

impl DocumentServer {
    /// Starts it without documents.
    pub async fn start() -> Self {
        Self::start_with_routes(Router::new()).await
    }

    /// Starts it on one port with what `routes` answer.
    pub async fn start_with_routes(routes: Router) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let places = Places::default();
        let router = routes.fallback_service(any(serve).with_state(places.clone()));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the document server serves");
        });
        Self { url: format!("http://localhost:{port}"), places, task }
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Puts a document at a path, in place of what was there.
    pub fn put(&self, path: &str, document: Document) {
        self.put_in_turn(path, [document]);
    }

    /// Puts documents at a path, in place of what was there: each is served once, the last for
    /// ever.
    pub fn put_in_turn(&self, path: &str, documents: impl IntoIterator<Item = Document>) {
        self.with_place(path, |place| place.documents = documents.into_iter().collect());
    }

    /// How often a path was asked for.
    pub fn hits(&self, path: &str) -> usize {
        self.with_place(path, |place| place.requests.len())
    }

    /// A header of the latest request for a path; empty where there was none.
    pub fn last_header(&self, path: &str, name: &str) -> String {
        self.with_place(path, |place| {
            let value = place.requests.last().and_then(|request| request.headers().get(name));
            value.map_or(String::new(), |value| value.to_str().expect("text").to_owned())
        })
    }

    /// The query of the latest request for a path; empty where there was none.
    pub fn last_query(&self, path: &str) -> String {
        self.with_place(path, |place| {
            let uri = place.requests.last().map(|request| request.uri().clone());
            uri.and_then(|uri| uri.query().map(str::to_owned)).unwrap_or_default()
        })
    }

    /// The body of the latest request for a path; empty where there was none.
    pub fn last_body(&self, path: &str) -> String {
        self.with_place(path, |place| {
            let body = place.requests.last().map(Request::body).cloned().unwrap_or_default();
            String::from_utf8(body.into()).expect("text")
        })
    }

    fn with_place<T>(&self, path: &str, change: impl FnOnce(&mut Place) -> T) -> T {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        change(places.entry(path.into()).or_default())
    }
}

impl Drop for DocumentServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(places): State<Places>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024).await.expect("a body");
    let document = {
        let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(parts.uri.path().into()).or_default();
        place.requests.push(Request::from_parts(parts.clone(), body));
        let next = if place.documents.len() > 1 { place.documents.pop_front() } else { None };
        next.or_else(|| place.documents.front().cloned()).unwrap_or_else(|| Document::status(404))
    };
    let etag = document.headers.iter().find(|(name, _)| *name == "etag").map(|(_, etag)| etag);
    let known = parts.headers.get("if-none-match").and_then(|value| value.to_str().ok());
    if etag.is_some_and(|etag| known == Some(etag)) {
        return answer(Document { status: 304, body: Bytes::new(), ..document }).await;
    }
    answer(document).await
}

/// `document` as it is sent.
pub(crate) async fn answer(document: Document) -> Response {
    if document.hangs {
        std::future::pending::<()>().await;
    }
    delay(document.delay).await;
    let mut response = Response::builder().status(document.status);
    for (name, value) in &document.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(document.body)).expect("an answer")
}
