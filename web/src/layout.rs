//! The one document shell: every page is this, with something else in the card.

use leptos::prelude::*;

use crate::{icon, style::STYLE_PATH, text};

/// The `Content-Security-Policy` to send with every page.
///
/// It has no `form-action`: Chromium would apply that to the redirect which answers the consent
/// form, and so block the way back to a client on a loopback port or a private-use scheme.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// A whole HTML document with this title, and this content in its card.
pub(crate) fn document<Content: IntoView>(
    title: &str,
    content: impl FnOnce() -> Content,
) -> String {
    // One string: between two, Leptos sets a marker that a title would show.
    let title = text::document_title(title);
    let html = Owner::new().with(|| {
        view! {
            <html lang=text::LANGUAGE>
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <meta name="robots" content="noindex" />
                    <title>{title}</title>
                    <link rel="icon" href=icon::FAVICON />
                    <link rel="stylesheet" href=STYLE_PATH.as_str() />
                </head>
                <body>
                    <header>{icon::portcullis()} <span>{text::PRODUCT}</span></header>
                    <main>{content()}</main>
                    <footer>{text::FOOTER}</footer>
                </body>
            </html>
        }
        .to_html()
    });
    format!("<!DOCTYPE html>{html}")
}

/// Something to read before going on.
pub(crate) fn notice(sentences: Vec<String>) -> impl IntoView {
    let paragraphs = sentences.into_iter().map(|sentence| view! { <p>{sentence}</p> });
    view! { <div class="notice">{icon::caution()} <div>{paragraphs.collect_view()}</div></div> }
}
