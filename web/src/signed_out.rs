//! What follows `POST /sign-out`: the session has ended.

use leptos::prelude::*;

use crate::{address::path_on_this_server, layout::document, text};

/// The page shown once a person has signed out of this browser.
#[derive(Debug, Clone)]
pub struct SignedOutPage {
    /// The path on this server where the person was heading, if anywhere.
    pub continue_to: Option<String>,
}

impl SignedOutPage {
    /// The whole HTML document.
    pub fn render(&self) -> String {
        let heading_somewhere = self.continue_to.as_deref().and_then(path_on_this_server);
        let href = heading_somewhere.unwrap_or("/sign-in").to_owned();
        document(text::SIGNED_OUT, || {
            view! {
                <h1>{text::SIGNED_OUT}</h1>
                <p class="lead">{text::SESSION_ENDED}</p>
                <p>{text::CLIENTS_KEEP_ACCESS}</p>
                <a class="button primary" href=href>{text::SIGN_IN_AGAIN}</a>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_where_the_person_was_heading() {
        let continue_to = Some("/authorize?a=b".to_owned());
        assert!(SignedOutPage { continue_to }.render().contains(r#"href="/authorize?a=b""#));
    }

    #[test]
    fn the_way_back_never_leaves_this_server() {
        let continue_to = Some("//evil.example".to_owned());
        let html = SignedOutPage { continue_to }.render();
        assert!(!html.contains("evil.example"));
        assert!(html.contains(r#"href="/sign-in""#));
    }
}
