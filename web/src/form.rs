//! The fields and forms that more than one page posts.

use leptos::prelude::*;

use crate::text::Text;

pub(crate) fn hidden(name: &'static str, value: &str) -> impl IntoView + use<> {
    view! { <input type="hidden" name=name value=value.to_owned() /> }
}

pub(crate) fn sign_out(label: &'static str, csrf: &str) -> impl IntoView + use<> {
    view! {
        <form method="post" action="/sign-out">
            {hidden("csrf", csrf)} <button class="quiet">{label}</button>
        </form>
    }
}

/// The name by which a button finds [`switch_account`] from inside another form.
const SWITCH: &str = "switch";

/// A button inside another form that submits [`switch_account`].
pub(crate) fn switch_button(text: &'static Text) -> impl IntoView {
    view! {
        <button class="quiet" form=SWITCH aria-label=text.change_account>{text.change}</button>
    }
}

/// The form that signs out and continues at `continue_to` with another account.
pub(crate) fn switch_account(csrf: &str, continue_to: &str) -> impl IntoView + use<> {
    view! {
        <form id=SWITCH method="post" action="/sign-out">
            {hidden("continue", continue_to)} {hidden("csrf", csrf)}
        </form>
    }
}

/// The buttons Deny and Allow, of equal size, side by side on every screen.
pub(crate) fn answer_buttons(text: &'static Text) -> impl IntoView {
    view! {
        <div class="pair">
            <button class="secondary" name="decision" value="deny" formnovalidate>
                {text.deny}
            </button>
            <button class="primary" name="decision" value="allow">{text.allow}</button>
        </div>
    }
}
