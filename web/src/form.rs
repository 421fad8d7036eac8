//! The fields and forms that more than one page posts.

use leptos::prelude::*;

/// A value that travels with a form unseen.
pub(crate) fn hidden(name: &'static str, value: &str) -> impl IntoView + use<> {
    view! { <input type="hidden" name=name value=value.to_owned() /> }
}

/// A quiet button that ends the session, then goes on to `continue_to` where that is known.
pub(crate) fn sign_out(
    label: &'static str,
    csrf: &str,
    continue_to: Option<&str>,
) -> impl IntoView + use<> {
    view! {
        <form method="post" action="/sign-out">
            {continue_to.map(|path| hidden("continue", path))}
            {hidden("csrf", csrf)}
            <button class="quiet">{label}</button>
        </form>
    }
}
