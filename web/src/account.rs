//! `GET /account`: what can act for a person, where they are signed in, and how to end either.

use leptos::prelude::*;

use crate::{
    form::sign_out,
    layout::{Frame, done},
    person::Person,
    place::Place,
    scope_list::ScopeLine,
    text::{fill, isolated},
};

mod activity;
mod apps;
mod deletion;
mod identities;
mod list_page;

pub use deletion::{AccountDeletedPage, DeleteAccountPage};
pub use list_page::ListPage;

/// The page on which a user sees and removes the access of clients.
#[derive(Debug, Clone)]
pub struct AccountPage {
    /// The owner of the account.
    pub person: Person,
    /// What has just been done.
    pub notice: Option<AccountNotice>,
    /// The programs with access, the newest first: as many as fit on a page.
    pub apps: Vec<ConnectedApp>,
    /// Which part of all of them these are.
    pub app_page: ListPage,
    /// The browsers signed in, this one first: as many as fit on a page.
    pub sessions: Vec<BrowserSession>,
    /// Which part of all of them these are.
    pub session_page: ListPage,
    /// The ways to sign in.
    pub identities: Vec<LinkedIdentity>,
    /// Providers that could be added: a name, and the path that a form posts to.
    pub linkable: Vec<(String, String)>,
    /// What happened lately, the newest first.
    pub events: Vec<SecurityEvent>,
    /// The token that binds the forms to this session: the hidden field `csrf`.
    pub csrf: String,
}

/// What has just been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountNotice {
    /// The access of the program of this name was removed.
    AccessRemoved(String),
    /// Another browser was signed out.
    SignedOutThere,
    /// All browsers but this one were signed out.
    SignedOutElsewhere,
    /// The way to sign in at the provider of this name was removed.
    IdentityRemoved(String),
}

/// One installation of a program.
#[derive(Debug, Clone)]
pub struct ConnectedApp {
    /// Names it in the form that removes it.
    pub grant_id: String,
    /// The name that it gave itself.
    pub name: String,
    /// The host of its identifier, where that proves one.
    pub host: Option<String>,
    /// Whether the client registered itself, so that no one has verified it.
    pub unverified: bool,
    /// The name of what it uses.
    pub resource_name: String,
    /// What it may do.
    pub scopes: Vec<ScopeLine>,
    /// When it was allowed; seconds since 1970.
    pub first_used_at: i64,
    /// When it last got a token; seconds since 1970.
    pub last_used_at: i64,
    /// Where the person was when they allowed it.
    pub allowed_in: Option<Place>,
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct BrowserSession {
    /// Names it in the form that signs it out.
    pub id: String,
    /// Which browser, and where it signed in.
    pub place: Place,
    /// When it signed in; seconds since 1970.
    pub signed_in_at: i64,
    /// When it was last used; seconds since 1970.
    pub last_seen_at: i64,
    /// Whether it is the one that shows the page.
    pub is_this: bool,
}

/// A way to sign in.
#[derive(Debug, Clone)]
pub struct LinkedIdentity {
    /// Names it in the form that removes it.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The person's identifier there.
    pub subject: String,
    /// Since when; seconds since 1970.
    pub since: i64,
    /// Whether there is another way to sign in, so that this one can be removed.
    pub is_spare: bool,
}

/// Something that happened to the account.
#[derive(Debug, Clone)]
pub struct SecurityEvent {
    /// What, as it is stored: `signed_in`, `access_removed` and so on.
    pub kind: String,
    /// What it was about; may be empty.
    pub subject: String,
    /// Where from; `None` where that was no browser.
    pub place: Option<Place>,
    /// When; seconds since 1970.
    pub at: i64,
}

impl AccountPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let sign_out = sign_out(text.sign_out, &self.csrf);
        frame.document(text.account, || {
            view! {
                <h1>{text.account}</h1>
                <p class="lead">{text.account_lead}</p>
                {self.notice.as_ref().map(|notice| done(notice.words(frame)))}
                {self.person.row(frame, sign_out)}
                {self.apps(frame)}
                {self.sessions(frame)}
                {self.identities(frame)}
                {self.events(frame)}
                <section>
                    <h2>{text.your_data}</h2>
                    <p>{text.your_data_lead}</p>
                    <div class="pair">
                        <a class="button secondary" href="/account/export">{text.download}</a>
                        <a class="button secondary" href="/account/delete">{text.delete_account}</a>
                    </div>
                </section>
            }
        })
    }
}

impl AccountNotice {
    fn words(&self, frame: &Frame) -> String {
        match self {
            Self::AccessRemoved(name) => {
                let name = frame.text.quoted(&frame.name(name));
                fill(frame.text.access_removed, &[("client", &name)])
            }
            Self::SignedOutThere => frame.text.signed_out_there.to_owned(),
            Self::SignedOutElsewhere => frame.text.signed_out_elsewhere.to_owned(),
            Self::IdentityRemoved(provider) => {
                let provider = isolated(&frame.name(provider));
                fill(frame.text.identity_removed, &[("provider", &provider)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, frame};

    #[test]
    fn removing_access_takes_two_presses_and_names_one_installation() {
        let page = samples::account();
        let html = page.render(&frame());
        for app in &page.apps {
            let field = format!(r#"name="grant" value="{}""#, app.grant_id);
            assert_eq!(html.matches(&field).count(), 1);
        }
        let forms = html.matches(r#"action="/account/revoke""#).count();
        let disclosures = html.matches("<summary").count();
        assert_eq!((forms, disclosures), (page.apps.len(), page.apps.len()));
    }

    #[test]
    fn this_browser_is_signed_out_at_the_top_and_not_in_the_list() {
        let page = samples::account();
        let html = page.render(&frame());
        for session in &page.sessions {
            let field = format!(r#"name="session" value="{}""#, session.id);
            assert_eq!(html.matches(&field).count(), usize::from(!session.is_this));
        }
        assert!(html.contains(frame().text.this_browser));
    }

    #[test]
    fn all_other_browsers_are_signed_out_at_once_where_there_are_any() {
        let mut page = samples::account();
        let field = r#"name="session" value="others""#;
        assert_eq!(page.render(&frame()).matches(field).count(), 1);
        page.sessions.retain(|session| session.is_this);
        assert!(!page.render(&frame()).contains(field));
        page.session_page = ListPage { number: 1, last: 2 };
        assert!(page.render(&frame()).contains(field));
    }

    #[test]
    fn each_list_is_paged_while_the_other_stays_where_it_is() {
        let mut page = samples::account();
        assert!(!page.render(&frame()).contains(r#"href="/account?"#));
        page.app_page = ListPage { number: 2, last: 3 };
        page.session_page = ListPage { number: 5, last: 5 };
        let html = page.render(&frame());
        for page in [1, 3] {
            let link = format!(r#"href="/account?page={page}&amp;sessions=5#apps""#);
            assert!(html.contains(&link), "{html}");
        }
        assert!(html.contains(r#"href="/account?page=2&amp;sessions=4#sessions""#), "{html}");
        assert!(!html.contains("sessions=6"));
    }

    #[test]
    fn only_a_way_to_sign_in_that_is_not_the_last_can_be_removed() {
        let mut page = samples::account();
        page.identities[0].is_spare = true;
        let html = page.render(&frame());
        let field = format!(r#"name="identity" value="{}""#, page.identities[0].id);
        assert!(html.contains(&field), "{html}");
        assert!(!html.contains(frame().text.identity_last));
        page.identities[0].is_spare = false;
        let html = page.render(&frame());
        assert!(!html.contains("/account/identities"));
        assert!(html.contains(frame().text.identity_last));
    }

    #[test]
    fn hostile_names_are_text_everywhere() {
        let mut page = samples::account();
        let name = "<script>\u{202e}".to_owned();
        page.apps[0].name.clone_from(&name);
        page.events[0].subject.clone_from(&name);
        page.person.name.clone_from(&name);
        page.identities[0].subject.clone_from(&name);
        page.identities[0].provider.clone_from(&name);
        page.identities[0].is_spare = true;
        page.sessions[0].place.device.clone_from(&name);
        page.notice = Some(AccountNotice::AccessRemoved(name));
        page.apps[1].name = "\" autofocus onfocus=alert(1) x=\"".to_owned();
        let html = page.render(&frame());
        assert!(html.contains("&quot; autofocus"));
        assert!(!html.contains("<script") && !html.contains('\u{202e}'));
    }
}
