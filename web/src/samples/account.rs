//! The account page in its states.

use super::{Shown, consent::tools, person};
use crate::{
    Frame, Language, Place, ScopeLine,
    account::{
        AccountDeletedPage, AccountNotice, AccountPage, BrowserSession, ConnectedApp,
        DeleteAccountPage, LinkedIdentity, ListPage, SecurityEvent,
    },
};

const NOW: i64 = 1_764_028_800;
const DAY: i64 = 86_400;

pub(crate) fn account(language: Language) -> AccountPage {
    let app = |name, host, days| app(name, host, days, language);
    AccountPage {
        person: person(),
        notice: None,
        apps: vec![app("Claude Code", Some("claude.ai"), 1), app("Acme terminal", None, 2)],
        app_page: ListPage::WHOLE,
        sessions: vec![
            session("Firefox on Linux", "localhost", 0),
            session("Safari on iPhone", "203.0.113.0/24", 3),
        ],
        session_page: ListPage::WHOLE,
        identities: vec![identity("GitHub", "583231")],
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
    let (ways, elsewhere, way_removed) = states(language);
    let kinds = ["signed_in", "access_denied", "access_removed", "data_exported", "signed_out"];
    let busy = AccountPage {
        apps: (0..8)
            .map(|number| app(&format!("Program {}", number % 5), None, number, language))
            .collect(),
        app_page: ListPage { number: 2, last: 3 },
        session_page: ListPage { number: 1, last: 2 },
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
        ("/account/busy", "Account, many apps and browsers", busy.render(frame)),
        ("/account/ways", "Account, two ways to sign in", ways.render(frame)),
        ("/account/elsewhere", "Account, signed out everywhere else", elsewhere.render(frame)),
        ("/account/way-removed", "Account, a way to sign in removed", way_removed.render(frame)),
        ("/account/delete", "Account, deletion", delete.render(frame)),
        ("/account/not-ticked", "Account, box not ticked", not_ticked.render(frame)),
        ("/account/deleted", "Account, deleted", AccountDeletedPage.render(frame)),
    ]
}

/// With two ways to sign in; after all other browsers were signed out; after a way was removed.
fn states(language: Language) -> (AccountPage, AccountPage, AccountPage) {
    let ways = AccountPage {
        identities: [("GitHub", "583231"), ("Example Company", "nick.lucas")]
            .map(|(provider, subject)| LinkedIdentity {
                is_spare: true,
                ..identity(provider, subject)
            })
            .to_vec(),
        linkable: Vec::new(),
        ..account(language)
    };
    let elsewhere = AccountPage {
        notice: Some(AccountNotice::SignedOutElsewhere),
        sessions: vec![session("Firefox on Linux", "localhost", 0)],
        events: vec![event("signed_out_elsewhere", "", 0)],
        ..account(language)
    };
    let way_removed = AccountPage {
        notice: Some(AccountNotice::IdentityRemoved("Example Company".to_owned())),
        events: vec![event("identity_unlinked", "Example Company", 0)],
        ..elsewhere.clone()
    };
    (ways, elsewhere, way_removed)
}

fn identity(provider: &str, subject: &str) -> LinkedIdentity {
    LinkedIdentity {
        id: "sample".to_owned(),
        provider: provider.to_owned(),
        subject: subject.to_owned(),
        since: NOW - 90 * DAY,
        is_spare: false,
    }
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
