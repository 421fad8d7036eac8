//! `--explain`: each step of a sign-in as it happens, with the rule it follows and where that rule
//! is written. Secrets are named and never shown.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::terminal::{output::Output, printable::shortened};

/// Parameters that prove something, or lead to something that does.
const SECRET_PARAMETERS: [&str; 10] = [
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
    "state",
    "subject_token",
    "token",
];
/// Longer values say nothing more to a reader.
const MAX_VALUE: usize = 200;

/// Explains a sign-in step by step, or does nothing without `--explain`.
#[derive(Clone, Default)]
pub struct Explanation(Option<Arc<Teller>>);

struct Teller {
    output: Arc<Output>,
    steps: AtomicU32,
}

/// One rule of a standard: what it says, in a sentence, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) title: &'static str,
    pub(crate) because: &'static str,
    pub(crate) section: &'static str,
}

impl Explanation {
    pub(crate) fn new(output: Arc<Output>) -> Self {
        Self(Some(Arc::new(Teller { output, steps: AtomicU32::new(0) })))
    }

    pub(crate) fn step(&self, rule: &Rule) {
        let Some(teller) = &self.0 else { return };
        let number = teller.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let Rule { title, because, section } = rule;
        teller.output.say("");
        teller.output.heading(&format!("{number}. {title}"));
        teller.output.say(&format!("   {because}"));
        teller.output.aside(&format!("   {section}"));
    }

    /// Tells a decisive value of the step.
    pub(crate) fn fact(&self, name: &str, value: impl Display) {
        let Some(teller) = &self.0 else { return };
        teller.output.say(&format!("   {name}: {}", shortened(&value.to_string(), MAX_VALUE)));
    }

    /// Tells that a secret came or went, and not what it is.
    pub(crate) fn secret(&self, name: &str) {
        self.fact(name, "[secret]");
    }

    /// Tells a request before it is sent.
    pub(crate) fn request(&self, method: &str, url: &Url, form: &[(&str, &str)]) {
        if self.0.is_none() {
            return;
        }
        self.line(&format!("→ {method} {}", without_secrets(url)));
        for (name, value) in form {
            let is_secret = SECRET_PARAMETERS.contains(name);
            self.fact(&format!("    {name}"), if is_secret { "[secret]" } else { value });
        }
    }

    /// Tells a request with a JSON body before it is sent, member by member.
    pub(crate) fn request_with(&self, method: &str, url: &Url, body: &Value) {
        let members = body.as_object().into_iter().flatten();
        let members: Vec<_> = members.map(|(name, value)| (name.as_str(), plain(value))).collect();
        let members: Vec<_> = members.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.request(method, url, &members);
    }

    /// Tells how a request was answered.
    pub(crate) fn answer(&self, status: reqwest::StatusCode) {
        self.line(&format!("← {status}"));
    }

    fn line(&self, text: &str) {
        let Some(teller) = &self.0 else { return };
        teller.output.say(&format!("   {}", shortened(text, MAX_VALUE)));
    }

    /// Leaves a line empty, because something else is said next.
    pub(crate) fn pause(&self) {
        if let Some(teller) = &self.0 {
            teller.output.say("");
        }
    }

    /// Tells an address parameter by parameter, as the browser will open it.
    pub(crate) fn address(&self, url: &Url) {
        let mut endpoint = url.clone();
        endpoint.set_query(None);
        let pairs: Vec<_> = url.query_pairs().collect();
        let pairs: Vec<_> =
            pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        self.request("GET", &endpoint, &pairs);
    }
}

/// `url` with the values of secret parameters taken out of its query.
fn without_secrets(url: &Url) -> String {
    let Some(query) = url.query() else { return url.to_string() };
    let kept = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| {
        let is_secret = SECRET_PARAMETERS.contains(&name.as_ref());
        (name, if is_secret { "[secret]".into() } else { value })
    });
    let mut shown = url.clone();
    shown.query_pairs_mut().clear().extend_pairs(kept.collect::<Vec<_>>());
    shown.to_string()
}

/// A value as users write it: a list with spaces, a text without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_a_query_are_taken_out() {
        let url = Url::parse("https://as.example/x?code=c1&scope=a&state=s1").expect("a URL");
        let shown = without_secrets(&url);
        assert!(shown.contains("scope=a"), "{shown}");
        assert!(!shown.contains("c1") && !shown.contains("s1"), "{shown}");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(300), MAX_VALUE).chars().count(), MAX_VALUE + 1);
    }
}
