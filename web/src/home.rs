//! `GET /`: what this server is, for a person who comes by themselves.

use leptos::prelude::*;

use crate::{fact::fact, form::sign_out, layout::Frame, person::Person};

/// The front page of the authorization server.
#[derive(Debug, Clone)]
pub struct HomePage {
    /// Who is signed in, if anyone is.
    pub person: Option<Person>,
    /// The token that binds the sign-out form to this browser: the hidden field `csrf`.
    pub csrf: String,
    /// The issuer identifier of this server (RFC 8414 §2).
    pub issuer: String,
}

impl HomePage {
    /// The whole HTML document.
    pub fn render(&self, frame: &Frame) -> String {
        let text = frame.text;
        frame.document(text.home, || {
            view! {
                <h1>{text.home}</h1>
                <p class="lead">{text.what_this_is}</p>
                {match &self.person {
                    Some(person) => self.signed_in(frame, person).into_any(),
                    None => view! {
                        <a class="button primary" href="/sign-in">{text.sign_in}</a>
                    }.into_any(),
                }}
                <p class="aside"><a href="/device">{text.enter_code}</a></p>
                <dl class="facts">
                    {fact(text.issuer, &self.issuer)}
                    <div>
                        <dt>{text.for_programs}</dt>
                        <dd class="links">
                            <a href="/.well-known/oauth-authorization-server">{text.metadata}</a>
                            <a href="/jwks">{text.signing_keys}</a>
                        </dd>
                    </div>
                </dl>
            }
        })
    }

    fn signed_in(&self, frame: &Frame, person: &Person) -> impl IntoView + use<> {
        view! {
            {person.row(frame, sign_out(frame.text.sign_out, &self.csrf))}
            <a class="button primary" href="/account">{frame.text.action_account}</a>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::frame;

    #[test]
    fn only_a_signed_in_person_can_sign_out() {
        let page = HomePage {
            person: None,
            csrf: "token".to_owned(),
            issuer: "http://localhost:3000".to_owned(),
        };
        let alone = page.render(&frame());
        assert!(alone.contains(r#"href="/sign-in""#) && !alone.contains("/sign-out"));

        let person = Some(Person { name: "Nick Lucas".to_owned(), email: None });
        let known = HomePage { person, ..page }.render(&frame());
        assert!(known.contains(r#"action="/sign-out""#) && !known.contains(r#"href="/sign-in""#));
    }
}
