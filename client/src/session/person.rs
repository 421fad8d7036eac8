//! The user at the terminal: answers a server's questions and sees the progress of a call.

use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt as _};
use rmcp::model::{
    ElicitRequestParams, ElicitResult, ElicitationAction, JsonObject, ProgressNotificationParam,
};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::{
    arguments::parameter::Parameters,
    error::Error,
    http::is_safe_to_open,
    prompt::{confirm, form::fill},
    session::conversation::Conversation,
    sign_in::opener::Browser,
    terminal::{output::Output, printable::printable_line},
};

/// Cells of the bar that shows how far a call is.
const BAR_WIDTH: usize = 24;

pub(crate) struct Person {
    output: Arc<Output>,
    browser: Browser,
}

impl Person {
    /// The user whom `output` reaches, with their `browser`.
    pub(crate) fn new(output: Arc<Output>, browser: Browser) -> Self {
        Self { output, browser }
    }

    async fn answer(
        &self,
        server: &str,
        question: ElicitRequestParams,
    ) -> Result<ElicitResult, Error> {
        let asks = |message: &str| {
            self.output.say(&format!("{server} asks: {}", printable_line(message)));
        };
        match question {
            ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
                asks(&message);
                self.fill_in(&requested_schema).await
            }
            ElicitRequestParams::UrlElicitationParams { message, url, .. } => {
                asks(&message);
                self.visit(&url).await
            }
            _ => Ok(ElicitResult::new(ElicitationAction::Decline)),
        }
    }

    async fn fill_in(&self, schema: &impl Serialize) -> Result<ElicitResult, Error> {
        let schema = serde_json::to_value(schema).unwrap_or_default();
        let fields = Parameters::parse(schema.as_object().unwrap_or(&JsonObject::new())).named;
        self.output.say("Never give it passwords or keys. Esc at any field answers nothing.");
        let coloured = self.output.is_coloured();
        let Some(values) = fill(&fields, JsonObject::new(), coloured).await? else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        if !confirm("Send this to the server?", coloured).await? {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        }
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(Value::Object(values)))
    }

    /// Shows the whole address before anything is opened (MCP, URL mode elicitation).
    async fn visit(&self, url: &str) -> Result<ElicitResult, Error> {
        let Some(url) = visitable(url) else {
            self.output.say("It names an address that cannot be opened safely.");
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        self.output.say(&format!("It wants you to open this page:\n\n{url}\n"));
        let host = printable_line(url.host_str().unwrap_or_default());
        let question = format!("Open {host}?");
        if !confirm(&question, self.output.is_coloured()).await? {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        }
        if self.browser.open(&url).is_err() {
            self.output.say("No browser was opened from here; open the address yourself.");
        }
        Ok(ElicitResult::new(ElicitationAction::Accept))
    }
}

impl Conversation for Person {
    fn can_answer(&self) -> bool {
        self.output.is_conversation() && !self.output.is_json()
    }

    fn elicit<'a>(
        &'a self,
        server: &'a str,
        question: ElicitRequestParams,
    ) -> BoxFuture<'a, ElicitResult> {
        let answer = self.answer(server, question);
        // Ctrl-C and a terminal that fails end the question, not the client.
        async { answer.await.unwrap_or_else(|_| ElicitResult::new(ElicitationAction::Cancel)) }
            .boxed()
    }

    fn progress(&self, progress: ProgressNotificationParam) {
        self.output.transient(&bar(&progress));
    }

    fn waiting(&self, waited: Duration) {
        let text = format!("no answer for {} s", waited.as_secs());
        self.output.transient(&in_one_line("…", &text));
    }
}

/// The address, if it can be shown and opened exactly as written. A parser drops line breaks and
/// tabs, and a user name before `@` may look like a host.
fn visitable(url: &str) -> Option<Url> {
    if url.contains(|character: char| character.is_control() || character.is_whitespace()) {
        return None;
    }
    let url = Url::parse(url).ok().filter(is_safe_to_open)?;
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// How far a call is, in one line.
fn bar(progress: &ProgressNotificationParam) -> String {
    let message = printable_line(progress.message.as_deref().unwrap_or_default());
    let Some(total) = progress.total.filter(|total| *total > 0.0) else {
        return in_one_line(&format!("{} so far", progress.progress), &message);
    };
    let share = (progress.progress / total).clamp(0.0, 1.0);
    // Cells of a bar: a share of 24 fits any integer.
    let cells = (0..BAR_WIDTH).filter(|cell| (*cell as f64) < share * BAR_WIDTH as f64).count();
    let full = "█".repeat(cells);
    let rest = "░".repeat(BAR_WIDTH - cells);
    in_one_line(&format!("{full}{rest} {:>3.0} %", share * 100.0), &message)
}

fn in_one_line(share: &str, message: &str) -> String {
    let parts = [share, message, "Ctrl-C stops"].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use rmcp::model::{NumberOrString, ProgressToken};

    use super::*;

    #[test]
    fn only_an_address_that_is_what_it_looks_like_is_opened() {
        assert!(visitable("https://mcp.example.com/pay?order=7").is_some());
        for hostile in [
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "https://mcp.example.com/\u{1b}[2J",
            "https://mcp.example.com/\tpay",
            "https://bank.example@evil.example/",
            "file:///etc/passwd",
            "https://mcp.example.com/$(reboot)",
            "",
        ] {
            assert!(visitable(hostile).is_none(), "{hostile:?}");
        }
    }

    #[test]
    fn the_bar_shows_the_share_and_never_leaves_its_cells() {
        let at = |progress: f64| {
            let token = ProgressToken(NumberOrString::Number(1));
            bar(&ProgressNotificationParam::new(token, progress).with_total(4.0))
        };
        assert_eq!(at(1.0), "██████░░░░░░░░░░░░░░░░░░  25 % · Ctrl-C stops");
        assert!(at(9.0).contains("100 %") && !at(9.0).contains('░'));
    }
}
