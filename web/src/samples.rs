//! Every page in every state with sample data, for design work and for tests.

use leptos::prelude::*;

use crate::{
    consent::{ConsentPage, ScopeLine},
    error::{ErrorPage, Fault, Link},
    home::HomePage,
    layout::document,
    sign_in::{ClientSummary, Provider, SignInPage},
    signed_out::SignedOutPage,
    text,
};

/// One page in one state.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The path it is served at, such as `/consent/loopback`.
    pub path: &'static str,
    /// What the sample shows.
    pub shows: &'static str,
    /// The rendered document.
    pub html: String,
}

/// All samples, in the order in which a person would meet the pages.
pub fn all() -> Vec<Sample> {
    [home_samples(), sign_in_samples(), consent_samples(), error_samples(), signed_out_samples()]
        .concat()
}

/// A page that lists and links these samples.
pub fn index(samples: &[Sample]) -> String {
    let links = samples.iter().map(|sample| {
        view! { <li><a href=sample.path>{sample.shows}</a></li> }
    });
    document(text::PREVIEW, || {
        view! {
            <h1>{text::PREVIEW}</h1>
            <p class="lead">{text::PREVIEW_LEAD}</p>
            <ul class="plain">{links.collect_view()}</ul>
        }
    })
}

/// A client that registered itself and listens on this computer: the everyday case.
pub(crate) fn consent() -> ConsentPage {
    ConsentPage {
        client_name: "Portcullis client".to_owned(),
        client_id:
            "eyJyZWRpcmVjdF91cmlzIjpbImh0dHA6Ly9sb2NhbGhvc3QvY2FsbGJhY2siXX0.mF_9.B5f-4.1JqM"
                .to_owned(),
        client_host: None,
        unverified: true,
        redirect_host: "localhost:51004".to_owned(),
        redirect_uri: "http://localhost:51004/callback".to_owned(),
        redirect_is_loopback: true,
        resource_name: "MCP demo".to_owned(),
        resource: "http://localhost:3001/mcp".to_owned(),
        scopes: ["mcp:tools", "profile", "email"].map(ScopeLine::of).to_vec(),
        user_name: "Nick Lucas".to_owned(),
        user_email: Some("nick@example.com".to_owned()),
        request: "sealed-request".to_owned(),
        continue_to: "/authorize?client_id=sample".to_owned(),
        csrf: "sample".to_owned(),
    }
}

/// A refusal that is nobody's fault.
pub(crate) fn expired() -> ErrorPage {
    ErrorPage {
        title: "This sign-in has expired".to_owned(),
        explanation: "It was started more than ten minutes ago, or in another browser.".to_owned(),
        fault: Fault::Nobody,
        next_step: "Go back to the program and start again.".to_owned(),
        reason: "sign_in_expired".to_owned(),
        request_id: "01932f6e-7c1a-7b4e-9c57-3f1d2a8e6b90".to_owned(),
        action: Some(Link { label: "Sign in again".to_owned(), href: "/sign-in".to_owned() }),
    }
}

fn home_samples() -> Vec<Sample> {
    let issuer = "http://localhost:3000".to_owned();
    let alone = HomePage { user_name: None, csrf: None, issuer };
    let known = HomePage {
        user_name: Some("Nick Lucas".to_owned()),
        csrf: Some("sample".to_owned()),
        ..alone.clone()
    };
    vec![
        Sample { path: "/home", shows: "Home, nobody signed in", html: alone.render() },
        Sample { path: "/home/signed-in", shows: "Home, signed in", html: known.render() },
    ]
}

fn sign_in_samples() -> Vec<Sample> {
    let github = Provider {
        label: "GitHub".to_owned(),
        action: "/sign-in/github".to_owned(),
        stand_in: false,
    };
    let own = ClientSummary {
        name: "Portcullis client".to_owned(),
        client_host: None,
        redirect_host: "localhost:51004".to_owned(),
    };
    let asked = SignInPage {
        client: Some(own),
        providers: vec![github.clone()],
        continue_to: "/authorize?client_id=sample".to_owned(),
        csrf: "sample".to_owned(),
        notice: None,
    };
    let hosted = ClientSummary {
        name: "Claude Code".to_owned(),
        client_host: Some("claude.ai".to_owned()),
        redirect_host: "claude.ai".to_owned(),
    };
    let stand_in = Provider { stand_in: true, ..github.clone() };
    let company = Provider { label: "Example Company".to_owned(), ..github };
    let stand_in = SignInPage { providers: vec![stand_in], ..asked.clone() };
    let several = SignInPage {
        client: Some(hosted),
        providers: [asked.providers.clone(), vec![company]].concat(),
        ..asked.clone()
    };
    let refused = SignInPage {
        client: None,
        notice: Some("GitHub did not sign you in: access was denied. Try again.".to_owned()),
        ..asked.clone()
    };
    let none = SignInPage { client: None, providers: Vec::new(), ..asked.clone() };
    vec![
        Sample { path: "/sign-in", shows: "Sign in, asked by a client", html: asked.render() },
        Sample { path: "/sign-in/stand-in", shows: "Sign in, stand-in", html: stand_in.render() },
        Sample {
            path: "/sign-in/several",
            shows: "Sign in, two providers",
            html: several.render(),
        },
        Sample {
            path: "/sign-in/refused",
            shows: "Sign in, after a refusal",
            html: refused.render(),
        },
        Sample { path: "/sign-in/none", shows: "Sign in, no provider set up", html: none.render() },
    ]
}

fn consent_samples() -> Vec<Sample> {
    let loopback = consent();
    let hosted = ConsentPage {
        client_name: "Claude Code".to_owned(),
        client_id: "https://claude.ai/oauth/mcp-client.json".to_owned(),
        client_host: Some("claude.ai".to_owned()),
        unverified: false,
        redirect_host: "claude.ai".to_owned(),
        redirect_uri: "https://claude.ai/api/mcp/auth_callback".to_owned(),
        redirect_is_loopback: false,
        scopes: ["mcp:tools", "profile", "email", "offline_access", "files:delete"]
            .map(ScopeLine::of)
            .to_vec(),
        ..consent()
    };
    let hostile = ConsentPage {
        client_name: format!("<script>\u{202e}GitHub</script> {}", "very long ".repeat(200)),
        redirect_host: format!("accounts.google.com.{}evil.example", "sign-in.".repeat(16)),
        redirect_is_loopback: false,
        user_name: "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren".to_owned(),
        user_email: Some("a.rather.long.address.of.somebody@subdomain.example.com".to_owned()),
        ..consent()
    };
    let nothing = ConsentPage {
        client_name: "עורך הטקסט".to_owned(),
        scopes: Vec::new(),
        user_email: None,
        unverified: false,
        ..consent()
    };
    vec![
        Sample {
            path: "/consent",
            shows: "Consent, unverified, on this computer",
            html: loopback.render(),
        },
        Sample {
            path: "/consent/hosted",
            shows: "Consent, proven host, five scopes",
            html: hosted.render(),
        },
        Sample {
            path: "/consent/hostile",
            shows: "Consent, hostile names",
            html: hostile.render(),
        },
        Sample {
            path: "/consent/nothing",
            shows: "Consent, no scopes, Hebrew name",
            html: nothing.render(),
        },
    ]
}

fn error_samples() -> Vec<Sample> {
    let redirect = ErrorPage {
        title: "This redirect address is not registered".to_owned(),
        explanation:
            "The program asked us to send you to http://localhost:9999/elsewhere, which is \
            not one of its registered addresses, so we stopped here."
                .to_owned(),
        fault: Fault::Client,
        next_step: "Tell the people who make the program, and give them the two codes below."
            .to_owned(),
        reason: "redirect_uri_mismatch".to_owned(),
        action: None,
        ..expired()
    };
    vec![
        Sample { path: "/error", shows: "Error with a way on", html: expired().render() },
        Sample {
            path: "/error/client",
            shows: "Error, the client's fault",
            html: redirect.render(),
        },
    ]
}

fn signed_out_samples() -> Vec<Sample> {
    let page = SignedOutPage { continue_to: None };
    vec![Sample { path: "/signed-out", shows: "Signed out", html: page.render() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Vec<Sample> {
        let mut pages = all();
        let html = index(&pages);
        pages.push(Sample { path: "/", shows: "The list", html });
        pages
    }

    #[test]
    fn no_page_carries_a_script_or_an_inline_style() {
        for page in pages() {
            for forbidden in ["<script", "<style", " style=", "javascript:", " onclick="] {
                assert!(!page.html.contains(forbidden), "{}: {forbidden}", page.path);
            }
        }
    }

    #[test]
    fn every_page_is_a_document_with_a_language_a_title_and_one_heading() {
        for page in pages() {
            assert!(page.html.starts_with(r#"<!DOCTYPE html><html lang="en">"#), "{}", page.path);
            assert_eq!(page.html.matches("<h1>").count(), 1, "{}", page.path);
            let (_, after) = page.html.split_once("<title>").expect("a title opens");
            let (title, _) = after.split_once("</title>").expect("a title closes");
            assert!(title.ends_with(" · Portcullis") && !title.contains('<'), "{title}");
        }
    }

    #[test]
    fn every_page_is_light() {
        for page in pages() {
            assert!(page.html.len() + crate::STYLE.len() < 30 * 1024, "{}", page.path);
        }
    }

    #[test]
    fn every_form_is_posted() {
        for page in pages() {
            let forms = page.html.matches("<form").count();
            assert_eq!(page.html.matches(r#" method="post""#).count(), forms, "{}", page.path);
        }
    }

    #[test]
    fn every_sample_has_its_own_path() {
        let mut paths: Vec<_> = pages().iter().map(|page| page.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), pages().len());
    }
}
