//! A refusal as a page: what happened, whose fault it is, and what to do next.

use leptos::prelude::*;

use crate::{address::path_on_this_server, fact::fact, layout::document, text};

/// The page shown when something cannot go on.
#[derive(Debug, Clone)]
pub struct ErrorPage {
    /// What is the matter, in a few words: "This sign-in has expired".
    pub title: String,
    /// What happened, in one or two sentences.
    pub explanation: String,
    /// Who can put it right.
    pub fault: Fault,
    /// What the person should do now.
    pub next_step: String,
    /// The stable reason code, the same as in the log.
    pub reason: String,
    /// The identifier of this request, the same as in the log.
    pub request_id: String,
    /// Where to go from here.
    pub action: Option<Link>,
}

/// Whose mistake a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program that sent the person here.
    Client,
    /// The provider that signs the person in.
    Provider,
    /// This server.
    Server,
    /// Whoever set this server up.
    Operator,
    /// Nobody's: time ran out, or somebody said no.
    Nobody,
}

/// A link to a path on this server.
#[derive(Debug, Clone)]
pub struct Link {
    /// What the link says.
    pub label: String,
    /// A path such as `/sign-in`. A link that leads to another origin is not shown.
    pub href: String,
}

impl ErrorPage {
    /// The whole HTML document.
    pub fn render(&self) -> String {
        document(&self.title, || {
            view! {
                <h1>{self.title.clone()}</h1>
                <p class="lead">{self.explanation.clone()}</p>
                <p>{text::fault(self.fault)}</p>
                <h2>{text::NEXT_STEP}</h2>
                <p>{self.next_step.clone()}</p>
                {self.action.as_ref().and_then(Link::button)}
                <dl class="facts">
                    {fact(text::REASON, &self.reason)}
                    {fact(text::REQUEST, &self.request_id)}
                </dl>
            }
        })
    }
}

impl Link {
    fn button(&self) -> Option<impl IntoView + use<>> {
        let href = path_on_this_server(&self.href)?.to_owned();
        Some(view! { <a class="button primary" href=href>{self.label.clone()}</a> })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn the_reason_and_the_request_can_be_quoted() {
        let page = samples::expired();
        let html = page.render();
        assert!(html.contains(&page.reason) && html.contains(&page.request_id));
    }

    #[test]
    fn an_action_that_leaves_this_server_is_not_shown() {
        let href = "javascript:alert(1)".to_owned();
        let action = Some(Link { label: "Go on".to_owned(), href });
        let html = ErrorPage { action, ..samples::expired() }.render();
        assert!(!html.contains("javascript:") && !html.contains("Go on"));
    }
}
