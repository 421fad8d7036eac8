//! The HTML document around the content of every page.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    brand::Brand,
    display_name::display_name,
    icon,
    language::Language,
    text::{Text, fill},
};

/// The `Content-Security-Policy` to send with every page.
///
/// It has no `form-action`: Chromium would apply that to the redirect which answers the consent
/// form, and so block the way back to a client on a loopback port or a private-use scheme.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// What all pages share: the operator's brand and the language.
#[derive(Clone)]
pub struct Frame {
    pub(crate) brand: Arc<Brand>,
    pub(crate) text: &'static Text,
}

impl Frame {
    /// The frame of an operator's pages in one language.
    pub fn new(brand: Arc<Brand>, language: Language) -> Self {
        Self { brand, text: Text::of(language) }
    }

    /// The language of the pages, for the header `Content-Language`.
    pub fn language(&self) -> Language {
        self.text.language
    }

    /// A whole HTML document with this title, and this content in its card.
    pub(crate) fn document<Content: IntoView>(
        &self,
        title: &str,
        content: impl FnOnce() -> Content,
    ) -> String {
        self.document_for(None, title, content)
    }

    /// The same, with the initial of the client that the page is about next to the operator's mark.
    pub(crate) fn document_for<Content: IntoView>(
        &self,
        client: Option<String>,
        title: &str,
        content: impl FnOnce() -> Content,
    ) -> String {
        let brand = &self.brand;
        let text = self.text;
        // One string: between two, Leptos sets a marker that a title would show.
        let title = fill(text.document_title, &[("page", title), ("operator", brand.name())]);
        let footer = fill(text.footer, &[("operator", brand.name())]);
        let mark = match brand.logo() {
            Some(logo) => view! { <img class="logo" src=logo.to_owned() alt="" /> }.into_any(),
            None => icon::portcullis().into_any(),
        };
        let client = client.map(|initial| {
            view! {
                <span class="initial" aria-hidden="true">{initial}</span>
                <span aria-hidden="true">"→"</span>
            }
        });
        let html = Owner::new().with(|| {
            view! {
                <html lang=text.language.tag()>
                    <head>
                        <meta charset="utf-8" />
                        <meta name="viewport" content="width=device-width, initial-scale=1" />
                        <meta name="color-scheme" content="light dark" />
                        <meta name="robots" content="noindex" />
                        <title>{title}</title>
                        <link rel="icon" href=icon::FAVICON />
                        <link rel="stylesheet" href=brand.style_path().to_owned() />
                    </head>
                    <body>
                        <header>{client} {mark} <span>{brand.name().to_owned()}</span></header>
                        <main>{content()}</main>
                        <footer>{footer}</footer>
                    </body>
                </html>
            }
            .to_html()
        });
        format!("<!DOCTYPE html>{html}")
    }

    /// A name from outside, cleaned up for display; a placeholder if nothing is left.
    pub(crate) fn name(&self, name: &str) -> String {
        match display_name(name) {
            name if name.is_empty() => self.text.no_name.to_owned(),
            name => name,
        }
    }
}

/// A box with sentences to read before going on.
pub(crate) fn notice(sentences: Vec<String>) -> impl IntoView {
    boxed("notice", sentences)
}

/// A box with reasons to stop.
pub(crate) fn alarm(sentences: Vec<String>) -> impl IntoView {
    boxed("notice problem", sentences)
}

fn boxed(class: &'static str, sentences: Vec<String>) -> impl IntoView {
    let paragraphs = match sentences.len() {
        1 => sentences.into_iter().map(|line| view! { <p>{line}</p> }).collect_view().into_any(),
        _ => {
            let items = sentences.into_iter().map(|line| view! { <li>{line}</li> });
            view! { <ul>{items.collect_view()}</ul> }.into_any()
        }
    };
    view! { <div class=class>{icon::caution()} <div>{paragraphs}</div></div> }
}

/// Says why the form that was just sent was not accepted.
pub(crate) fn problem(id: Option<&'static str>, sentence: &'static str) -> impl IntoView {
    view! {
        <p class="notice problem" id=id role="alert">
            {icon::caution()} <span>{sentence}</span>
        </p>
    }
}

/// Confirms what has just been done.
pub(crate) fn done(sentence: String) -> impl IntoView {
    view! { <p class="done" role="status">{icon::tick()} <span>{sentence}</span></p> }
}
