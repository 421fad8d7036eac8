//! `GET /consent`: what a client requests, and the user's decision.

use leptos::prelude::*;

use crate::{
    client_details::ClientDetails,
    fact::fact,
    form::{answer_buttons, hidden, switch_account, switch_button},
    layout::{Frame, notice},
    person::Person,
    scope_list::{ScopeLine, scope_list},
    text::{fill, isolated},
};

/// The page on which a user decides whether a client may act for them.
#[derive(Debug, Clone)]
pub struct ConsentPage {
    /// The client that requests access.
    pub client: ClientDetails,
    /// Where the answer goes.
    pub redirect: Redirect,
    /// The name of what the client wants to use.
    pub resource_name: String,
    /// The resource identifier (RFC 8707).
    pub resource: String,
    /// What the client asks for, in the order shown.
    pub scopes: Vec<ScopeLine>,
    /// Days that the access lasts after the sign-in has ended; `None` if it ends with it.
    pub keeps_access_days: Option<i64>,
    /// Whether this answer is remembered, because the client can prove who it is.
    pub remembered: bool,
    /// The signed-in user, who decides.
    pub person: Person,
    /// The request this page answers: the hidden field `request`.
    pub request: String,
    /// Where to go after switching accounts: the hidden field `continue` of that form.
    pub continue_to: String,
    /// The token that binds the switch of accounts to this browser: the hidden field `csrf`.
    pub csrf: String,
}

/// Where an answer goes.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// Host and port, or the scheme when there is no host.
    pub host: String,
    /// The address in full, shown in the details.
    pub uri: String,
    /// The kind of address, which decides the warning.
    pub kind: RedirectKind,
}

/// The kinds of redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// A server, known by its host.
    Web,
    /// A program on the person's own computer (RFC 8252 §7.3).
    Loopback,
    /// Whatever app has claimed a scheme (RFC 8252 §7.1).
    PrivateScheme,
}

impl ConsentPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let resource = isolated(&frame.name(&self.resource_name));
        let client = self.client.lead(frame);
        let title = fill(text.allow_question, &[("client", &client), ("resource", &resource)]);
        let lead = self.client.self_declared_name(frame);
        frame.document(&title, || {
            view! {
                <h1>{title.clone()}</h1>
                {lead.map(|line| view! { <p class="lead">{line}</p> })}
                <form method="post" action="/consent">
                    {hidden("request", &self.request)}
                    <div class="panel">
                        {self.person.row(frame, switch_button(text.use_another_account))}
                        {self.facts(frame)}
                    </div>
                    {self.warnings(frame)}
                    {scope_list(frame, &self.resource_name, &self.scopes, true)}
                    {self.afterwards(frame)}
                    {self.details(frame)}
                    {answer_buttons(text)}
                </form>
                {switch_account(&self.csrf, &self.continue_to)}
            }
        })
    }

    fn facts(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        view! {
            <dl class="facts">
                {self.client.address(text)}
                {fact(text.sent_back_to, &self.redirect.host)}
            </dl>
        }
    }

    fn warnings(&self, frame: &Frame) -> Option<impl IntoView + use<>> {
        let mut warnings = self.client.warnings(frame, &self.redirect.host);
        match self.redirect.kind {
            RedirectKind::Web => {}
            RedirectKind::Loopback => warnings.push(frame.text.loopback.to_owned()),
            RedirectKind::PrivateScheme => warnings.push(frame.text.private_scheme.to_owned()),
        }
        (!warnings.is_empty()).then(|| notice(Some(frame.text.before_you_decide), warnings))
    }

    fn afterwards(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let keeps = self
            .keeps_access_days
            .map(|days| fill(text.keeps_access, &[("days", &days.to_string())]));
        let once = self.remembered.then(|| text.once_for_all.to_owned());
        let sentences: Vec<String> =
            keeps.into_iter().chain(once).chain([text.remove_any_time.to_owned()]).collect();
        view! { <p class="hint">{sentences.join(" ")}</p> }
    }

    fn details(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name.as_str()).collect();
        view! {
            <details>
                <summary>{text.details}</summary>
                <dl class="facts">
                    {fact(text.client_id, &self.client.id)}
                    {fact(text.redirect_address, &self.redirect.uri)}
                    {fact(text.resource, &self.resource)}
                    {fact(text.scopes, &scopes.join(" "))}
                    {self.client.pages.links(text)}
                </dl>
            </details>
        }
    }
}

#[cfg(test)]
mod tests;
