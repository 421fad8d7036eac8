//! The ways to sign in.

use leptos::prelude::*;

use super::{AccountPage, LinkedIdentity};
use crate::{
    date::date,
    display_name::visible,
    form::hidden,
    layout::Frame,
    text::{fill, isolated},
};

impl AccountPage {
    pub(super) fn identities(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let items = self.identities.iter().map(|identity| identity.entry(frame, &self.csrf));
        let further = self.linkable.iter().map(|(provider, action)| {
            view! {
                <form method="post" action=action.clone()>
                    {hidden("csrf", &self.csrf)} {hidden("continue", "/account")}
                    <button class="quiet">{fill(text.link_another, &[("provider", provider)])}</button>
                </form>
            }
        });
        view! {
            <section id="identities">
                <h2>{text.identities}</h2>
                <ul class="rows">{items.collect_view()}</ul>
                {further.collect_view()}
            </section>
        }
    }
}

impl LinkedIdentity {
    fn entry(&self, frame: &Frame, csrf: &str) -> impl IntoView + use<> {
        let text = frame.text;
        let since = fill(text.identity_since, &[("date", &date(text, self.since))]);
        let last = (!self.is_spare).then(|| view! { <span>{text.identity_last}</span> });
        let removal = self.is_spare.then(|| self.removal(frame, csrf));
        view! {
            <li>
                <strong>{self.words(frame)}</strong>
                <p class="meta"><span>{since}</span> {last}</p>
                {removal}
            </li>
        }
    }

    fn words(&self, frame: &Frame) -> String {
        let provider = frame.name(&self.provider);
        let subject = visible(&self.subject);
        fill(frame.text.identity_at, &[("provider", &provider), ("subject", &subject)])
    }

    /// Two presses: one opens, one removes. The second says what will happen.
    fn removal(&self, frame: &Frame, csrf: &str) -> impl IntoView + use<> {
        let text = frame.text;
        let label = format!("{}: {}", text.remove_identity, self.words(frame));
        let provider = isolated(&frame.name(&self.provider));
        view! {
            <details class="removal">
                <summary aria-label=label>{text.remove_identity}</summary>
                <form method="post" action="/account/identities">
                    {hidden("csrf", csrf)} {hidden("identity", &self.id)}
                    <p>{fill(text.remove_identity_sure, &[("provider", &provider)])}</p>
                    <button class="danger">{text.remove_identity_now}</button>
                </form>
            </details>
        }
    }
}
