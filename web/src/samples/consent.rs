//! The consent page in its states.

use super::{Shown, person};
use crate::{
    ClientDetails, Frame, Language, OwnPages, Person, ScopeLine,
    consent::{ConsentPage, Redirect, RedirectKind},
};

/// A client that registered itself and listens on this computer: the everyday case.
pub(crate) fn consent(language: Language) -> ConsentPage {
    ConsentPage {
        client: client(),
        redirect: Redirect {
            host: "localhost:51004".to_owned(),
            uri: "http://localhost:51004/callback".to_owned(),
            kind: RedirectKind::Loopback,
        },
        resource_name: "MCP demo".to_owned(),
        resource: "http://localhost:3001/mcp".to_owned(),
        scopes: vec![tools(language), ScopeLine::standard("profile"), ScopeLine::standard("email")],
        allowed_before: Vec::new(),
        keeps_access_days: Some(180),
        remembered: false,
        person: person(),
        request: "sealed-request".to_owned(),
        continue_to: "/authorize?client_id=sample".to_owned(),
        csrf: "sample".to_owned(),
    }
}

pub(super) fn client() -> ClientDetails {
    ClientDetails {
        name: "Acme terminal".to_owned(),
        id: "eyJyZWRpcmVjdF91cmlzIjpbImh0dHA6Ly9sb2NhbGhvc3QvY2FsbGJhY2siXX0.mF_9.B5f-4.1JqM"
            .to_owned(),
        host: None,
        unverified: true,
        pages: OwnPages::default(),
    }
}

/// The scope of the demo resource.
pub(super) fn tools(language: Language) -> ScopeLine {
    let words = match language {
        Language::English => "Use the tools of this server",
        Language::German => "Die Werkzeuge dieses Servers benutzen",
    };
    ScopeLine {
        name: "mcp:tools".to_owned(),
        description: Some(words.to_owned()),
        sensitive: false,
        optional: false,
    }
}

/// A scope that could do harm, and that may be left out.
fn deletion(language: Language) -> ScopeLine {
    let words = match language {
        Language::English => "Delete files that you can see",
        Language::German => "Dateien löschen, die Sie sehen können",
    };
    ScopeLine {
        name: "files:delete".to_owned(),
        description: Some(words.to_owned()),
        sensitive: true,
        optional: true,
    }
}

pub(super) fn samples(frame: &Frame) -> Vec<Shown> {
    let language = frame.language();
    let nothing = ConsentPage {
        client: ClientDetails {
            name: "עורך הטקסט".to_owned(), unverified: false, ..client()
        },
        scopes: Vec::new(),
        person: Person { email: None, ..person() },
        keeps_access_days: None,
        ..consent(language)
    };
    let app = ConsentPage {
        redirect: Redirect {
            host: "com.example.editor:".to_owned(),
            uri: "com.example.editor:/callback".to_owned(),
            kind: RedirectKind::PrivateScheme,
        },
        ..consent(language)
    };
    vec![
        ("/consent", "Consent, unverified, on this computer", consent(language).render(frame)),
        ("/consent/four", "Consent, four scopes", four(language).render(frame)),
        ("/consent/step-up", "Consent, more than before", step_up(language).render(frame)),
        ("/consent/hosted", "Consent, proven host, five scopes", hosted(language).render(frame)),
        ("/consent/app", "Consent, private-use scheme", app.render(frame)),
        ("/consent/own", "Consent, our own client", own(language).render(frame)),
        ("/consent/brand", "Consent, a claimed brand", brand(language).render(frame)),
        ("/consent/hostile", "Consent, hostile names", hostile(language).render(frame)),
        ("/consent/nothing", "Consent, no scopes, Hebrew name", nothing.render(frame)),
    ]
}

/// Four scopes; one could do harm.
fn four(language: Language) -> ConsentPage {
    ConsentPage {
        scopes: [
            vec![tools(language), deletion(language)],
            ["profile", "email"].map(ScopeLine::standard).to_vec(),
        ]
        .concat(),
        ..consent(language)
    }
}

/// Two scopes of the four were allowed before.
fn step_up(language: Language) -> ConsentPage {
    let allowed_before = ["mcp:tools", "profile"].map(str::to_owned).to_vec();
    ConsentPage { allowed_before, ..four(language) }
}

fn hosted(language: Language) -> ConsentPage {
    let page = |path: &str| Some(format!("https://claude.ai/{path}"));
    ConsentPage {
        client: ClientDetails {
            name: "Claude Code".to_owned(),
            id: "https://claude.ai/oauth/mcp-client.json".to_owned(),
            host: Some("claude.ai".to_owned()),
            unverified: false,
            pages: OwnPages { home: page(""), policy: page("privacy"), terms: page("terms") },
        },
        redirect: Redirect {
            host: "claude.ai".to_owned(),
            uri: "https://claude.ai/api/mcp/auth_callback".to_owned(),
            kind: RedirectKind::Web,
        },
        scopes: [
            vec![tools(language), deletion(language)],
            ["profile", "email", "offline_access"].map(ScopeLine::standard).to_vec(),
        ]
        .concat(),
        remembered: true,
        ..consent(language)
    }
}

fn own(language: Language) -> ConsentPage {
    let client = ClientDetails { name: "Portcullis client".to_owned(), ..client() };
    ConsentPage { client, ..consent(language) }
}

fn brand(language: Language) -> ConsentPage {
    ConsentPage {
        client: ClientDetails { name: "Gооgle Calendar".to_owned(), ..client() },
        redirect: Redirect {
            host: "calendar.xn--ggle-0nda.example".to_owned(),
            uri: "https://calendar.xn--ggle-0nda.example/callback".to_owned(),
            kind: RedirectKind::Web,
        },
        ..consent(language)
    }
}

fn hostile(language: Language) -> ConsentPage {
    let host = format!("accounts.google.com.{}evil.example", "sign-in.".repeat(16));
    ConsentPage {
        client: ClientDetails {
            name: format!("<script>\u{202e}GitHub</script> {}", "very long ".repeat(200)),
            ..client()
        },
        redirect: Redirect {
            uri: format!("https://{host}/callback"),
            host,
            kind: RedirectKind::Web,
        },
        person: Person {
            name: "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren".to_owned(),
            email: Some("a.rather.long.address.of.someone@subdomain.example.com".to_owned()),
        },
        ..consent(language)
    }
}
