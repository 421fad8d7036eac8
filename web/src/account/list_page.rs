//! Lists that are too long for one page.

use leptos::prelude::*;

use crate::text::Text;

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
