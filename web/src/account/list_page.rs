//! Lists that are too long for one page.

use leptos::prelude::*;

use crate::text::{Text, fill};

/// Rows of a list that are in sight; the others are folded.
const MAX_UNFOLDED: usize = 3;

/// Which part of a list is shown, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPage {
    /// This part.
    pub number: usize,
    /// The last one that there is.
    pub last: usize,
}

impl ListPage {
    pub(crate) const WHOLE: Self = Self { number: 1, last: 1 };

    /// Links to the parts before and after this one, at the place that `address` gives each; `list`
    /// says of what, for who hears a link without its surroundings.
    pub(super) fn neighbours(
        self,
        text: &'static Text,
        list: &'static str,
        address: impl Fn(usize) -> String,
    ) -> Option<AnyView> {
        let link = |is_there: bool, number: usize, label: &'static str| {
            is_there.then(|| {
                let name = format!("{label}: {list}");
                view! { <a href=address(number) aria-label=name>{label}</a> }
            })
        };
        let newer = link(self.number > 1, self.number.saturating_sub(1), text.newer);
        let older = link(self.number < self.last, self.number.saturating_add(1), text.older);
        (newer.is_some() || older.is_some())
            .then(|| view! { <p class="links">{newer} {older}</p> }.into_any())
    }
}

/// The rows of a list, the first few in sight. `list` names it, for people who hear the summary
/// without its surroundings.
pub(super) fn rows(
    text: &'static Text,
    list: &'static str,
    mut entries: Vec<AnyView>,
) -> impl IntoView + use<> {
    let folded = entries.split_off(MAX_UNFOLDED.min(entries.len()));
    let more = (!folded.is_empty()).then(|| {
        let summary = fill(text.more, &[("count", &folded.len().to_string())]);
        let label = format!("{summary}: {list}");
        view! {
            <details>
                <summary aria-label=label>{summary}</summary>
                <ul class="rows">{folded}</ul>
            </details>
        }
    });
    view! { <ul class="rows">{entries}</ul> {more} }
}
