//! Bad input, endpoint by endpoint: every parameter missing, doubled, empty, oversized, with bytes
//! that are no text, and of the wrong type. Each gets its standard error, none a 5xx, and nothing
//! is used up by it.

mod forms;
mod pages;
mod registration;

use serde_json::Value;
use tests::programs::client::Answer;

/// More than any request may hold.
const OVERSIZED: usize = 64 * 1024;
/// A value as long as a request may just hold.
const LONG: usize = 60_000;

/// As many different scopes as a request may just hold: a list that must not be taken apart.
fn thousands_of_scopes() -> String {
    (0..12_000).map(|number| format!("{number:x} ")).collect()
}

/// What can be wrong with one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Missing,
    Empty,
    Doubled,
    Long,
    Oversized,
    NotUtf8,
    ControlCharacters,
}

impl Flaw {
    const ALL: [Self; 7] = [
        Self::Missing,
        Self::Empty,
        Self::Doubled,
        Self::Long,
        Self::Oversized,
        Self::NotUtf8,
        Self::ControlCharacters,
    ];

    /// Parameters in which `name` has the flaw, as they stand in a query or a body.
    fn in_form(self, parameters: &[(&'static str, String)], name: &str) -> String {
        let mut pairs = Vec::new();
        for (known, value) in parameters {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let flawed = match self {
                _ if *known != name => Some(value),
                Self::Missing => None,
                Self::Empty => Some(String::new()),
                Self::Doubled => Some(format!("{value}&{known}={value}")),
                Self::Long => Some("a".repeat(LONG)),
                Self::Oversized => Some("a".repeat(OVERSIZED)),
                Self::NotUtf8 => Some("%FF%FE".into()),
                Self::ControlCharacters => Some("%00%0D%0A%1B".into()),
            };
            pairs.extend(flawed.map(|value| format!("{known}={value}")));
        }
        pairs.join("&")
    }

    /// Whether it makes the request unreadable, so that nothing else can be said of it.
    fn is_invalid_request(self) -> bool {
        matches!(self, Self::Doubled | Self::Oversized | Self::NotUtf8)
    }
}

/// An error as RFC 6749 §5.2 wants it.
fn assert_is_error(answer: &Answer, context: &str) -> String {
    let status = answer.status.as_u16();
    assert!((400..500).contains(&status), "{context}: {status} {}", answer.json);
    assert_eq!(answer.headers["cache-control"], "no-store", "{context}");
    let description = answer.text("error_description");
    assert!(!description.is_empty() && description.len() < 500, "{context}: {}", answer.json);
    assert!(description.bytes().all(|b| (0x20..0x7f).contains(&b)), "{context}: {description}");
    assert!(answer.json.as_object().is_some_and(|it| it.values().all(|v| *v != Value::Null)));
    answer.text("error").to_owned()
}
