//! A value shown exactly as it is, beside what it means.

use leptos::prelude::*;

use crate::display_name::visible;

/// One row of a `<dl class="facts">`: an address or a code, in full, in letters hard to confuse.
pub(crate) fn fact(meaning: &'static str, value: &str) -> impl IntoView + use<> {
    view! {
        <div>
            <dt>{meaning}</dt>
            <dd><code dir="ltr">{visible(value)}</code></dd>
        </div>
    }
}
