//! Every page in every state with sample data, for design work and for tests.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    Brand, Color, Frame, Language, Onward, Person,
    end_session::EndSessionPage,
    error::{AskForAccess, ErrorKind, ErrorPage},
    home::HomePage,
    signed_out::SignedOutPage,
};

mod account;
mod consent;
mod device;
mod sign_in;

/// One page in one state.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The path it is served at, such as `/consent/hosted`.
    pub path: String,
    /// What the sample shows.
    pub shows: String,
    /// The rendered document.
    pub html: String,
}

/// All samples: English, in the order in which a person would meet the pages, then German, then
/// some under an operator's own brand.
pub fn all() -> Vec<Sample> {
    let german = Frame::new(Arc::new(Brand::default()), Language::German);
    let branded = Frame::new(Arc::new(other_brand()), Language::English);
    let mut samples = under(&frame(), "", "");
    samples.extend(under(&german, "/de", "German: "));
    samples.extend(under(&branded, "/branded", "Own brand: "));
    samples
}

/// Every page in one frame.
fn under(frame: &Frame, prefix: &str, note: &str) -> Vec<Sample> {
    let pages = [
        home(frame),
        sign_in::samples(frame),
        consent::samples(frame),
        device::samples(frame),
        account::samples(frame),
        errors(frame),
    ];
    let samples = pages.into_iter().flatten().map(|(path, shows, html)| Sample {
        path: format!("{prefix}{path}"),
        shows: format!("{note}{shows}"),
        html,
    });
    samples.collect()
}

/// A page that lists and links these samples.
pub fn index(samples: &[Sample]) -> String {
    let links = samples.iter().map(|sample| {
        view! { <li><a href=sample.path.clone()>{sample.shows.clone()}</a></li> }
    });
    frame().document("Every page, every state", || {
        view! {
            <h1>"Every page, every state"</h1>
            <p class="lead">"Sample data; the buttons lead nowhere."</p>
            <ul class="samples">{links.collect_view()}</ul>
        }
    })
}

/// The brand of the samples under `/branded`.
pub(crate) fn other_brand() -> Brand {
    Brand::new("Example Company", Color::parse("#7a1fa2"), Some(LOGO_PATH.to_owned()))
}

/// Where [`LOGO`] is to be served.
pub(crate) const LOGO_PATH: &str = "/logo.svg";

/// A logo, as an operator would have one.
pub const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">
<circle cx="20" cy="20" r="18" fill="#7a1fa2"/><path d="M12 26V14l8 8 8-8v12" fill="none"
stroke="#fff" stroke-width="3.5" stroke-linejoin="round" stroke-linecap="round"/></svg>"##;

/// The frame of most samples: the default brand, in English.
pub(crate) fn frame() -> Frame {
    Frame::new(Arc::new(Brand::default()), Language::English)
}

pub(crate) fn person() -> Person {
    Person { name: "Nick Lucas".to_owned(), email: Some("nick@example.com".to_owned()) }
}

#[cfg(test)]
pub(crate) fn account() -> crate::account::AccountPage {
    account::account(Language::English)
}

#[cfg(test)]
pub(crate) fn consent() -> crate::consent::ConsentPage {
    consent::consent(Language::English)
}

#[cfg(test)]
pub(crate) fn device() -> crate::device::DeviceConsentPage {
    device::device(Language::English)
}

/// A refusal after which nothing is broken.
pub(crate) fn expired() -> ErrorPage {
    ErrorPage {
        kind: ErrorKind::Expired,
        description: "This sign-in took too long. Start again.".to_owned(),
        reason: "sign_in_expired".to_owned(),
        request_id: "01932f6e-7c1a-7b4e-9c57-3f1d2a8e6b90".to_owned(),
        again: None,
        onward: None,
        access: None,
    }
}

/// The address of an unverified client.
fn ask_for_access() -> AskForAccess {
    AskForAccess {
        sign_in: "/sign-in?account=another".to_owned(),
        contact: Some("Ask the platform team: access@acme.example".to_owned()),
    }
}

fn onward() -> Onward {
    Onward {
        host: "notes.example.com".to_owned(),
        address: "https://notes.example.com/callback?error=invalid_scope".to_owned(),
    }
}

type Shown = (&'static str, &'static str, String);

fn home(frame: &Frame) -> Vec<Shown> {
    let issuer = "http://localhost:3000".to_owned();
    let alone = HomePage { person: None, csrf: "sample".to_owned(), issuer };
    let known = HomePage { person: Some(person()), ..alone.clone() };
    let out = SignedOutPage::default();
    let onward = SignedOutPage { onward: Some(onward()), ..SignedOutPage::default() };
    let asked = EndSessionPage {
        client_name: Some("Team notes".to_owned()),
        person: person(),
        request: "client_id=sample".to_owned(),
        csrf: "sample".to_owned(),
    };
    vec![
        ("/home", "Home, signed out", alone.render(frame)),
        ("/home/signed-in", "Home, signed in", known.render(frame)),
        ("/end-session", "Signing out, as a program asks", asked.render(frame)),
        ("/signed-out", "Signed out", out.render(frame)),
        ("/signed-out/onward", "Signed out, a program waits", onward.render(frame)),
    ]
}

fn errors(frame: &Frame) -> Vec<Shown> {
    let shown = [
        ("/error/client-unknown", "Error: client unknown", "client_unknown"),
        ("/error/redirect", "Error: redirect not registered", "redirect_uri_unregistered"),
        ("/error/untrusted", "Error: redirect not trusted", "scope_unknown"),
        ("/error/client-request", "Error: bad request", "pkce_missing"),
        ("/error", "Error: expired", "sign_in_expired"),
        ("/error/answered", "Error: answered before", "consent_answered"),
        ("/error/cross-site", "Error: another site", "cross_site_form"),
        ("/error/declined", "Error: declined at the provider", "upstream_denied"),
        ("/error/kept-out", "Error: may not come in", "person_not_allowed"),
        ("/error/provider", "Error: the provider is silent", "upstream_unreachable"),
        ("/error/provider-fault", "Error: the provider refused this server", "upstream_refused"),
        ("/error/signed-out", "Error: sign in first", "account_signed_out"),
        ("/error/refused", "Error: refused", "refused"),
        ("/error/too-many", "Error: too many attempts", "too_many_attempts"),
        ("/error/too-large", "Error: too large", "body_too_large"),
        ("/error/not-found", "Error: nothing here", "not_found"),
        ("/error/unavailable", "Error: outage", "database_failed"),
        ("/error/server", "Error: a defect", "panicked"),
    ];
    let pages = ErrorKind::ALL.into_iter().zip(shown).map(|(kind, (path, shows, reason))| {
        let again = matches!(kind, ErrorKind::Unavailable | ErrorKind::ServerMistake)
            .then(|| "/account".to_owned());
        let onward = (kind == ErrorKind::RedirectNotTrusted).then(onward);
        let access = (kind == ErrorKind::KeptOut).then(ask_for_access);
        let reason = reason.to_owned();
        let page = ErrorPage { kind, reason, again, onward, access, ..expired() };
        (path, shows, page.render(frame))
    });
    pages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most that a page may weigh with its stylesheet, in bytes.
    const HEAVIEST: usize = 30 * 1024;

    fn pages() -> Vec<Sample> {
        let mut pages = all();
        let html = index(&pages);
        pages.push(Sample { path: "/".to_owned(), shows: "The list".to_owned(), html });
        pages
    }

    #[test]
    fn no_page_carries_a_script_or_an_inline_style() {
        for page in pages() {
            for forbidden in ["<script", "<style", " style=", "javascript:", " onclick="] {
                assert!(!page.html.contains(forbidden), "{}: {forbidden}", page.path);
            }
        }
    }

    #[test]
    fn every_page_is_a_document_with_a_language_a_title_and_one_heading() {
        for page in pages() {
            let language = if page.path.starts_with("/de/") { "de" } else { "en" };
            let start = format!(r#"<!DOCTYPE html><html lang="{language}">"#);
            assert!(page.html.starts_with(&start), "{}", page.path);
            assert_eq!(page.html.matches("<h1>").count(), 1, "{}", page.path);
            let (_, after) = page.html.split_once("<title>").expect("a title opens");
            let (title, _) = after.split_once("</title>").expect("a title closes");
            let operator =
                if page.path.starts_with("/branded/") { "Example Company" } else { "Portcullis" };
            assert!(title.ends_with(&format!(" · {operator}")) && !title.contains('<'), "{title}");
        }
    }

    #[test]
    fn every_page_is_light() {
        for page in all() {
            let style = other_brand().stylesheet().len();
            let weight = page.html.len() + style + LOGO.len();
            assert!(weight < HEAVIEST, "{} weighs {weight} bytes", page.path);
        }
    }

    #[test]
    fn every_form_is_posted() {
        for page in pages() {
            let forms = page.html.matches("<form").count();
            assert_eq!(page.html.matches(r#" method="post""#).count(), forms, "{}", page.path);
        }
    }

    #[test]
    fn every_page_leads_on() {
        for page in pages() {
            let leads = page.html.contains("<button") || page.html.contains("<a ");
            assert!(leads || page.path.ends_with("/sign-in/none"), "{}", page.path);
        }
    }

    #[test]
    fn every_sample_has_its_own_path() {
        let mut paths: Vec<_> = pages().into_iter().map(|page| page.path).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
