//! Rows of a list of facts: a label and a value.

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

/// One row whose value is a sentence or a formatted text.
pub(crate) fn fact_in_words<Value: IntoView>(
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
