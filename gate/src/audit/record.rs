//! The records of the audit. Each one names the hash of the line before it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The `previous` of the first line of a file.
pub(super) const NO_LINE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A call, as far as the audit tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Record {
    /// When the call came, in seconds since 1970.
    pub(super) time: i64,
    /// What kind of line this is.
    pub(super) event: Event,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) issuer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client: String,
    /// Who acted for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) method: String,
    /// The tool, prompt or resources.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    /// Why the gate refused the call, or the code of the server's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milliseconds: Option<u64>,
    /// The JSON-RPC id of the request.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) request: Value,
    /// The arguments, or their hash.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) arguments: Value,
    /// Calls or bytes that an event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// SHA-256 of the line before, without its line feed.
    pub(super) previous: String,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    #[default]
    Call,
    /// The line before is `count` bytes of a record that was being written when the gate was killed.
    Torn,
    /// `count` records could not be written.
    Dropped,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result.
    Ok,
    /// With a result that says `isError`.
    ToolError,
    /// With an error of the protocol.
    Error,
    /// By the gate.
    Refused,
    /// The answer did not arrive, or the gate could not read it.
    Unanswered,
}

/// SHA-256 in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
