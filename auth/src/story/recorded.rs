//! One request's events in memory.

use std::{fmt, ops::Range, time::SystemTime};

use serde::Serializer as _;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use tracing::{
    Event, Level, Metadata,
    field::{Field, Visit},
    span::Attributes,
};

use super::ANSWERED;

/// Nine digits always: the events of a request differ, and lines sort by time as text.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z");
/// The lowest status of a failure.
const BAD_REQUEST: u64 = 400;

/// The story of a request. Field values are serialized at once, because they do not outlive their
/// event; the rest of each line is formatted when it is written.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The fields of the span, as members of a JSON object.
    span: Vec<u8>,
    events: Vec<Recorded>,
    /// The fields of all events, one after the other.
    fields: Vec<u8>,
    /// The status of the response, once there is one.
    status: Option<u64>,
    /// Whether an event was a refusal, a warning or an error.
    has_problem: bool,
}

#[derive(Debug)]
struct Recorded {
    at: SystemTime,
    metadata: &'static Metadata<'static>,
    fields: Range<usize>,
}

impl Story {
    pub(super) fn new(span: &Attributes<'_>) -> Self {
        let mut members = Members::default();
        span.record(&mut members);
        Self { span: members.json, ..Self::default() }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "timestamps of log lines, on which nothing depends"
    )]
    pub(super) fn record(&mut self, event: &Event<'_>) {
        let begin = self.fields.len();
        let mut members = Members { json: std::mem::take(&mut self.fields), ..Members::default() };
        event.record(&mut members);
        self.fields = members.json;
        let metadata = event.metadata();
        if metadata.target() == ANSWERED {
            self.status = members.status;
        }
        self.has_problem |= members.has_reason || *metadata.level() <= Level::WARN;
        let fields = begin..self.fields.len();
        self.events.push(Recorded { at: SystemTime::now(), metadata, fields });
    }

    /// Whether the request was answered and nothing was refused. A cancelled one did not succeed.
    pub(super) fn has_succeeded(&self) -> bool {
        !self.has_problem && self.status.is_some_and(|status| status < BAD_REQUEST)
    }

    /// Drops all events but the last, the answer.
    pub(super) fn shorten(&mut self) {
        self.events.drain(..self.events.len().saturating_sub(1));
    }

    /// About how many bytes of memory it takes.
    pub(super) fn size(&self) -> usize {
        let events = self.events.capacity() * size_of::<Recorded>();
        size_of::<Self>() + self.span.capacity() + self.fields.capacity() + events
    }

    /// Appends one JSON object a line, in the form of `AUTH_LOG_FORMAT=json`.
    pub(super) fn write(&self, lines: &mut Vec<u8>) {
        for event in &self.events {
            lines.extend_from_slice(b"{\"timestamp\":\"");
            // Fails only for years that the format cannot express.
            let _ = OffsetDateTime::from(event.at).format_into(lines, TIMESTAMP);
            lines.extend_from_slice(b"\",\"level\":\"");
            lines.extend_from_slice(event.metadata.level().as_str().as_bytes());
            lines.extend_from_slice(b"\",\"fields\":{");
            lines.extend_from_slice(self.fields.get(event.fields.clone()).unwrap_or_default());
            lines.extend_from_slice(b"},\"target\":\"");
            lines.extend_from_slice(event.metadata.target().as_bytes());
            lines.extend_from_slice(b"\",\"span\":{");
            lines.extend_from_slice(&self.span);
            lines.extend_from_slice(b"}}\n");
        }
    }
}

/// Writes the fields of a span or an event as members of a JSON object.
#[derive(Debug, Default)]
struct Members {
    json: Vec<u8>,
    has_member: bool,
    status: Option<u64>,
    has_reason: bool,
}

impl Members {
    /// Writing into memory cannot fail.
    fn member(&mut self, field: &Field, value: &(impl fmt::Display + ?Sized)) {
        self.name(field);
        let _ = serde_json::Serializer::new(&mut self.json).collect_str(value);
    }

    fn number(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        self.json.extend_from_slice(value.to_string().as_bytes());
    }

    fn name(&mut self, field: &Field) {
        if self.has_member {
            self.json.push(b',');
        }
        self.has_member = true;
        self.has_reason |= field.name() == "reason";
        let _ = serde_json::to_writer(&mut self.json, field.name());
        self.json.push(b':');
    }
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, &format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = Some(value);
        }
        self.number(field, value);
    }
}
