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

/// One row whose value is said in words.
pub(crate) fn told<Value: IntoView>(
    meaning: &'static str,
    value: Value,
) -> impl IntoView + use<Value> {
    view! {
        <div>
            <dt>{meaning}</dt>
            <dd>{value}</dd>
        </div>
    }
}
