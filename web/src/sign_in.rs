//! `GET /sign-in`: who asks, and one button for each way to sign in.

use leptos::prelude::*;

use crate::{
    display_name::{display_name, visible},
    fact::fact,
    form::hidden,
    layout::{document, notice},
    text,
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
    /// The token that binds the form to this browser: the hidden field `csrf`.
    pub csrf: String,
    /// What went wrong on the last try, or whatever else should be read first.
    pub notice: Option<String>,
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
    pub fn render(&self) -> String {
        document(text::SIGN_IN, || {
            view! {
                <h1>{text::SIGN_IN}</h1>
                {self.notice.clone().map(|sentence| notice(vec![sentence]))}
                {match &self.client {
                    Some(client) => client.introduction().into_any(),
                    None => view! { <p class="lead">{text::SIGN_IN_ALONE}</p> }.into_any(),
                }}
                {self.provider_buttons()}
            }
        })
    }

    fn provider_buttons(&self) -> impl IntoView {
        if self.providers.is_empty() {
            return notice(vec![text::NO_PROVIDERS.to_owned()]).into_any();
        }
        let forms = self.providers.iter().map(|provider| {
            view! {
                <form method="post" action=provider.action.clone()>
                    {hidden("continue", &self.continue_to)} {hidden("csrf", &self.csrf)}
                    <button class="primary">{text::continue_with(&provider.label)}</button>
                    {provider.stand_in.then(|| text::stand_in(&provider.label)).map(|note| {
                        view! { <p class="stand-in">{note}</p> }
                    })}
                </form>
            }
        });
        view! { <div class="providers">{forms.collect_view()}</div> }.into_any()
    }
}

impl ClientSummary {
    fn introduction(&self) -> impl IntoView + use<> {
        let name = display_name(&self.name);
        let who_asks = match &self.client_host {
            Some(host) => text::host_asks_to_sign_in(&visible(host), &name),
            None => text::name_asks_to_sign_in(&name),
        };
        view! {
            <p class="lead">{who_asks}</p>
            <p>{text::SIGNING_IN_GIVES_NOTHING}</p>
            <dl class="facts">{fact(text::SENT_BACK_TO, &self.redirect_host)}</dl>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> SignInPage {
        SignInPage {
            client: None,
            providers: vec![Provider {
                label: "GitHub".to_owned(),
                action: "/sign-in/github".to_owned(),
                stand_in: false,
            }],
            continue_to: "/authorize?client_id=a&scope=b".to_owned(),
            csrf: "token".to_owned(),
            notice: None,
        }
    }

    #[test]
    fn the_form_carries_where_to_continue_and_the_token() {
        let html = page().render();
        assert!(html.contains(r#"method="post" action="/sign-in/github""#));
        assert!(html.contains(r#"name="continue" value="/authorize?client_id=a&amp;scope=b""#));
        assert!(html.contains(r#"name="csrf" value="token""#));
    }

    #[test]
    fn only_a_stand_in_is_called_one() {
        let mut page = page();
        assert!(!page.render().contains("stand-in"));
        page.providers[0].stand_in = true;
        assert!(page.render().contains(&text::stand_in("GitHub")));
    }

    #[test]
    fn a_page_without_providers_says_so() {
        let page = SignInPage { providers: Vec::new(), ..page() };
        assert!(page.render().contains(text::NO_PROVIDERS));
    }
}
