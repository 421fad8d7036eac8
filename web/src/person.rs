//! The row that shows who is signed in.

use leptos::prelude::*;

use crate::{
    display_name::{display_name, initial},
    form::switch_button,
    layout::Frame,
};

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
        let initial = initial(&name);
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

    /// One line that says whose account is meant, and a button to change it.
    pub(crate) fn line(&self, frame: &Frame) -> impl IntoView + use<> {
        let name = frame.name(&self.name);
        let email = self.email.as_deref().map(display_name);
        view! {
            <section class="with-end account" aria-label=frame.text.signed_in_as>
                <p>
                    <strong dir="auto">{name}</strong>
                    {email.map(|email| view! { " " <span dir="ltr">{email}</span> })}
                </p>
                {switch_button(frame.text)}
            </section>
        }
    }
}
