//! The programs that have access, one entry for each installation.

use leptos::prelude::*;

use super::{AccountPage, ConnectedApp};
use crate::{
    date::{date, date_and_time},
    display_name::visible,
    form::hidden,
    layout::Frame,
    text::{Text, fill, isolated},
};

impl AccountPage {
    pub(super) fn apps(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let apps = self.apps.iter().map(|app| app.entry(frame, &self.csrf)).collect_view();
        let sessions = self.session_page.number;
        let others = self.app_page.neighbours(text, text.connected_apps, |number| {
            format!("/account?page={number}&sessions={sessions}#apps")
        });
        let empty = self.apps.is_empty().then(|| view! { <p>{text.no_apps}</p> });
        view! {
            <section id="apps">
                <h2>{text.connected_apps}</h2>
                {empty}
                <ul class="rows">{apps}</ul>
                {others}
            </section>
        }
    }
}

impl ConnectedApp {
    fn entry(&self, frame: &Frame, csrf: &str) -> impl IntoView + use<> {
        let text = frame.text;
        let badge = self
            .unverified
            .then(|| view! { " " <span class="badge">{text.unverified_badge}</span> });
        let name = frame.name(&self.name);
        let host = self.host.as_deref().map(visible);
        let host = host.map(|host| view! { " " <code dir="ltr">{host}</code> });
        let resource = isolated(&frame.name(&self.resource_name));
        let scopes = self.scopes.iter().map(|line| view! { <li>{line.words(text)}</li> });
        view! {
            <li>
                <h3><bdi>{name}</bdi>{host}{badge}</h3>
                <p>{fill(text.can_use, &[("resource", &resource)])}</p>
                <ul class="can">{scopes.collect_view()}</ul>
                <p class="meta">
                    <span>{text.last_used} " " {date_and_time(text, self.last_used_at)}</span>
                    <span>{self.allowed(text)}</span>
                </p>
                {self.removal(frame, csrf)}
            </li>
        }
    }

    /// When it was allowed, and in which browser, where that is known.
    fn allowed(&self, text: &Text) -> String {
        let date = date(text, self.first_used_at);
        match &self.allowed_in {
            None => fill(text.first_used, &[("date", &date)]),
            Some(place) => {
                fill(text.first_used_in, &[("date", &date), ("place", &place.words(text))])
            }
        }
    }

    /// Two presses: one opens, one removes. The second says what will happen.
    fn removal(&self, frame: &Frame, csrf: &str) -> impl IntoView + use<> {
        let text = frame.text;
        let name = text.quoted(&frame.name(&self.name));
        let label = format!("{}: {name}", text.remove_access);
        view! {
            <details>
                <summary aria-label=label>{text.remove_access}</summary>
                <form method="post" action="/account/revoke">
                    {hidden("csrf", csrf)} {hidden("grant", &self.grant_id)}
                    <p>{fill(text.remove_access_sure, &[("client", &name)])}</p>
                    <button class="danger">{text.remove_access_now}</button>
                </form>
            </details>
        }
    }
}
