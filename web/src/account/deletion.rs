//! `GET /account/delete`: the end of an account, asked for twice.

use leptos::prelude::*;

use crate::{
    form::hidden,
    layout::{Frame, problem},
    person::Person,
};

/// The page that asks whether a person really wants their account deleted.
#[derive(Debug, Clone)]
pub struct DeleteAccountPage {
    /// The owner of the account.
    pub person: Person,
    /// Whether they pressed the button without the tick.
    pub not_ticked: bool,
    /// The token that binds the form to this session: the hidden field `csrf`.
    pub csrf: String,
}

/// The page shown once an account is gone.
#[derive(Debug, Clone)]
pub struct AccountDeletedPage;

impl DeleteAccountPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let problem = self.not_ticked.then(|| problem(None, text.delete_not_ticked));
        frame.document(text.delete_title, || {
            view! {
                <h1>{text.delete_title}</h1>
                {self.person.row(frame, ())}
                <p>{text.delete_lead}</p>
                <p>{text.delete_apps}</p>
                <p>{text.delete_again}</p>
                {problem}
                <form method="post" action="/account/delete">
                    {hidden("csrf", &self.csrf)}
                    <label class="declaration">
                        <input type="checkbox" name="sure" value="yes" required />
                        <span>{text.delete_sure}</span>
                    </label>
                    <div class="answer">
                        <div class="pair">
                            <a class="button secondary" href="/account">{text.keep_account}</a>
                            <button class="danger">{text.delete_now}</button>
                        </div>
                    </div>
                </form>
            }
        })
    }
}

impl AccountDeletedPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        frame.document(text.deleted, || {
            view! {
                <h1>{text.deleted}</h1>
                <p class="lead">{text.deleted_lead}</p>
                <p class="soft">{text.delete_again}</p>
                <a class="button secondary" href="/">{text.action_home}</a>
            }
        })
    }
}
