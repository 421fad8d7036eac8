//! `GET /consent`: what a client requests, and the user's decision.

use leptos::prelude::*;

use crate::{
    client_details::ClientDetails,
    display_name::visible,
    fact::fact,
    form::{answer_buttons, hidden, switch_account},
    layout::{Frame, alarm, notice},
    person::Person,
    scope_list::{ScopeLine, scope_choice},
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
    /// What the client asks for.
    pub scopes: Vec<ScopeLine>,
    /// The names of the scopes that the user allows this client already.
    pub allowed_before: Vec<String>,
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
        let question = if self.is_step_up() { text.allow_more } else { text.allow_question };
        let title = fill(question, &[("client", &client), ("resource", &resource)]);
        frame.document_for(Some(self.client.initial(frame)), &title, || {
            view! {
                <h1>{title.clone()}</h1>
                <form method="post" action="/consent">
                    {hidden("request", &self.request)}
                    {scope_choice(text, &self.scopes, &self.allowed_before)}
                    <p class="asks">{self.who_and_where(frame)}</p>
                    {self.person.line(frame)}
                    {self.warnings(frame)}
                    {self.afterwards(frame)}
                    {self.details(frame)}
                    <div class="answer">{answer_buttons(text)}</div>
                </form>
                {switch_account(&self.csrf, &self.continue_to)}
            }
        })
    }

    /// Whether the client asks for something in addition to what it is allowed already.
    fn is_step_up(&self) -> bool {
        let is_new = |line: &ScopeLine| !self.allowed_before.contains(&line.name);
        self.scopes.iter().any(is_new) && !self.scopes.iter().all(is_new)
    }

    /// Who asks and where the answer goes, on one line.
    fn who_and_where(&self, frame: &Frame) -> String {
        let text = frame.text;
        let who = self.client.who(frame);
        let host = isolated(&visible(&self.redirect.host));
        match self.redirect.kind {
            RedirectKind::Loopback => fill(text.asks_here, &[("who", &who)]),
            RedirectKind::Web | RedirectKind::PrivateScheme => {
                fill(text.asks_from, &[("who", &who), ("host", &host)])
            }
        }
    }

    /// Reasons to stop, then what to think of before allowing: a sentence each.
    fn warnings(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let host = &self.redirect.host;
        let kind = self.redirect.kind;
        let suspicions = self.client.suspicions(frame, host, kind == RedirectKind::Loopback);
        let caution = match (kind, self.client.unverified) {
            (RedirectKind::Loopback, true) => Some(text.any_name_here.to_owned()),
            (RedirectKind::Loopback, false) => Some(text.started_here.to_owned()),
            (RedirectKind::Web, true) => {
                Some(fill(text.any_name, &[("host", &isolated(&visible(host)))]))
            }
            (RedirectKind::Web, false) => None,
            (RedirectKind::PrivateScheme, _) => Some(text.private_scheme.to_owned()),
        };
        view! {
            {(!suspicions.is_empty()).then(|| alarm(suspicions))}
            {caution.map(|sentence| notice(vec![sentence]))}
        }
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
