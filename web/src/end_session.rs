//! `GET /end_session`: asks the user whether to sign out.

use leptos::prelude::*;

use crate::{form::hidden, layout::Frame, person::Person, text::fill};

/// The page that asks before it signs out.
#[derive(Debug, Clone)]
pub struct EndSessionPage {
    /// The name of the client that asks, where one is known.
    pub client_name: Option<String>,
    /// Who is signed in.
    pub person: Person,
    /// The query of the client's request: the hidden field `request`.
    pub request: String,
    /// The token that binds the form to this browser: the hidden field `csrf`.
    pub csrf: String,
}

impl EndSessionPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let who_asks = self.client_name.as_deref().map(|name| {
            let name = text.quoted(&frame.name(name));
            fill(text.end_session_asked, &[("client", &name)])
        });
        frame.document(text.end_session, || {
            view! {
                <h1>{text.end_session}</h1>
                {who_asks.map(|sentence| view! { <p class="lead">{sentence}</p> })}
                {self.person.row(frame, ())}
                <p class="soft">{text.clients_keep_access}</p>
                <form method="post" action="/end_session">
                    {hidden("request", &self.request)} {hidden("csrf", &self.csrf)}
                    <div class="answer">
                        <div class="pair">
                            <a class="button secondary" href="/">{text.stay_signed_in}</a>
                            <button class="primary">{text.sign_out}</button>
                        </div>
                    </div>
                </form>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::frame;

    #[test]
    fn it_names_who_asks_and_carries_the_request() {
        let page = EndSessionPage {
            client_name: Some("Notes <b>".to_owned()),
            person: Person { name: "Nick Lucas".to_owned(), email: None },
            request: "client_id=a&state=b".to_owned(),
            csrf: "token".to_owned(),
        };
        let html = page.render(&frame());
        assert!(html.contains("Notes &lt;b&gt;") && html.contains("Nick Lucas"));
        assert!(html.contains(r#"name="request" value="client_id=a&amp;state=b""#));
        assert!(html.contains(r#"method="post" action="/end_session""#));
    }
}
