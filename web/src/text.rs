//! Every word that people read, in one place, so that it can be translated.
//!
//! A name from outside stands between direction isolates, so that a name written from right to
//! left cannot reorder the sentence around it.

use crate::error::Fault;

pub(crate) const LANGUAGE: &str = "en";
pub(crate) const PRODUCT: &str = "Portcullis";
pub(crate) const FOOTER: &str = "Portcullis: sign-in for the Model Context Protocol";
pub(crate) const NO_NAME: &str = "(no name)";

pub(crate) const SIGN_IN: &str = "Sign in";
pub(crate) const SIGN_IN_ALONE: &str = "Choose where to sign in.";
pub(crate) const SIGNING_IN_GIVES_NOTHING: &str =
    "Signing in tells us who you are. It does not yet allow the program anything.";
pub(crate) const NO_PROVIDERS: &str =
    "No way to sign in is set up on this server yet. Please tell the people who run it.";

pub(crate) const SIGNED_IN_AS: &str = "Signed in as";
pub(crate) const USE_ANOTHER_ACCOUNT: &str = "Use another account";
pub(crate) const WILL_BE_ABLE_TO: &str = "It will be able to";
pub(crate) const NO_SCOPES: &str = "It asks for no particular permission.";
pub(crate) const SENSITIVE: &str = "Sensitive";
pub(crate) const GIVES_ACCESS_TO: &str = "This gives access to";
pub(crate) const SENT_BACK_TO: &str = "You will be sent back to";
pub(crate) const UNVERIFIED: &str =
    "Nobody has verified this program: it registered itself and chose its own name.";
pub(crate) const LOOPBACK: &str =
    "This is a program on this computer. Allow it only if you have just started it yourself.";
pub(crate) const ALLOW: &str = "Allow";
pub(crate) const DENY: &str = "Deny";
pub(crate) const DETAILS: &str = "Details";
pub(crate) const CLIENT_ID: &str = "Client identifier";
pub(crate) const REDIRECT_ADDRESS: &str = "Redirect address";
pub(crate) const SCOPES: &str = "Scopes";

pub(crate) const NEXT_STEP: &str = "What to do next";
pub(crate) const REASON: &str = "Reason";
pub(crate) const REQUEST: &str = "Request";

pub(crate) const SIGNED_OUT: &str = "You are signed out";
pub(crate) const SESSION_ENDED: &str = "Your session in this browser has ended.";
pub(crate) const CLIENTS_KEEP_ACCESS: &str =
    "Programs that you allowed earlier keep their access: signing out here does not stop them.";
pub(crate) const SIGN_IN_AGAIN: &str = "Sign in again";

pub(crate) const HOME: &str = "You are in the right place";
pub(crate) const WHAT_THIS_IS: &str = "Programs send you here to sign in, and to ask whether they \
    may use a service for you. Nothing happens without your yes.";
pub(crate) const SIGN_OUT: &str = "Sign out";
pub(crate) const ISSUER: &str = "This server";
pub(crate) const FOR_PROGRAMS: &str = "For programs";
pub(crate) const METADATA: &str = "Metadata";
pub(crate) const SIGNING_KEYS: &str = "Signing keys";

pub(crate) const PREVIEW: &str = "Every page, every state";
pub(crate) const PREVIEW_LEAD: &str = "Sample data; the buttons lead nowhere.";

pub(crate) fn document_title(page: &str) -> String {
    format!("{page} · {PRODUCT}")
}

pub(crate) fn name_asks_to_sign_in(name: &str) -> String {
    format!("{} asks you to sign in.", quoted(name))
}

pub(crate) fn host_asks_to_sign_in(host: &str, name: &str) -> String {
    format!("{} asks you to sign in. {}", isolated(host), calls_itself(name))
}

pub(crate) fn calls_itself(name: &str) -> String {
    format!("It calls itself {}.", quoted(name))
}

pub(crate) fn continue_with(provider: &str) -> String {
    format!("Continue with {provider}")
}

pub(crate) fn stand_in(provider: &str) -> String {
    format!("Development sign-in: a stand-in for {provider} runs on this machine.")
}

pub(crate) fn allow_question(asker: &str, resource: &str) -> String {
    format!("Allow {asker} to use {}?", isolated(resource))
}

/// What a scope of this server lets a client do; `None` for a scope it has no words for.
pub(crate) fn scope_description(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "openid" => "Recognise you when you come back",
        "profile" => "See your name, user name and picture",
        "email" => "See your e-mail address",
        "offline_access" => "Keep its access while you are away",
        "mcp:tools" => "Use the tools on your behalf",
        _ => return None,
    })
}

pub(crate) fn unknown_scope(scope: &str) -> String {
    format!("Use the permission {}, which has no description", quoted(scope))
}

pub(crate) fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Client => "The program that sent you here made a mistake. You did nothing wrong.",
        Fault::Provider => "The sign-in provider did not do its part. You did nothing wrong.",
        Fault::Server => "This server made a mistake. You did nothing wrong.",
        Fault::Operator => "This server is not set up correctly. You did nothing wrong.",
        Fault::Nobody => "Nothing is broken.",
    }
}

/// A name that its bearer chose, marked as such.
pub(crate) fn quoted(name: &str) -> String {
    format!("“{}”", isolated(name))
}

/// Text that cannot change the direction of its surroundings (Unicode FSI … PDI).
pub(crate) fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}
