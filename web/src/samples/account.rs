//! The account page in its states.

use super::{Shown, consent::tools, person};
use crate::{
    Frame, Language, Place, ScopeLine,
    account::{
        AccountDeletedPage, AccountNotice, AccountPage, BrowserSession, ConnectedApp,
        DeleteAccountPage, LinkedIdentity, SecurityEvent,
    },
};

const NOW: i64 = 1_764_028_800;
const DAY: i64 = 86_400;

/// An account in everyday use.
pub(crate) fn account(language: Language) -> AccountPage {
    let app = |name, host, days| app(name, host, days, language);
    AccountPage {
        person: person(),
        notice: None,
        apps: vec![app("Claude Code", Some("claude.ai"), 1), app("Acme terminal", None, 2)],
        other_pages: (None, None),
        sessions: vec![
            session("Firefox on Linux", "localhost", 0),
            session("Safari on iPhone", "203.0.113.0/24", 3),
        ],
        identities: vec![LinkedIdentity {
            provider: "GitHub".to_owned(),
            subject: "583231".to_owned(),
            since: NOW - 90 * DAY,
        }],
        linkable: vec![("Example Company".to_owned(), "/sign-in/company".to_owned())],
        events: vec![
            event("access_allowed", "Claude Code", 0),
            event("signed_in", "GitHub", 1),
            event("token_replayed", "Old laptop", 2),
        ],
        csrf: "sample".to_owned(),
    }
}

pub(super) fn samples(frame: &Frame) -> Vec<Shown> {
    let language = frame.language();
    let account = || account(language);
    let empty = AccountPage { apps: Vec::new(), events: Vec::new(), ..account() };
    let removed = AccountPage {
        notice: Some(AccountNotice::AccessRemoved("Acme terminal".to_owned())),
        ..account()
    };
    let kinds = ["signed_in", "access_denied", "access_removed", "data_exported", "signed_out"];
    let busy = AccountPage {
        apps: (0..8)
            .map(|number| app(&format!("Program {number}"), None, number, language))
            .collect(),
        other_pages: (Some(1), Some(3)),
        sessions: (0..8).map(|day| session("Chrome on Windows", "2001:db8:1::/48", day)).collect(),
        events: (0..10).map(|day| event(kinds[day % kinds.len()], "", day as i64)).collect(),
        ..account()
    };
    let delete =
        DeleteAccountPage { person: person(), not_ticked: false, csrf: "sample".to_owned() };
    let not_ticked = DeleteAccountPage { not_ticked: true, ..delete.clone() };
    vec![
        ("/account", "Account", account().render(frame)),
        ("/account/empty", "Account, no apps", empty.render(frame)),
        ("/account/removed", "Account, access removed", removed.render(frame)),
        ("/account/busy", "Account, many apps", busy.render(frame)),
        ("/account/delete", "Account, deletion", delete.render(frame)),
        ("/account/not-ticked", "Account, box not ticked", not_ticked.render(frame)),
        ("/account/deleted", "Account, deleted", AccountDeletedPage.render(frame)),
    ]
}

fn app(name: &str, host: Option<&str>, days: i64, language: Language) -> ConnectedApp {
    ConnectedApp {
        grant_id: format!("01932f6e-7c1a-7b4e-9c57-3f1d2a8e6b{days:02}"),
        name: name.to_owned(),
        host: host.map(str::to_owned),
        unverified: host.is_none(),
        resource_name: "MCP demo".to_owned(),
        scopes: vec![tools(language), ScopeLine::standard("profile"), ScopeLine::standard("email")],
        first_used_at: NOW - 40 * DAY,
        last_used_at: NOW - days * DAY,
        allowed_in: Some(Place {
            device: "Firefox on Linux".to_owned(),
            network: "localhost".to_owned(),
        }),
    }
}

fn session(device: &str, network: &str, days: i64) -> BrowserSession {
    BrowserSession {
        id: format!("01932f6e-7c1a-7b4e-9c57-3f1d2a8e6c{days:02}"),
        place: Place { device: device.to_owned(), network: network.to_owned() },
        signed_in_at: NOW - days * DAY - 7_200,
        last_seen_at: NOW - days * DAY,
        is_this: days == 0,
    }
}

fn event(kind: &str, subject: &str, days: i64) -> SecurityEvent {
    SecurityEvent {
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        place: (kind != "token_replayed").then(|| Place {
            device: "Firefox on Linux".to_owned(),
            network: "localhost".to_owned(),
        }),
        at: NOW - days * DAY,
    }
}
