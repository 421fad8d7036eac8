//! Edits the JSON-RPC messages of a response, whether it is one message or a stream of events.

use std::mem;

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, HeaderValue,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::Response,
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::Value;

/// Longest message, in bytes. What is longer is left out of a stream.
pub(super) const MAX_MESSAGE: usize = 16 << 20;

/// What an edit made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Unchanged,
    Changed,
}

/// The response with each message edited. `None` if it is one message that cannot be read.
pub(crate) async fn edit_messages(
    response: Response,
    mut edit: impl FnMut(&mut Value) -> Edit + Send + 'static,
) -> Option<Response> {
    let (mut parts, body) = response.into_parts();
    if is_of_type(&parts.headers, "text/event-stream") {
        let mut events = Events::new(edit);
        // What comes after the last whole event would be ignored by its reader (HTML, server-sent events).
        let body = body.map_frame(move |frame| match frame.into_data() {
            Ok(data) => Frame::data(events.feed(&data)),
            Err(frame) => frame,
        });
        parts.headers.remove(CONTENT_LENGTH);
        return Some(Response::from_parts(parts, Body::new(body)));
    }
    let bytes = to_bytes(body, MAX_MESSAGE).await.ok()?;
    let mut message: Value = match serde_json::from_slice(&bytes) {
        Ok(message) => message,
        // Clients cannot read it either.
        Err(_) if !is_of_type(&parts.headers, "application/json") => Value::Null,
        Err(_) => return None,
    };
    if edit_each(&mut message, &mut edit) == Edit::Unchanged {
        return Some(Response::from_parts(parts, Body::from(bytes)));
    }
    parts.headers.remove(CONTENT_LENGTH);
    Some(Response::from_parts(parts, Body::from(message.to_string())))
}

/// The response as it is, with each of its messages shown to `watch`, which is dropped when the response has
/// been sent or its reader has left. What is too long is not shown.
pub(crate) fn watch_messages(
    response: Response,
    mut watch: impl FnMut(&Value) + Send + 'static,
) -> Response {
    let (parts, body) = response.into_parts();
    let edit = move |message: &mut Value| {
        watch(message);
        Edit::Unchanged
    };
    let mut watcher = if is_of_type(&parts.headers, "text/event-stream") {
        Watcher::Events(Events::new(edit))
    } else {
        Watcher::Message(Vec::new(), edit)
    };
    let body = body.map_frame(move |frame| {
        if let Some(data) = frame.data_ref() {
            watcher.feed(data);
        }
        frame
    });
    Response::from_parts(parts, Body::new(body))
}

/// Reads a body that passes by.
enum Watcher<E: FnMut(&mut Value) -> Edit> {
    Events(Events<E>),
    Message(Vec<u8>, E),
}

impl<E: FnMut(&mut Value) -> Edit> Watcher<E> {
    fn feed(&mut self, data: &[u8]) {
        match self {
            Self::Events(events) => drop(events.feed(data)),
            Self::Message(bytes, _) if bytes.len() + data.len() <= MAX_MESSAGE => {
                bytes.extend_from_slice(data);
            }
            Self::Message(..) => {}
        }
    }
}

impl<E: FnMut(&mut Value) -> Edit> Drop for Watcher<E> {
    fn drop(&mut self) {
        if let Self::Message(bytes, edit) = self
            && let Ok(mut message) = serde_json::from_slice(bytes)
        {
            edit_each(&mut message, edit);
        }
    }
}

fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    value.get(..media_type.len()).is_some_and(|it| it.eq_ignore_ascii_case(media_type.as_bytes()))
}

/// Edits a message, or each of a batch (MCP 2025-03-26).
fn edit_each(message: &mut Value, edit: &mut impl FnMut(&mut Value) -> Edit) -> Edit {
    let Value::Array(batch) = message else {
        return edit(message);
    };
    let edits: Vec<Edit> = batch.iter_mut().map(edit).collect();
    if edits.contains(&Edit::Changed) { Edit::Changed } else { Edit::Unchanged }
}

/// The event that is not complete yet.
struct Events<E> {
    edit: E,
    line: Vec<u8>,
    /// Its lines but for those with data.
    fields: Vec<u8>,
    data: Option<Vec<u8>>,
    is_too_long: bool,
}

impl<E: FnMut(&mut Value) -> Edit> Events<E> {
    fn new(edit: E) -> Self {
        Self { edit, line: Vec::new(), fields: Vec::new(), data: None, is_too_long: false }
    }

    fn feed(&mut self, chunk: &[u8]) -> Bytes {
        let mut passed = Vec::with_capacity(chunk.len());
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + self.length() + piece.len() > MAX_MESSAGE {
                self.is_too_long = true;
            }
            if !self.is_too_long || piece.ends_with(b"\n") {
                self.line.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                let line = mem::take(&mut self.line);
                self.end_line(line.trim_ascii_end(), &mut passed);
            }
        }
        passed.into()
    }

    fn length(&self) -> usize {
        self.fields.len() + self.data.as_ref().map_or(0, Vec::len)
    }

    fn end_line(&mut self, line: &[u8], passed: &mut Vec<u8>) {
        if line.is_empty() {
            self.end_event(passed);
        } else if line.starts_with(b":") {
            // A comment keeps the connection alive and is not part of an event.
            passed.extend_from_slice(line);
            passed.push(b'\n');
        } else if self.is_too_long {
            // The rest of an event that is left out.
        } else if let Some(data) = line.strip_prefix(b"data:") {
            let data = data.strip_prefix(b" ").unwrap_or(data);
            match &mut self.data {
                Some(known) => {
                    known.push(b'\n');
                    known.extend_from_slice(data);
                }
                None => self.data = Some(data.to_vec()),
            }
        } else {
            self.fields.extend_from_slice(line);
            self.fields.push(b'\n');
        }
    }

    /// Passes the event on, unless its data cannot be read.
    fn end_event(&mut self, passed: &mut Vec<u8>) {
        let fields = mem::take(&mut self.fields);
        let data = self.data.take();
        if mem::take(&mut self.is_too_long) {
            tracing::warn!("an event of the upstream is too long, and was left out");
            return;
        }
        let data = match data {
            Some(data) if data.is_empty() => Some(data),
            Some(data) => match self.edited(data) {
                Some(data) => Some(data),
                None => return,
            },
            None => None,
        };
        passed.extend_from_slice(&fields);
        for line in data.iter().flat_map(|data| data.split(|byte| *byte == b'\n')) {
            passed.extend_from_slice(b"data: ");
            passed.extend_from_slice(line);
            passed.push(b'\n');
        }
        passed.push(b'\n');
    }

    fn edited(&mut self, data: Vec<u8>) -> Option<Vec<u8>> {
        let mut message: Value = serde_json::from_slice(&data).ok()?;
        match edit_each(&mut message, &mut self.edit) {
            Edit::Unchanged => Some(data),
            Edit::Changed => Some(message.to_string().into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A stream in pieces of so many bytes, each number in it one higher.
    fn edited(stream: &str, size: usize) -> String {
        let mut events = Events::new(|message: &mut Value| match message["n"].as_i64() {
            Some(n) => {
                message["n"] = json!(n + 1);
                Edit::Changed
            }
            None => Edit::Unchanged,
        });
        let pieces = stream.as_bytes().chunks(size).map(|piece| events.feed(piece));
        String::from_utf8(pieces.collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn each_message_is_edited_however_the_stream_is_cut() {
        let stream = "event: message\nid: 7\ndata: {\"n\":1}\n\n: ping\n\ndata:{\"n\":\ndata: 2}\r\n\r\n\
                      data: {\"a\": [1]}\n\nid: 8\ndata:\n\ndata: no JSON\n\nretry: 5\n\ndata: {\"n\":3}\n";
        let expected = "event: message\nid: 7\ndata: {\"n\":2}\n\n: ping\n\ndata: {\"n\":3}\n\n\
                        data: {\"a\": [1]}\n\nid: 8\ndata: \n\nretry: 5\n\n";
        for size in [1, 2, 7, 1000] {
            assert_eq!(edited(stream, size), expected, "{size}");
        }
    }

    #[test]
    fn an_event_that_is_too_long_is_left_out_and_the_next_passes() {
        let long = format!("data: \"{}\"\n\n", "a".repeat(MAX_MESSAGE));
        assert_eq!(edited(&format!("{long}data: {{\"n\":1}}\n\n"), 1 << 16), "data: {\"n\":2}\n\n");
    }
}
