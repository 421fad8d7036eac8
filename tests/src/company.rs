//! The company of `docs/company.md`: a stack with its file, and what one person of each kind sees. Tests
//! look at it, and `make screenshots` pictures it.

use std::path::PathBuf;

use crate::{
    people::chromium::Chromium,
    programs::client::{Client, with},
    stack::{Stack, github::Membership},
};

const FILES: &str = "https://mcp.acme.example/files";
const TICKETS: &str = "https://mcp.acme.example/tickets";

/// One kind of person, who follows a program to the page that the file gives them.
pub struct Visit {
    /// The name of the picture.
    pub picture: &'static str,
    /// What the person types at the stand-in, and the login name that comes of it.
    name: &'static str,
    pub login: &'static str,
    resource: &'static str,
    scope: &'static str,
    /// What the page says, and what it does not.
    pub shown: &'static [&'static str],
    pub hidden: &'static [&'static str],
    /// For each resource and scope, whether `auth access test` says yes.
    pub answers: [(&'static str, &'static str, bool); 4],
}

/// Whether each scope is for a person, in the order in which the file has them.
const fn answers(all: [bool; 4]) -> [(&'static str, &'static str, bool); 4] {
    [
        (FILES, "files:read", all[0]),
        (FILES, "files:write", all[1]),
        (TICKETS, "tickets:read", all[2]),
        (TICKETS, "tickets:write", all[3]),
    ]
}

pub const VISITS: [Visit; 4] = [
    Visit {
        picture: "company-platform-360-light.png",
        name: "Nick Lucas",
        login: "nick-lucas",
        resource: FILES,
        scope: "files:read files:write",
        shown: &["Find and read your files", "Change and delete your files"],
        hidden: &[],
        answers: answers([true, true, true, true]),
    },
    Visit {
        picture: "company-staff-360-light.png",
        name: "Grace Hopper",
        login: "grace-hopper",
        resource: FILES,
        scope: "files:read files:write",
        shown: &["Find and read your files"],
        hidden: &["Change and delete"],
        answers: answers([true, false, true, false]),
    },
    Visit {
        picture: "company-contractor-360-light.png",
        name: "Ada Park",
        login: "ada-park",
        resource: TICKETS,
        scope: "tickets:read tickets:write",
        shown: &["Read tickets"],
        hidden: &["Open and close"],
        answers: answers([false, false, true, false]),
    },
    Visit {
        picture: "company-stranger-360-light.png",
        name: "Joan Clarke",
        login: "joan-clarke",
        resource: FILES,
        scope: "files:read",
        shown: &["This account cannot be used here", "Ask the platform team: access@acme.example"],
        hidden: &["Find and read"],
        answers: answers([false, false, false, false]),
    },
];

/// `docs/company.toml`.
pub fn file() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.parent().expect("the workspace").join("docs/company.toml")
}

/// A stack that is set up by the file. Nick Lucas is in the team, Grace Hopper in the organisation.
pub async fn start() -> Stack {
    let stack = Stack::start_with(&["--config", &file().display().to_string()], &[]).await;
    stack.stand_in.set_membership("grace-hopper", "acme", Membership::Active);
    stack
}

impl Visit {
    /// Follows a program to the authorization server and signs in at GitHub; what the page says then.
    pub async fn make(&self, stack: &Stack, browser: &Chromium) -> String {
        let client = Client::register(stack).await;
        let request = with(client.authorize_parameters(), "resource", self.resource);
        browser.open(&client.authorize_url(&with(request, "scope", self.scope))).await;
        browser.press("form[action='/sign-in/github'] button").await;
        browser.press("input[name='typed']").await;
        browser.type_text(self.name).await;
        browser.press("button[value='typed']").await;
        browser.read("footer, main > h1").await;
        browser.read("main").await
    }
}
