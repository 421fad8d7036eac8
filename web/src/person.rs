//! Who is signed in, and beside it the way to be somebody else.

use leptos::prelude::*;

use crate::{display_name::display_name, text};

/// A row with the person's initial, name and e-mail address, and a form at its end.
pub(crate) fn signed_in_as<Form: IntoView>(
    name: &str,
    email: Option<&str>,
    form: Form,
) -> impl IntoView + use<Form> {
    let name = display_name(name);
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    view! {
        <section class="person" aria-label=text::SIGNED_IN_AS>
            <span class="initial" aria-hidden="true">{initial}</span>
            <div class="who">
                <small>{text::SIGNED_IN_AS}</small>
                <strong dir="auto">{name}</strong>
                {email.map(|email| view! { <span dir="ltr">{display_name(email)}</span> })}
            </div>
            {form}
        </section>
    }
}
