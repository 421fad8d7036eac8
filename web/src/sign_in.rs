//! `GET /sign-in`: who asks, and one button for each way to sign in.

use leptos::prelude::*;

use crate::{
    display_name::visible,
    fact::fact,
    form::hidden,
    layout::{Frame, notice},
    text::{fill, isolated},
};

/// The page on which a person chooses where to sign in.
#[derive(Debug, Clone)]
pub struct SignInPage {
    /// The client that waits for the person, or `None` when they came by themselves.
    pub client: Option<ClientSummary>,
    /// The ways to sign in, in the order shown.
    pub providers: Vec<Provider>,
    /// Where to go once signed in: the hidden field `continue`.
    pub continue_to: String,
    /// Whether the provider should let the person choose an account: the hidden field `account`.
    pub another_account: bool,
    /// What should be read first.
    pub notice: Option<SignInNotice>,
}

/// Why the page is shown again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInNotice {
    /// The provider of this name did not sign the person in.
    Declined(String),
    /// What comes next asks for a fresh sign-in.
    Confirm,
}

/// What a person needs to know of the client that sent them.
#[derive(Debug, Clone)]
pub struct ClientSummary {
    /// The name the client gave itself.
    pub name: String,
    /// The host of its client identifier, where that is a URL and so proves the host.
    pub client_host: Option<String>,
    /// Host and port of its redirect address, or the scheme when that has no host.
    pub redirect_host: String,
}

/// One way to sign in.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The provider's name, as in "GitHub".
    pub label: String,
    /// The path the form posts to, as in `/sign-in/github`.
    pub action: String,
    /// Whether a stand-in for development answers instead of the provider.
    pub stand_in: bool,
}

impl SignInPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        frame.document(text.sign_in, || {
            view! {
                <h1>{text.sign_in}</h1>
                {self.notice(frame)}
                {match &self.client {
                    Some(client) => client.introduction(frame).into_any(),
                    None => view! { <p class="lead">{text.sign_in_alone}</p> }.into_any(),
                }}
                {self.provider_buttons(frame)}
            }
        })
    }

    fn notice(&self, frame: &Frame) -> Option<impl IntoView + use<>> {
        let sentence = match self.notice.as_ref()? {
            SignInNotice::Declined(provider) => {
                fill(frame.text.sign_in_declined, &[("provider", &frame.name(provider))])
            }
            SignInNotice::Confirm => frame.text.sign_in_confirm.to_owned(),
        };
        Some(notice(vec![sentence]))
    }

    fn provider_buttons(&self, frame: &Frame) -> AnyView {
        let text = frame.text;
        if self.providers.is_empty() {
            return notice(vec![text.no_providers.to_owned()]).into_any();
        }
        let forms = self.providers.iter().map(|provider| {
            let say = |sentence| fill(sentence, &[("provider", &provider.label)]);
            let note = provider.stand_in.then(|| say(text.stand_in));
            view! {
                {note.map(|note| notice(vec![note]))}
                <form method="post" action=provider.action.clone()>
                    {hidden("continue", &self.continue_to)}
                    {self.another_account.then(|| hidden("account", "another"))}
                    <button class="primary">{say(text.continue_with)}</button>
                </form>
            }
        });
        view! { <div class="providers">{forms.collect_view()}</div> }.into_any()
    }
}

impl ClientSummary {
    fn introduction(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let name = text.quoted(&frame.name(&self.name));
        let who_asks = match &self.client_host {
            Some(host) => {
                let host = isolated(&visible(host));
                fill(text.host_asks_to_sign_in, &[("host", &host), ("client", &name)])
            }
            None => fill(text.name_asks_to_sign_in, &[("client", &name)]),
        };
        view! {
            <p class="lead">{who_asks}</p>
            <p class="soft">{text.signing_in_gives_nothing}</p>
            <div class="panel">
                <dl class="facts">{fact(text.sent_back_to, &self.redirect_host)}</dl>
            </div>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::frame;

    fn page() -> SignInPage {
        SignInPage {
            client: None,
            providers: vec![Provider {
                label: "GitHub".to_owned(),
                action: "/sign-in/github".to_owned(),
                stand_in: false,
            }],
            continue_to: "/authorize?client_id=a&scope=b".to_owned(),
            another_account: false,
            notice: None,
        }
    }

    #[test]
    fn the_form_carries_where_to_continue_and_whether_as_someone_else() {
        let html = page().render(&frame());
        assert!(html.contains(r#"method="post" action="/sign-in/github""#));
        assert!(html.contains(r#"name="continue" value="/authorize?client_id=a&amp;scope=b""#));
        assert!(!html.contains(r#"name="account""#));
        let html = SignInPage { another_account: true, ..page() }.render(&frame());
        assert!(html.contains(r#"name="account" value="another""#));
    }

    #[test]
    fn only_a_stand_in_is_called_one_and_it_adds_no_button() {
        let mut page = page();
        assert!(!page.render(&frame()).contains("stand-in"));
        page.providers[0].stand_in = true;
        let html = page.render(&frame());
        assert!(html.contains(&fill(frame().text.stand_in, &[("provider", "GitHub")])));
        assert_eq!(html.matches("<button").count(), 1);
    }

    #[test]
    fn a_page_without_providers_says_so() {
        let page = SignInPage { providers: Vec::new(), ..page() };
        assert!(page.render(&frame()).contains(frame().text.no_providers));
    }
}
