//! The error page: what happened, the cause, and what to do next.

use leptos::prelude::*;

use crate::{
    address::path_on_this_server,
    display_name::visible,
    fact::{fact, fact_in_words},
    layout::Frame,
    onward::Onward,
    text::{ErrorText, Text},
};

const HOME: &str = "/";
const SIGN_IN: &str = "/sign-in";

/// The page shown when something cannot go on.
#[derive(Debug, Clone)]
pub struct ErrorPage {
    /// What happened, which decides what the page says.
    pub kind: ErrorKind,
    /// `error_description`, in English, for the developers of the client.
    pub description: String,
    /// The stable reason code, the same as in the log.
    pub reason: String,
    /// The identifier of this request, the same as in the log.
    pub request_id: String,
    /// A path on this server to try once more, where that makes sense.
    pub again: Option<String>,
    /// Where the client would learn of the error, if the user follows the link.
    pub onward: Option<Onward>,
    /// How a person who is kept out can still get in.
    pub access: Option<AskForAccess>,
}

/// What a person who is kept out can do.
#[derive(Debug, Clone)]
pub struct AskForAccess {
    /// The path on this server where another account can sign in.
    pub sign_in: String,
    /// Whom to ask for access, in the operator's words.
    pub contact: Option<String>,
}

/// What happened, as far as the user has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The client is not, or no longer, known.
    ClientUnknown,
    /// The answer would go to an address that the client has not registered.
    RedirectNotRegistered,
    /// The redirect URI is registered, but by an unverified client (RFC 9700 §4.11.2).
    RedirectNotTrusted,
    /// Any other invalid request of the client.
    ClientRequest,
    /// The page or sign-in is too old, or belongs to another browser.
    Expired,
    /// The question was answered before.
    AlreadyAnswered,
    /// Another site sent a form, or embedded a page.
    CrossSite,
    /// The user declined at the provider.
    Declined,
    /// The access policy does not let the user in.
    KeptOut,
    /// The provider is not responding.
    ProviderSilent,
    /// The provider refused this server, or answered what this server cannot use.
    ProviderFault,
    /// The user has to sign in first.
    SignInNeeded,
    /// Any other refusal.
    Refused,
    /// A rate limit was exceeded.
    TooMany,
    /// The request body is too large.
    TooLarge,
    /// The path does not exist.
    NotFound,
    /// The database or another dependency is down.
    Unavailable,
    /// A defect of this server.
    ServerMistake,
}

/// Who made the mistake that led to an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Client,
    Provider,
    Server,
}

impl ErrorKind {
    /// Every kind there is.
    pub const ALL: [Self; 18] = [
        Self::ClientUnknown,
        Self::RedirectNotRegistered,
        Self::RedirectNotTrusted,
        Self::ClientRequest,
        Self::Expired,
        Self::AlreadyAnswered,
        Self::CrossSite,
        Self::Declined,
        Self::KeptOut,
        Self::ProviderSilent,
        Self::ProviderFault,
        Self::SignInNeeded,
        Self::Refused,
        Self::TooMany,
        Self::TooLarge,
        Self::NotFound,
        Self::Unavailable,
        Self::ServerMistake,
    ];

    fn fault(self) -> Option<Fault> {
        Some(match self {
            Self::ClientUnknown
            | Self::RedirectNotRegistered
            | Self::RedirectNotTrusted
            | Self::ClientRequest => Fault::Client,
            Self::ProviderSilent => Fault::Provider,
            Self::ProviderFault | Self::Unavailable | Self::ServerMistake => Fault::Server,
            _ => return None,
        })
    }

    /// What the page advises, as far as a link can do it: a label and a path on this server.
    fn advised(self, text: &Text) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Declined => Some((text.action_sign_in, SIGN_IN)),
            Self::SignInNeeded => Some((text.sign_in, SIGN_IN)),
            Self::ProviderSilent => Some((text.action_again, SIGN_IN)),
            Self::CrossSite | Self::NotFound => Some((text.action_home, HOME)),
            _ => None,
        }
    }
}

impl ErrorPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let words = text.error(self.kind);
        let fault = self.kind.fault();
        frame.document(words.title, || {
            view! {
                <h1>{words.title}</h1>
                <p class="lead">{words.what}</p>
                <h2>{text.next_step}</h2>
                <p>{words.next}</p>
                {self.contact()}
                {self.onward.as_ref().map(|onward| onward.view(text))}
                {self.ways_on(text)}
                <dl class="facts">
                    {fault.map(|fault| fact_in_words(text.cause, text.fault(fault)))}
                    {fact(text.reason, &self.reason)}
                    {fact(text.request, &self.request_id)}
                </dl>
                {(fault == Some(Fault::Client)).then(|| self.for_developers(text))}
            }
        })
    }

    /// The link that does what the page advises, if one can, and the way to the start page: no page
    /// is a dead end.
    fn ways_on(&self, text: &'static Text) -> impl IntoView + use<> {
        let again = self.again.as_deref().and_then(path_on_this_server);
        let again = again.map(|again| (text.action_again, again.to_owned()));
        let advised = self.kind.advised(text).map(|(label, path)| (label, path.to_owned()));
        let sign_in = self.access.as_ref().and_then(|it| path_on_this_server(&it.sign_in));
        let sign_in = sign_in.map(|sign_in| (text.action_another_account, sign_in.to_owned()));
        let primary = sign_in.or(again).or(advised);
        let is_home = primary.as_ref().is_some_and(|(_, path)| path == HOME);
        view! {
            {primary.map(|(label, path)| view! { <a class="button primary" href=path>{label}</a> })}
            {(!is_home).then(|| view! {
                <a class="button secondary" href=HOME>{text.action_home}</a>
            })}
        }
    }

    /// Whom to ask, in the operator's words, which may be in any language.
    fn contact(&self) -> Option<impl IntoView + use<>> {
        let contact = visible(self.access.as_ref()?.contact.as_ref()?);
        Some(view! { <div class="panel"><p dir="auto">{contact}</p></div> })
    }

    fn for_developers(&self, text: &'static Text) -> impl IntoView + use<> {
        let description = visible(&self.description);
        (!description.is_empty()).then(|| {
            view! {
                <details>
                    <summary>{text.for_developers}</summary>
                    <p lang="en" dir="auto">{description}</p>
                </details>
            }
        })
    }
}

impl Text {
    /// What the page of this kind says.
    fn error(&self, kind: ErrorKind) -> &'static ErrorText {
        let errors = self.errors;
        match kind {
            ErrorKind::ClientUnknown => &errors.client_unknown,
            ErrorKind::RedirectNotRegistered => &errors.redirect_not_registered,
            ErrorKind::RedirectNotTrusted => &errors.redirect_not_trusted,
            ErrorKind::ClientRequest => &errors.client_request,
            ErrorKind::Expired => &errors.expired,
            ErrorKind::AlreadyAnswered => &errors.already_answered,
            ErrorKind::CrossSite => &errors.cross_site,
            ErrorKind::Declined => &errors.declined,
            ErrorKind::KeptOut => &errors.kept_out,
            ErrorKind::ProviderSilent => &errors.provider_silent,
            ErrorKind::ProviderFault => &errors.provider_fault,
            ErrorKind::SignInNeeded => &errors.sign_in_needed,
            ErrorKind::Refused => &errors.refused,
            ErrorKind::TooMany => &errors.too_many,
            ErrorKind::TooLarge => &errors.too_large,
            ErrorKind::NotFound => &errors.not_found,
            ErrorKind::Unavailable => &errors.unavailable,
            ErrorKind::ServerMistake => &errors.server_mistake,
        }
    }

    fn fault(&self, fault: Fault) -> &'static str {
        match fault {
            Fault::Client => self.fault_client,
            Fault::Provider => self.fault_provider,
            Fault::Server => self.fault_server,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        language::Language,
        samples::{self, frame},
    };

    #[test]
    fn every_kind_says_what_happened_and_why_and_leads_on() {
        for kind in ErrorKind::ALL {
            let page = ErrorPage { kind, ..samples::expired() };
            let html = page.render(&frame());
            let words = frame().text.error(kind);
            for shown in [words.title, words.what, words.next, "class=\"button"] {
                assert!(html.contains(shown), "{kind:?}: {shown}");
            }
            let fault = kind.fault().map(|fault| frame().text.fault(fault));
            assert!(fault.is_none_or(|fault| html.contains(fault)), "{kind:?}");
            assert_eq!(html.contains(frame().text.cause), fault.is_some(), "{kind:?}");
            assert!(html.contains(&page.reason) && html.contains(&page.request_id));
        }
    }

    #[test]
    fn a_primary_button_does_what_the_page_advises() {
        for again in [None, Some("/account".to_owned())] {
            for kind in ErrorKind::ALL {
                let again = again
                    .clone()
                    .filter(|_| matches!(kind, ErrorKind::Unavailable | ErrorKind::ServerMistake));
                let html = ErrorPage { kind, again, ..samples::expired() }.render(&frame());
                let mut primary = html.split(r#"class="button primary""#).skip(1);
                let label = primary.next().and_then(|rest| rest.split(['<', '>']).nth(1));
                let advice = frame().text.error(kind).next.to_lowercase();
                let label = label.map(str::to_lowercase);
                assert!(label.is_none_or(|label| advice.contains(&label)), "{kind:?}: {html}");
                assert_eq!(primary.next(), None, "{kind:?}: one button is primary");
            }
        }
    }

    #[test]
    fn every_kind_of_error_is_told_in_every_language() {
        for kind in ErrorKind::ALL {
            let [english, german] = Language::ALL.map(|language| Text::of(language).error(kind));
            assert_ne!(english.what, german.what, "{kind:?}");
            for text in [english.title, english.next, german.title, german.next] {
                assert!(!text.is_empty() && !text.contains('{'), "{kind:?}");
            }
        }
    }

    #[test]
    fn what_a_request_brought_is_text() {
        let description = "<svg/onload=alert(1)>\u{202e}".to_owned();
        let kind = ErrorKind::ClientUnknown;
        let html = ErrorPage { kind, description, ..samples::expired() }.render(&frame());
        assert!(html.contains("&lt;svg/onload") && !html.contains('\u{202e}'));
    }

    #[test]
    fn the_way_on_to_a_program_shows_where_it_leads() {
        let address = "https://app.example/cb?error=invalid_scope&state=s".to_owned();
        let onward = Some(Onward { host: "app.example".to_owned(), address });
        let html = ErrorPage { onward, ..samples::expired() }.render(&frame());
        assert!(html.contains(">app.example<"), "{html}");
        let link = r#"href="https://app.example/cb?error=invalid_scope&amp;state=s""#;
        assert!(html.contains(link), "{html}");
    }

    #[test]
    fn trying_again_never_leaves_this_server() {
        for again in ["javascript:alert(1)", "//evil.example", "https://evil.example"] {
            let again = Some(again.to_owned());
            let html = ErrorPage { again, ..samples::expired() }.render(&frame());
            assert!(!html.contains("evil") && !html.contains("javascript:"));
        }
        let again = Some("/account".to_owned());
        let html = ErrorPage { again, ..samples::expired() }.render(&frame());
        assert!(html.contains(r#"href="/account""#));
    }
}
