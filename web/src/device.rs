//! `GET /device`: a person connects a device that has no browser of its own (RFC 8628 §3.3).

use leptos::prelude::*;

use crate::{
    client_details::ClientDetails,
    date::date_and_time,
    fact::fact,
    form::{answer_buttons, hidden, switch_account},
    layout::{self, Frame, alarm, notice},
    person::Person,
    place::Place,
    scope_list::{ScopeLine, fixed_scopes},
    text::{Text, fill, isolated},
};

/// The page that asks for the code which the device shows.
#[derive(Debug, Clone)]
pub struct DeviceCodePage {
    /// The code, where the address carried it. It is never taken as entered.
    pub user_code: String,
    /// What was wrong with the last one.
    pub notice: Option<DeviceNotice>,
    /// The token that binds the form to this browser: the hidden field `csrf`.
    pub csrf: String,
}

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceNotice {
    /// Nothing waits for it: mistyped, expired or used.
    Unknown,
    /// Too many were tried.
    TooMany,
}

/// The page on which a person decides whether the device may act for them.
#[derive(Debug, Clone)]
pub struct DeviceConsentPage {
    /// The code that the device must show, as in "WDJB-MJHT".
    pub user_code: String,
    /// The client that requests access.
    pub client: ClientDetails,
    /// The name of what the device wants to use.
    pub resource_name: String,
    /// What it asks for, in the order shown.
    pub scopes: Vec<ScopeLine>,
    /// Where the device is, as far as it is known.
    pub asked_from: Option<Place>,
    /// When it asked; seconds since 1970.
    pub asked_at: i64,
    /// The signed-in user, who decides.
    pub person: Person,
    /// Whether the person allowed without saying that they started it.
    pub not_ticked: bool,
    /// The request this page answers: the hidden field `request`.
    pub request: String,
    /// The token that binds the switch of accounts to this browser: the hidden field `csrf`.
    pub csrf: String,
}

/// The page shown once the person has answered.
#[derive(Debug, Clone)]
pub struct DeviceDonePage {
    /// Whether they allowed it.
    pub allowed: bool,
}

impl DeviceCodePage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let problem = self.notice.map(|problem| match problem {
            DeviceNotice::Unknown => text.device_unknown,
            DeviceNotice::TooMany => text.device_too_many,
        });
        let problem = problem.map(|sentence| layout::problem(Some("problem"), sentence));
        let described = if self.notice.is_some() { "problem hint" } else { "hint" };
        let invalid = self.notice.map(|_| "true");
        frame.document(text.device_title, || {
            view! {
                <h1>{text.device_title}</h1>
                <p class="lead">{text.device_lead}</p>
                {problem}
                <form method="post" action="/device">
                    {hidden("csrf", &self.csrf)}
                    <label class="field">
                        <span>{text.device_code}</span>
                        <input
                            name="user_code"
                            value=self.user_code.clone()
                            autocomplete="off"
                            autocapitalize="characters"
                            spellcheck="false"
                            maxlength="32"
                            required
                            autofocus
                            aria-describedby=described
                            aria-invalid=invalid
                        />
                    </label>
                    <p class="hint" id="hint">{text.device_hint}</p>
                    {notice(vec![text.device_beware.to_owned()])}
                    <button class="primary spaced">{text.device_continue}</button>
                </form>
            }
        })
    }
}

impl DeviceConsentPage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let resource = isolated(&frame.name(&self.resource_name));
        let client = self.client.lead(frame);
        let title = fill(text.device_question, &[("client", &client), ("resource", &resource)]);
        let continue_to = format!("/device?user_code={}", self.user_code);
        frame.document_for(Some(self.client.initial(frame)), &title, || {
            view! {
                <h1>{title.clone()}</h1>
                <form method="post" action="/device">
                    {hidden("request", &self.request)}
                    <p class="lead">{text.device_same_code}</p>
                    <p class="code"><code dir="ltr">{self.user_code.clone()}</code></p>
                    {fixed_scopes(text, &self.scopes)}
                    {self.who_and_where(frame)}
                    {self.person.line(frame)}
                    {self.warnings(frame)}
                    {self.details(text)}
                    <div class="answer">{self.declaration(frame)} {answer_buttons(text)}</div>
                </form>
                {switch_account(&self.csrf, &continue_to)}
            }
        })
    }

    fn warnings(&self, frame: &Frame) -> impl IntoView + use<> {
        let suspicions = self.client.suspicions(frame, "", true);
        view! {
            {(!suspicions.is_empty()).then(|| alarm(suspicions))}
            {notice(vec![frame.text.device_phishing.to_owned()])}
        }
    }

    /// Who asks, from where and since when, on one line.
    fn who_and_where(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let who = self.client.who(frame);
        let place = self.asked_from.as_ref().map(|place| place.words_of_a_program(text));
        let place = place.map(|place| format!(" · {place}"));
        view! { <p class="asks">{who}{place}" · "{date_and_time(text, self.asked_at)}</p> }
    }

    fn details(&self, text: &'static Text) -> impl IntoView + use<> {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name.as_str()).collect();
        view! {
            <details>
                <summary>{text.details}</summary>
                <dl class="facts">
                    {fact(text.client_id, &self.client.id)}
                    {fact(text.scopes, &scopes.join(" "))}
                    {self.client.pages.links(text)}
                </dl>
            </details>
        }
    }

    /// Only the person can know whether they started it: without this box nothing is allowed.
    fn declaration(&self, frame: &Frame) -> impl IntoView + use<> {
        let text = frame.text;
        let problem = self.not_ticked.then(|| layout::problem(None, text.device_not_ticked));
        view! {
            {problem}
            <label class="declaration">
                <input type="checkbox" name="started" value="yes" required />
                <span>{text.device_started_it}</span>
            </label>
        }
    }
}

impl DeviceDonePage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        let (title, lead) = if self.allowed {
            (text.device_allowed, text.device_allowed_lead)
        } else {
            (text.device_denied, text.device_denied_lead)
        };
        frame.document(title, || {
            view! {
                <h1>{title}</h1>
                <p class="lead">{lead}</p>
                <a class="button secondary" href="/account">{text.action_account}</a>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, frame};

    #[test]
    fn the_code_of_an_address_is_shown_and_not_yet_entered() {
        let page = DeviceCodePage {
            user_code: "\"><script>".to_owned(),
            notice: None,
            csrf: "token".to_owned(),
        };
        let html = page.render(&frame());
        assert!(html.contains(r#"method="post" action="/device""#));
        assert!(!html.contains("<script"));
    }

    #[test]
    fn allowing_a_device_takes_a_tick_and_denying_does_not() {
        let html = samples::device().render(&frame());
        assert!(html.contains(r#"name="started" value="yes" required"#), "{html}");
        assert!(html.contains(r#"value="deny" formnovalidate"#), "{html}");
        assert!(html.contains(frame().text.device_phishing));
        assert!(html.contains("WDJB-MJHT"));
    }
}
