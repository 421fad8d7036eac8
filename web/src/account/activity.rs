//! The browsers that are signed in, and what happened lately.

use leptos::prelude::*;

use super::{AccountPage, BrowserSession, ListPage, SecurityEvent, list_page::rows};
use crate::{date::date_and_time, form::hidden, layout::Frame, text::Text};

impl AccountPage {
    pub(super) fn sessions(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let entries = self.sessions.iter().map(|one| one.entry(text, &self.csrf).into_any());
        let apps = self.app_page.number;
        let others = self.session_page.neighbours(text, text.sessions, |number| {
            format!("/account?page={apps}&sessions={number}#sessions")
        });
        view! {
            <section id="sessions">
                <h2>{text.sessions}</h2>
                {rows(text, text.sessions, entries.collect())}
                {others}
                {self.sign_out_elsewhere(text)}
            </section>
        }
    }

    fn sign_out_elsewhere(&self, text: &'static Text) -> Option<impl IntoView + use<>> {
        let shown = self.sessions.iter().any(|session| !session.is_this);
        (shown || self.session_page != ListPage::WHOLE).then(|| {
            view! {
                <form method="post" action="/account/sessions">
                    {hidden("csrf", &self.csrf)} {hidden("session", "others")}
                    <button class="quiet" aria-describedby="elsewhere">
                        {text.sign_out_elsewhere}
                    </button>
                    <p class="hint" id="elsewhere">{text.sign_out_elsewhere_hint}</p>
                </form>
            }
        })
    }

    pub(super) fn events(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let list = if self.events.is_empty() {
            view! { <p class="soft">{text.no_events}</p> }.into_any()
        } else {
            let entries = self.events.iter().map(|event| event.entry(frame).into_any());
            rows(text, text.events, entries.collect()).into_any()
        };
        view! {
            <section>
                <h2>{text.events}</h2>
                {list}
            </section>
        }
    }
}

impl BrowserSession {
    fn entry(&self, text: &'static Text, csrf: &str) -> impl IntoView + use<> {
        let place = self.place.words(text);
        let label = format!("{}: {place}", text.sign_out_there);
        let end = if self.is_this {
            view! { <span class="badge calm">{text.this_browser}</span> }.into_any()
        } else {
            view! {
                <form method="post" action="/account/sessions">
                    {hidden("csrf", csrf)} {hidden("session", &self.id)}
                    <button class="quiet" aria-label=label>{text.sign_out_there}</button>
                </form>
            }
            .into_any()
        };
        view! {
            <li class="with-end">
                <div>
                    <strong>{place}</strong>
                    <p class="meta">
                        <span>{text.signed_in_at} " " {date_and_time(text, self.signed_in_at)}</span>
                        <span>{text.last_seen} " " {date_and_time(text, self.last_seen_at)}</span>
                    </p>
                </div>
                {end}
            </li>
        }
    }
}

impl SecurityEvent {
    fn entry(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let what = match self.subject.as_str() {
            "" => text.event(&self.kind).to_owned(),
            subject => {
                format!("{}: {}", text.event(&self.kind), text.quoted(&frame.name(subject)))
            }
        };
        let place = self.place.as_ref().map(|place| view! { <span>{place.words(text)}</span> });
        view! {
            <li>
                <strong>{what}</strong>
                <p class="meta"><span>{date_and_time(text, self.at)}</span> {place}</p>
            </li>
        }
    }
}
