//! One request of a plan, with `{{variables}}`, and what is kept of its answer.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::connection::Answer;

/// What is escaped in queries and forms: all but the unreserved characters of RFC 3986 §2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The values by name of one virtual user.
pub(crate) type Variables = BTreeMap<String, String>;

/// One request, and the answer that it must have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    url: String,
    /// `POST` where there is a body, else `GET`.
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    form: Vec<(String, String)>,
    json: Option<Value>,
    /// Client id and secret for `Authorization: Basic`.
    basic: Option<(String, String)>,
    /// Variables that get a fresh random value first.
    #[serde(default)]
    pub(crate) fresh: Vec<String>,
    /// Makes `verifier` and `challenge` first (RFC 7636).
    #[serde(default)]
    pub(crate) pkce: bool,
    /// Sends the cookies of this user, and keeps those of the answer.
    #[serde(default)]
    pub(crate) cookies: bool,
    status: u16,
    /// What the body must contain.
    contains: Option<String>,
    #[serde(default)]
    save: BTreeMap<String, Saved>,
}

/// A part of an answer: what lies between two texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    /// The name of a header; of the body if there is none.
    header: Option<String>,
    #[serde(default)]
    after: String,
    /// The first of these characters ends it.
    #[serde(default)]
    until: String,
    /// Whether it is percent-encoded.
    #[serde(default)]
    encoded: bool,
}

/// A request as it is sent.
pub(crate) struct Request {
    /// Host and port.
    pub(crate) authority: String,
    pub(crate) bytes: Vec<u8>,
}

impl Step {
    /// The request with the values of a user.
    pub(crate) fn request(
        &self,
        values: &Variables,
        cookies: &Variables,
    ) -> Result<Request, String> {
        let url = fill(&self.url, values)?;
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("not http: {url}"))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = match encode(&self.query, values)? {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        let (content_type, body) = self.body(values)?;
        let default = if content_type.is_empty() { "GET" } else { "POST" };
        let method = self.method.as_deref().unwrap_or(default);
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {}\r\n", fill(value, values)?);
        }
        if let Some((id, secret)) = &self.basic {
            let pair = format!("{}:{}", escape(&fill(id, values)?), escape(&fill(secret, values)?));
            head += &format!("authorization: Basic {}\r\n", STANDARD.encode(pair));
        }
        if self.cookies && !cookies.is_empty() {
            let pairs: Vec<_> = cookies.iter().map(|(name, it)| format!("{name}={it}")).collect();
            head += &format!("cookie: {}\r\n", pairs.join("; "));
        }
        if !content_type.is_empty() {
            head += &format!("content-type: {content_type}\r\n");
        }
        if method != "GET" {
            head += &format!("content-length: {}\r\n", body.len());
        }
        let bytes = format!("{head}\r\n{body}").into_bytes();
        Ok(Request { authority: authority.to_owned(), bytes })
    }

    fn body(&self, values: &Variables) -> Result<(&'static str, String), String> {
        match &self.json {
            Some(json) => Ok(("application/json", fill(&json.to_string(), values)?)),
            None if self.form.is_empty() => Ok(("", String::new())),
            None => Ok(("application/x-www-form-urlencoded", encode(&self.form, values)?)),
        }
    }

    /// Checks the answer, and adds to the values of the user what is saved of it.
    pub(crate) fn learn(&self, answer: &Answer, values: &mut Variables) -> Result<(), String> {
        let body = String::from_utf8_lossy(&answer.body);
        let complain = |why: &str| {
            let shown: String = body.chars().take(300).collect();
            Err(format!("{}: {why}: {} {:?} {shown}", self.name, answer.status, answer.headers))
        };
        if answer.status != self.status {
            return complain(&format!("expected {}", self.status));
        }
        if self.contains.as_ref().is_some_and(|text| !body.contains(text)) {
            return complain("the expected text is missing");
        }
        for (name, saved) in &self.save {
            match saved.find(answer, &body) {
                Some(value) => values.insert(name.clone(), value),
                None => return complain(&format!("{name} is missing")),
            };
        }
        Ok(())
    }
}

impl Saved {
    fn find(&self, answer: &Answer, body: &str) -> Option<String> {
        let text = match &self.header {
            Some(name) => &answer.headers.iter().find(|(known, _)| known == name)?.1,
            None => body,
        };
        let found = &text[text.find(&self.after)? + self.after.len()..];
        let found = found.split(|c| self.until.contains(c)).next()?;
        if self.encoded {
            Some(percent_decode_str(found).decode_utf8_lossy().into_owned())
        } else {
            Some(found.to_owned())
        }
    }
}

fn encode(pairs: &[(String, String)], values: &Variables) -> Result<String, String> {
    let pairs = pairs.iter().map(|(name, value)| {
        fill(value, values).map(|value| format!("{}={}", escape(name), escape(&value)))
    });
    Ok(pairs.collect::<Result<Vec<_>, String>>()?.join("&"))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The text with `{{name}}` replaced by the value of that name.
fn fill(text: &str, values: &Variables) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut parts = text.split("{{");
    filled += parts.next().unwrap_or_default();
    for part in parts {
        let (name, rest) = part.split_once("}}").ok_or_else(|| format!("unclosed: {text}"))?;
        filled += values.get(name).ok_or_else(|| format!("no value is named {name}"))?;
        filled += rest;
    }
    Ok(filled)
}
