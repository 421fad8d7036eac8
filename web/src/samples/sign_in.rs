//! The sign-in page in its states.

use super::Shown;
use crate::{
    Frame,
    sign_in::{ClientSummary, Provider, SignInNotice, SignInPage},
};

pub(super) fn samples(frame: &Frame) -> Vec<Shown> {
    let github = provider("GitHub", "/sign-in/github");
    let own = ClientSummary {
        name: "Portcullis client".to_owned(),
        client_host: None,
        redirect_host: "localhost:51004".to_owned(),
    };
    let asked = SignInPage {
        client: Some(own),
        providers: vec![github.clone()],
        continue_to: "/authorize?client_id=sample".to_owned(),
        another_account: false,
        notice: None,
    };
    let hosted = ClientSummary {
        name: "Claude Code".to_owned(),
        client_host: Some("claude.ai".to_owned()),
        redirect_host: "claude.ai".to_owned(),
    };
    let stand_in = Provider { stand_in: true, ..github.clone() };
    let stand_in = SignInPage { providers: vec![stand_in], ..asked.clone() };
    let company = provider("Example Company", "/sign-in/company");
    let several =
        SignInPage { client: Some(hosted), providers: vec![github, company], ..asked.clone() };
    let declined = Some(SignInNotice::Declined("GitHub".to_owned()));
    let refused = SignInPage { client: None, notice: declined, ..asked.clone() };
    let again = SignInPage { notice: Some(SignInNotice::Confirm), ..refused.clone() };
    let none = SignInPage { notice: None, providers: Vec::new(), ..refused.clone() };
    vec![
        ("/sign-in", "Sign in, asked by a client", asked.render(frame)),
        ("/sign-in/stand-in", "Sign in, stand-in", stand_in.render(frame)),
        ("/sign-in/several", "Sign in, two providers", several.render(frame)),
        ("/sign-in/refused", "Sign in, after a refusal", refused.render(frame)),
        ("/sign-in/again", "Sign in, once more", again.render(frame)),
        ("/sign-in/none", "Sign in, no provider set up", none.render(frame)),
    ]
}

fn provider(label: &str, action: &str) -> Provider {
    Provider { label: label.to_owned(), action: action.to_owned(), stand_in: false }
}
