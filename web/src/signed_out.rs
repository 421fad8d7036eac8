//! `POST /sign-out`: the session in this browser has ended.

use leptos::prelude::*;

use crate::{address::path_on_this_server, layout::Frame, onward::Onward};

/// The page shown once a person has signed out of this browser.
#[derive(Debug, Clone, Default)]
pub struct SignedOutPage {
    /// The path on this server where the person was heading, if anywhere.
    pub continue_to: Option<String>,
    /// Where an unverified client wants the user to go.
    pub onward: Option<Onward>,
}

impl SignedOutPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let heading_somewhere = self.continue_to.as_deref().and_then(path_on_this_server);
        let href = heading_somewhere.unwrap_or("/sign-in").to_owned();
        frame.document(text.signed_out, || {
            view! {
                <h1>{text.signed_out}</h1>
                <p class="lead">{text.session_ended}</p>
                <p class="soft">{text.clients_keep_access}</p>
                {self.onward.as_ref().map(|onward| view! {
                    <p>{text.onward_unverified}</p>
                    {onward.view(text)}
                })}
                <a class="button primary" href=href>{text.sign_in_again}</a>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::frame;

    #[test]
    fn the_way_back_leads_where_the_person_was_heading() {
        let continue_to = Some("/authorize?a=b".to_owned());
        let html = SignedOutPage { continue_to, onward: None }.render(&frame());
        assert!(html.contains(r#"href="/authorize?a=b""#));
    }

    #[test]
    fn the_way_back_never_leaves_this_server() {
        let continue_to = Some("//evil.example".to_owned());
        let html = SignedOutPage { continue_to, onward: None }.render(&frame());
        assert!(!html.contains("evil.example"));
        assert!(html.contains(r#"href="/sign-in""#));
    }
}
