//! The row that shows who is signed in.

use leptos::prelude::*;

use crate::{display_name::display_name, layout::Frame};

/// The signed-in user.
#[derive(Debug, Clone)]
pub struct Person {
    /// Display name.
    pub name: String,
    /// E-mail address, if known.
    pub email: Option<String>,
}

impl Person {
    /// A row with the person's initial, name and e-mail address, and a button at its end.
    pub(crate) fn row<Button: IntoView>(
        &self,
        frame: &Frame,
        button: Button,
    ) -> impl IntoView + use<Button> {
        let name = frame.name(&self.name);
        let letter = name.chars().find(|character| character.is_alphanumeric());
        let initial: String = letter.into_iter().flat_map(char::to_uppercase).collect();
        let email = self.email.as_deref().map(display_name);
        view! {
            <section class="person" aria-label=frame.text.signed_in_as>
                <div class="identity">
                    <span class="initial" aria-hidden="true">{initial}</span>
                    <div class="who">
                        <small>{frame.text.signed_in_as}</small>
                        <strong dir="auto">{name}</strong>
                        {email.map(|email| view! { <span dir="ltr">{email}</span> })}
                    </div>
                </div>
                {button}
            </section>
        }
    }
}
