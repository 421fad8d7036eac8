//! Removes events without data for clients that cannot read them.
//!
//! Since 2025-11-25 a stream may hold events that carry an id or a `retry` and no data (MCP,
//! Streamable HTTP, resumability). Clients of older revisions parse the data of every event as JSON:
//! some log an error for each of these, some end the connection.

use axum::{
    body::{Body, Bytes},
    http::HeaderMap,
};
use futures::StreamExt;

/// The first revision with events without data. Revisions are dates, which compare as strings.
const FIRST_REVISION: &str = "2025-11-25";

/// Whether a client reads events without data, according to the revision in its `initialize` request
/// or in the header of later ones. The oldest clients send no header.
pub(crate) fn reads_empty_events(asked: Option<&str>, headers: &HeaderMap) -> bool {
    let named = headers.get("mcp-protocol-version").and_then(|value| value.to_str().ok());
    asked.or(named).is_some_and(|revision| revision >= FIRST_REVISION)
}

/// The event stream `body` without the events that have no data.
pub(crate) fn without_empty(body: Body) -> Body {
    let mut filter = Filter::default();
    let chunks = body.into_data_stream().filter_map(move |chunk| {
        let passed = chunk.map(|chunk| filter.feed(&chunk));
        std::future::ready(match passed {
            Ok(passed) if passed.is_empty() => None,
            passed => Some(passed),
        })
    });
    Body::from_stream(chunks)
}

/// The line and the event that are not complete yet.
#[derive(Default)]
struct Filter {
    line: Vec<u8>,
    event: Vec<u8>,
    has_data: bool,
}

impl Filter {
    fn feed(&mut self, chunk: &[u8]) -> Bytes {
        let mut passed = Vec::with_capacity(chunk.len());
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.end_line(&line, &mut passed);
            }
        }
        passed.into()
    }

    fn end_line(&mut self, line: &[u8], passed: &mut Vec<u8>) {
        match line.trim_ascii_end() {
            // The end of an event, or of a comment outside of events.
            [] => {
                if self.has_data || self.event.is_empty() {
                    passed.append(&mut self.event);
                    passed.extend_from_slice(line);
                }
                self.event.clear();
                self.has_data = false;
            }
            // Comments keep the connection alive and are not part of an event.
            [b':', ..] => passed.extend_from_slice(line),
            field => {
                self.has_data |= field.strip_prefix(b"data:").is_some_and(|data| !data.is_empty());
                self.event.extend_from_slice(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes of a stream that comes in pieces of so many bytes.
    fn passed(stream: &str, size: usize) -> String {
        let mut filter = Filter::default();
        let passed =
            stream.as_bytes().chunks(size).map(|chunk| filter.feed(chunk)).collect::<Vec<_>>();
        String::from_utf8(passed.concat()).unwrap()
    }

    #[test]
    fn events_without_data_do_not_pass_however_the_stream_is_cut() {
        let empty = [
            "data:\nid: 0\nretry: 3000\n\n",
            "retry: 5\n\n",
            "data: \r\nid: 1\r\n\r\n",
            "data\n\n",
        ];
        let full =
            ["event: message\ndata: {}\n\n", ":\n\n", "data:1\r\n\r\n", "data:\ndata: 2\n\n"];
        for size in [1, 2, 7, 1000] {
            let mixed: String = empty.iter().zip(full).map(|(e, f)| format!("{e}{f}")).collect();
            assert_eq!(passed(&mixed, size), full.concat(), "{size}");
        }
        assert_eq!(passed("id: 1\n: ping\ndata: {}\n\n", 3), ": ping\nid: 1\ndata: {}\n\n");
    }

    #[test]
    fn a_client_reads_them_from_2025_11_25_on() {
        let named = |revision: &'static str| {
            HeaderMap::from_iter([(
                axum::http::HeaderName::from_static("mcp-protocol-version"),
                axum::http::HeaderValue::from_static(revision),
            )])
        };
        for (asked, headers, reads) in [
            (None, HeaderMap::new(), false),
            (None, named("2025-06-18"), false),
            (None, named("2025-11-25"), true),
            (None, named("2026-07-28"), true),
            (Some("2025-03-26"), HeaderMap::new(), false),
            (Some("2025-11-25"), HeaderMap::new(), true),
            (Some("2024-11-05"), named("2025-11-25"), false),
        ] {
            assert_eq!(reads_empty_events(asked, &headers), reads, "{asked:?} {headers:?}");
        }
    }
}
