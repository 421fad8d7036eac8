//! The few drawings of the pages, inline, in the colour of the text around them.

use leptos::prelude::*;

/// The mark as a browser tab shows it; the policy allows images from `data:` for this alone.
pub(crate) const FAVICON: &str = "data:image/svg+xml,\
    %3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='none' stroke='%232f7387' \
    stroke-width='2.6' stroke-linecap='round'%3E\
    %3Cpath d='M4 28V14a12 12 0 0 1 24 0v14M4 13h24M4 20h24M10 5v17M16 3v19M22 5v17'/%3E\
    %3Cpath d='m8.5 23 1.5 4 1.5-4zm6 0 1.5 4 1.5-4zm6 0 1.5 4 1.5-4z' fill='%232f7387'/%3E\
    %3C/svg%3E";

/// The portcullis: an arch, a raised grille, three points.
pub(crate) fn portcullis() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <path d="M4 28V14a12 12 0 0 1 24 0v14" />
            <path class="fine" d="M4 13h24M4 20h24M10 4.8v17M16 2.5v19.3M22 4.8v17" />
            <path class="fine solid" d="m8.6 22.4 1.4 4 1.4-4zm6 0 1.4 4 1.4-4zm6 0 1.4 4 1.4-4z" />
        </svg>
    }
}

/// A tick, shown next to a permission that will be allowed.
pub(crate) fn tick() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            <path d="m4.5 10.5 3.5 3.5 7.5-8" />
        </svg>
    }
}

/// A warning triangle, shown next to something that deserves a second look.
pub(crate) fn caution() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            <path d="M10 3 2.2 16.5h15.6zM10 8.2v3.9M10 14.3v.1" />
        </svg>
    }
}
