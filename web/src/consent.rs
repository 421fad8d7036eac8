//! `GET /consent`: what a client asks for, and the person's answer.

use leptos::prelude::*;

use crate::{
    display_name::{display_name, visible},
    fact::fact,
    form::{hidden, sign_out},
    icon,
    layout::{document, notice},
    person::signed_in_as,
    text,
};

/// The page on which a person decides whether a client may act for them.
#[derive(Debug, Clone)]
pub struct ConsentPage {
    /// The name the client gave itself.
    pub client_name: String,
    /// The client identifier, shown in the details.
    pub client_id: String,
    /// The host of the client identifier, where that is a URL and so proves the host.
    pub client_host: Option<String>,
    /// Whether nobody vouches for the client, as when it registered itself (RFC 7591).
    pub unverified: bool,
    /// Host and port the answer is sent to, or the scheme when that has no host.
    pub redirect_host: String,
    /// The redirect address in full, shown in the details.
    pub redirect_uri: String,
    /// Whether the answer goes to a program on the person's own computer (RFC 8252 §7.3).
    pub redirect_is_loopback: bool,
    /// The name of what the client wants to use.
    pub resource_name: String,
    /// The resource identifier (RFC 8707).
    pub resource: String,
    /// What the client asks for, in the order shown.
    pub scopes: Vec<ScopeLine>,
    /// The name of the person signed in.
    pub user_name: String,
    /// Their e-mail address, where known.
    pub user_email: Option<String>,
    /// The request this page answers: the hidden field `request`.
    pub request: String,
    /// Where to go after switching accounts: the hidden field `continue` of that form.
    pub continue_to: String,
    /// The token that binds the switch of accounts to this browser: the hidden field `csrf`.
    pub csrf: String,
}

/// One scope, in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeLine {
    /// The scope as it is written on the wire.
    pub name: String,
    /// What it lets the client do, as an action: "See your e-mail address".
    pub description: String,
    /// Whether the line is marked as one to think about.
    pub sensitive: bool,
}

impl ScopeLine {
    /// The line for a scope this server knows, or one that shows the bare name of any other.
    ///
    /// A scope without a description is marked sensitive: nobody can say what it gives away.
    pub fn of(scope: &str) -> Self {
        let known = text::scope_description(scope);
        Self {
            name: scope.to_owned(),
            description: known
                .map_or_else(|| text::unknown_scope(&display_name(scope)), str::to_owned),
            sensitive: known.is_none() || scope == "offline_access",
        }
    }

    fn item(&self) -> impl IntoView + use<> {
        view! {
            <li>
                {icon::tick()}
                <div>
                    {visible(&self.description)}
                    {self.sensitive.then(|| {
                        view! { " " <span class="badge">{text::SENSITIVE}</span> }
                    })}
                </div>
            </li>
        }
    }
}

impl ConsentPage {
    /// The whole HTML document.
    pub fn render(&self) -> String {
        let asker = match &self.client_host {
            Some(host) => text::isolated(&visible(host)),
            None => text::quoted(&display_name(&self.client_name)),
        };
        let title = text::allow_question(&asker, &display_name(&self.resource_name));
        let switch = sign_out(text::USE_ANOTHER_ACCOUNT, &self.csrf, Some(&self.continue_to));
        document(&title, || {
            view! {
                <h1>{title.clone()}</h1>
                {self.self_declared_name().map(|line| view! { <p class="lead">{line}</p> })}
                {signed_in_as(&self.user_name, self.user_email.as_deref(), switch)}
                {self.scope_list()}
                {self.facts()}
                {self.warnings()}
                {self.answer_form()}
                {self.details()}
            }
        })
    }

    /// A proven host leads the page; the name the client chose must not be able to push it away.
    fn self_declared_name(&self) -> Option<String> {
        self.client_host.as_ref().map(|_| text::calls_itself(&display_name(&self.client_name)))
    }

    fn scope_list(&self) -> impl IntoView + use<> {
        if self.scopes.is_empty() {
            return view! { <p>{text::NO_SCOPES}</p> }.into_any();
        }
        let items = self.scopes.iter().map(ScopeLine::item).collect_view();
        view! {
            <h2>{text::WILL_BE_ABLE_TO}</h2>
            <ul class="scopes">{items}</ul>
        }
        .into_any()
    }

    fn facts(&self) -> impl IntoView + use<> {
        view! {
            <dl class="facts">
                {fact(text::GIVES_ACCESS_TO, &self.resource)}
                {fact(text::SENT_BACK_TO, &self.redirect_host)}
            </dl>
        }
    }

    fn warnings(&self) -> impl IntoView + use<> {
        let warnings: Vec<String> = [
            self.unverified.then_some(text::UNVERIFIED),
            self.redirect_is_loopback.then_some(text::LOOPBACK),
        ]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect();
        (!warnings.is_empty()).then(|| notice(warnings))
    }

    fn answer_form(&self) -> impl IntoView + use<> {
        view! {
            <form class="answer" method="post" action="/consent">
                {hidden("request", &self.request)}
                <button class="secondary" name="decision" value="deny">{text::DENY}</button>
                <button class="primary" name="decision" value="allow">{text::ALLOW}</button>
            </form>
        }
    }

    fn details(&self) -> impl IntoView + use<> {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name.as_str()).collect();
        view! {
            <details>
                <summary>{text::DETAILS}</summary>
                <dl class="facts">
                    {fact(text::CLIENT_ID, &self.client_id)}
                    {fact(text::REDIRECT_ADDRESS, &self.redirect_uri)}
                    {fact(text::SCOPES, &scopes.join(" "))}
                </dl>
            </details>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_name_with_markup_is_escaped() {
        let page = ConsentPage { client_name: "<b>Bold</b>".to_owned(), ..samples::consent() };
        let html = page.render();
        assert!(html.contains("&lt;b&gt;Bold"));
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn a_proven_host_leads_and_the_name_is_only_quoted() {
        let page = ConsentPage { client_host: Some("claude.ai".to_owned()), ..samples::consent() };
        let html = page.render();
        let host = html.find("claude.ai").expect("the host");
        let name = html.find(&page.client_name).expect("the name");
        assert!(host < name);
        assert!(html.contains(&text::calls_itself(&page.client_name)));
    }

    #[test]
    fn each_warning_appears_for_its_own_reason() {
        for (unverified, redirect_is_loopback) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let page = ConsentPage { unverified, redirect_is_loopback, ..samples::consent() };
            let html = page.render();
            assert_eq!(html.contains(text::UNVERIFIED), unverified);
            assert_eq!(html.contains(text::LOOPBACK), redirect_is_loopback);
        }
    }

    #[test]
    fn the_answer_names_the_request_and_the_decision() {
        let html = samples::consent().render();
        assert!(html.contains(r#"method="post" action="/consent""#));
        assert!(html.contains(r#"name="request" value="#));
        assert!(html.contains(r#"name="decision" value="allow""#));
        assert!(html.contains(r#"name="decision" value="deny""#));
    }

    #[test]
    fn scopes_are_told_in_plain_words() {
        let email = ScopeLine::of("email");
        assert_eq!(email.description, "See your e-mail address");
        assert!(!email.sensitive);
        assert!(ScopeLine::of("offline_access").sensitive);
    }

    #[test]
    fn an_unknown_scope_is_shown_by_name_and_marked() {
        let line = ScopeLine::of("files:delete");
        assert!(line.description.contains("files:delete"));
        assert!(line.sensitive);
    }
}
