//! `GET /`: what this server is, for a person who comes by themselves.

use leptos::prelude::*;

use crate::{fact::fact, form::sign_out, layout::document, person::signed_in_as, text};

/// The front page of the authorization server.
#[derive(Debug, Clone)]
pub struct HomePage {
    /// The name of the person signed in, if anyone is.
    pub user_name: Option<String>,
    /// The token that binds the sign-out form to this browser: the hidden field `csrf`.
    pub csrf: Option<String>,
    /// The issuer identifier of this server (RFC 8414 §2).
    pub issuer: String,
}

impl HomePage {
    /// The whole HTML document.
    pub fn render(&self) -> String {
        document(text::HOME, || {
            view! {
                <h1>{text::HOME}</h1>
                <p class="lead">{text::WHAT_THIS_IS}</p>
                {match &self.user_name {
                    Some(name) => self.signed_in(name).into_any(),
                    None => view! {
                        <a class="button primary" href="/sign-in">{text::SIGN_IN}</a>
                    }.into_any(),
                }}
                <dl class="facts">
                    {fact(text::ISSUER, &self.issuer)}
                    <div>
                        <dt>{text::FOR_PROGRAMS}</dt>
                        <dd class="links">
                            <a href="/.well-known/oauth-authorization-server">{text::METADATA}</a>
                            <a href="/jwks">{text::SIGNING_KEYS}</a>
                        </dd>
                    </div>
                </dl>
            }
        })
    }

    fn signed_in(&self, name: &str) -> impl IntoView + use<> {
        let form = self.csrf.as_deref().map(|csrf| sign_out(text::SIGN_OUT, csrf, None));
        signed_in_as(name, None, form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_signed_in_person_can_sign_out() {
        let issuer = "http://localhost:3000".to_owned();
        let alone = HomePage { user_name: None, csrf: None, issuer: issuer.clone() }.render();
        assert!(alone.contains(r#"href="/sign-in""#) && !alone.contains("/sign-out"));

        let user_name = Some("Nick Lucas".to_owned());
        let known = HomePage { user_name, csrf: Some("token".to_owned()), issuer }.render();
        assert!(known.contains(r#"action="/sign-out""#) && !known.contains(r#"href="/sign-in""#));
    }
}
