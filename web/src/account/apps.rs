//! The programs that have access: one entry for each, with its installations in a fold.

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
        let sessions = self.session_page.number;
        let others = self.app_page.neighbours(text, text.connected_apps, |number| {
            format!("/account?page={number}&sessions={sessions}#apps")
        });
        let programs = programs(&self.apps);
        let list = if programs.is_empty() {
            view! { <p class="soft">{text.no_apps}</p> }.into_any()
        } else {
            let entries = programs.iter().map(|program| entry(frame, program, &self.csrf));
            view! {
                <ul class="rows">{entries.collect_view()}</ul>
                <p class="hint">{text.remove_access_sure}</p>
            }
            .into_any()
        };
        view! {
            <section id="apps">
                <h2>{text.connected_apps}</h2>
                {list}
                {others}
            </section>
        }
    }
}

/// The installations of each program, in the order of the newest: those that give themselves one
/// name, and prove the same host if they prove one.
fn programs(apps: &[ConnectedApp]) -> Vec<Vec<&ConnectedApp>> {
    let mut programs: Vec<Vec<&ConnectedApp>> = Vec::new();
    for app in apps {
        match programs.iter_mut().find(|program| program[0].is_same_program(app)) {
            Some(program) => program.push(app),
            None => programs.push(vec![app]),
        }
    }
    programs
}

/// One press opens the entry, a second one removes an installation.
fn entry(
    frame: &Frame,
    installations: &[&ConnectedApp],
    csrf: &str,
) -> Option<impl IntoView + use<>> {
    let text = frame.text;
    let program = installations.first()?;
    let badge = program
        .unverified
        .then(|| view! { " " <span class="badge">{text.unverified_badge}</span> });
    let host = program.host.as_deref().map(visible);
    let host = host.map(|host| view! { " " <code dir="ltr">{host}</code> });
    let name = frame.name(&program.name);
    let quoted = text.quoted(&name);
    let last_used = installations.iter().map(|app| app.last_used_at).max()?;
    let count = (installations.len() > 1).then(|| {
        let count = installations.len().to_string();
        view! { <span>{fill(text.installations, &[("count", &count)])}</span> }
    });
    let names = names(text, installations);
    let bodies = installations.iter().zip(names).map(|(app, name)| {
        let label = format!("{}: {quoted}, {name}", text.remove_access);
        app.body(frame, name, label, csrf)
    });
    Some(view! {
        <li>
            <details class="fold">
                <summary>
                    <h3><bdi>{name}</bdi>{host}{badge}</h3>
                    <span class="meta">
                        {count} <span>{text.last_used} " " {date_and_time(text, last_used)}</span>
                    </span>
                </summary>
                {bodies.collect_view()}
            </details>
        </li>
    })
}

/// A name for each installation: where it was allowed, counted where that says too little.
fn names(text: &Text, installations: &[&ConnectedApp]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for app in installations {
        let place = app.allowed_in.as_ref().map(|place| place.words(text));
        let place = place.unwrap_or_else(|| text.unknown_device.to_owned());
        let numbered = (2..).map(|number| format!("{place} ({number})"));
        let mut candidates = std::iter::once(place.clone()).chain(numbered);
        let name = candidates.find(|name| !names.contains(name));
        names.extend(name);
    }
    names
}

impl ConnectedApp {
    fn is_same_program(&self, other: &Self) -> bool {
        (&self.name, &self.host, self.unverified) == (&other.name, &other.host, other.unverified)
    }

    /// What one installation may do, and the button that removes it, whose `label` says which one.
    fn body(
        &self,
        frame: &Frame,
        name: String,
        label: String,
        csrf: &str,
    ) -> impl IntoView + use<> {
        let text = frame.text;
        let resource = isolated(&frame.name(&self.resource_name));
        let scopes = self.scopes.iter().map(|line| view! { <li>{line.words(text)}</li> });
        let allowed = fill(text.first_used, &[("date", &date(text, self.first_used_at))]);
        view! {
            <div class="installation">
                <strong>{name}</strong>
                <p>{fill(text.can_use, &[("resource", &resource)])}</p>
                <ul class="can">{scopes.collect_view()}</ul>
                <p class="meta">
                    <span>{allowed}</span>
                    <span>{text.last_used} " " {date_and_time(text, self.last_used_at)}</span>
                </p>
                <form method="post" action="/account/revoke">
                    {hidden("csrf", csrf)} {hidden("grant", &self.grant_id)}
                    <button class="quiet danger-text" aria-label=label>{text.remove_access}</button>
                </form>
            </div>
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::samples::{self, frame};

    #[test]
    fn installations_of_one_program_share_an_entry_and_are_told_apart_by_name() {
        let mut page = samples::account();
        let mut twin = page.apps[0].clone();
        twin.grant_id = "another".to_owned();
        page.apps.push(twin);
        let html = page.render(&frame());
        assert_eq!(html.matches(r#"<details class="fold">"#).count(), 2);
        assert!(html.contains("2 installations"), "{html}");
        let place = "Firefox on Linux, this computer";
        for name in [place.to_owned(), format!("{place} (2)")] {
            assert!(html.contains(&format!("<strong>{name}</strong>")), "{name}: {html}");
            let label = format!("Remove access: {}, {name}", frame().text.quoted("Claude Code"));
            assert!(html.contains(&format!(r#"aria-label="{label}""#)), "{label}: {html}");
        }
    }

    #[test]
    fn a_program_that_only_borrows_a_name_has_an_entry_of_its_own() {
        let mut page = samples::account();
        let name = page.apps[0].name.clone();
        page.apps[1].name = name;
        let html = page.render(&frame());
        assert_eq!(html.matches(r#"<details class="fold">"#).count(), 2);
        assert!(!html.contains("2 installations"));
    }
}
