//! The catalogue in English.

use super::{ErrorText, ErrorTexts, Text};
use crate::language::Language;

pub(super) static TEXT: Text = Text {
    language: Language::English,
    errors: &ERRORS,
    footer: "Sign-in by {operator}",
    no_name: "(no name)",
    quoted: "“{name}”",
    document_title: "{page} · {operator}",

    sign_in: "Sign in",
    sign_in_alone: "Choose where to sign in.",
    signing_in_gives_nothing: "Signing in tells us who you are. It does not give the program any \
        access yet.",
    no_providers: "No sign-in method has been set up on this server yet. Please contact its \
        operator.",
    continue_with: "Continue with {provider}",
    stand_in: "For development only: a stand-in for {provider} runs on this machine. It does not \
        check who you are.",
    name_asks_to_sign_in: "{client} asks you to sign in.",
    host_asks_to_sign_in: "{host} asks you to sign in. It calls itself {client}.",
    calls_itself: "Program calling itself {client}",
    sign_in_declined: "{provider} did not sign you in. Nothing was allowed; you can try again.",
    sign_in_confirm: "Please sign in again: this step has to confirm that it is really you.",

    signed_in_as: "Signed in as",
    change: "Change",
    change_account: "Change account",
    allow_question: "Allow {client} to use {resource}?",
    allow_more: "Allow {client} to do more with {resource}?",
    will_be_able_to: "It will be able to",
    will_also_be_able_to: "New: it will also be able to",
    your_choice: "Your choice",
    also_your_choice: "New: your choice",
    allowed_before: "What you allowed before ({count})",
    no_scopes: "It does not ask for any specific permission.",
    unknown_scope: "Use the permission {scope}, which has no description",
    sensitive: "Sensitive",
    sent_back_to: "Sends you back to",

    unverified_program: "Unverified program",
    known_program: "Program known to {operator}",
    asks_here: "{who} on this computer",
    asks_from: "{who} · answers to {host}",
    any_name: "Allow it only if you know {host}: any program can take this name.",
    any_name_here: "Allow it only if you have just started it yourself: any program can take \
        this name.",
    started_here: "Allow it only if you have just started it yourself.",
    private_scheme: "Your answer goes to whichever app on this device opens such links.",
    brand_claim: "Its name mentions {brand}, but none of its addresses belongs to {brand}.",
    mixed_alphabets: "Its name mixes look-alike letters from different alphabets.",
    international_host: "An address contains letters outside a to z, which can look like others.",

    allow: "Allow",
    deny: "Deny",
    details: "Technical details",
    client_id: "Client identifier",
    redirect_address: "Redirect address",
    resource: "Resource",
    scopes: "Scopes",
    own_pages: "Its own pages, not checked by us",
    own_home: "Home page",
    own_policy: "Privacy policy",
    own_terms: "Terms of service",
    keeps_access: "It keeps this access for up to {days} days without asking again.",
    once_for_all: "If you start this again yourself, you will not be asked as long as it requests \
        the same access.",
    remove_any_time: "You can remove it at any time on your account page.",

    scope_openid: "Recognise you when you come back",
    scope_profile: "See your name, user name and picture",
    scope_email: "See your e-mail address",
    scope_offline_access: "Keep its access while you are away",

    device_title: "Connect a device",
    device_lead: "Type the code that your device or terminal shows.",
    device_code: "Code",
    device_hint: "Capital letters and dashes do not matter.",
    device_continue: "Continue",
    device_unknown: "No device is waiting for this code. Check it or get a new one: a code works \
        for a few minutes, and only once.",
    device_too_many: "Too many codes were tried. Wait a few minutes, then try again.",
    device_question: "Connect {client} to {resource}?",
    device_same_code: "Does the device show exactly this code?",
    device_phishing: "Did someone send you this code or link? Then choose Deny, or they get \
        access to your account.",
    device_beware: "Did someone send you a code or a link to this page? Then stop here, or they \
        get access to your account.",
    device_started_it: "I started this myself, and the device in front of me shows this code.",
    device_not_ticked: "Tick the box first: only you can know whether you started this.",
    device_allowed: "The device is connected",
    device_allowed_lead: "Go back to it; it continues within seconds. You can close this page.",
    device_denied: "The device was not connected",
    device_denied_lead: "It has been told that you said no. You can close this page.",

    account: "Your account",
    account_lead: "What can act on your behalf, and where you are signed in.",
    connected_apps: "Connected apps",
    no_apps: "No app has access. An app that you allow appears here, and you can remove its access.",
    older: "Older",
    newer: "Newer",
    first_used: "Allowed {date}",
    last_used: "Last used",
    installations: "{count} installations",
    more: "{count} more",
    can_use: "Can use {resource}",
    remove_access: "Remove access",
    remove_access_sure: "What you remove is signed out within seconds and has to ask you again.",
    access_removed: "The access of {client} was removed.",
    unverified_badge: "Unverified",
    sessions: "Signed-in browsers",
    this_browser: "This browser",
    signed_in_at: "Signed in",
    last_seen: "Last used",
    sign_out_there: "Sign out there",
    signed_out_there: "That browser was signed out.",
    sign_out_elsewhere: "Sign out everywhere else",
    sign_out_elsewhere_hint: "Connected apps keep their access.",
    signed_out_elsewhere: "Every other browser was signed out.",
    browser_on: "{browser} on {system}",
    unknown_device: "Unknown browser",
    identities: "Ways to sign in",
    identity_since: "since {date}",
    identity_at: "{provider}, account {subject}",
    identity_last: "your only way to sign in",
    link_another: "Add {provider}",
    remove_identity: "Remove",
    remove_identity_sure: "You can no longer sign in here with {provider}, and every other \
        browser is signed out. Anyone who signs in with it later gets a new, empty account.",
    remove_identity_now: "Remove this way to sign in",
    identity_removed: "{provider} is no longer a way to sign in. Every other browser was signed \
        out.",
    events: "Recent activity",
    no_events: "Nothing has happened yet.",
    your_data: "Your data",
    your_data_lead: "Download everything this server knows about you as one file, or delete all \
        of it.",
    download: "Download my data",
    delete_account: "Delete my account",
    network: "network {network}",
    unknown_network: "an unknown network",
    this_computer: "this computer",

    event_signed_in: "You signed in",
    event_signed_out: "You signed out",
    event_signed_out_elsewhere: "You signed out every other browser",
    event_access_allowed: "You allowed an app",
    event_device_allowed: "You connected a device",
    event_access_denied: "You denied an app",
    event_access_removed: "You removed the access of an app",
    event_token_replayed: "A copied token or code was used, so an app was signed out",
    event_identity_linked: "A way to sign in was added",
    event_identity_unlinked: "A way to sign in was removed",
    event_data_exported: "Your data was downloaded",
    event_other: "Your account was changed",
    event_account_disabled: "An operator disabled your account",
    event_account_enabled: "An operator enabled your account again",
    event_kept_out: "You tried to sign in and were not let in",
    event_access_ended: "You were not allowed to use this server any more, so everything was signed out",
    event_provisioned: "Your organisation entered you here",
    event_provisioning_changed: "Your organisation changed your entry here",
    event_deprovisioned: "Your organisation removed you here",
    event_signed_out_by_operator: "An operator signed you out everywhere",
    event_access_removed_by_operator: "An operator removed the access of an app",

    delete_title: "Delete your account?",
    delete_lead: "Your name, e-mail address, sign-ins and activity are erased from this server at \
        once. This cannot be undone.",
    delete_apps: "Every connected app loses its access within seconds.",
    delete_again: "If you sign in again later, you start with a new, empty account.",
    delete_sure: "Yes, erase everything about me.",
    delete_now: "Delete my account",
    delete_not_ticked: "Tick the box first, so that no account is deleted by accident.",
    deleted: "Your account is gone",
    deleted_lead: "Everything about you was erased, and this browser is signed out.",
    keep_account: "Keep my account",

    cause: "Cause",
    next_step: "What to do next",
    reason: "Reason code",
    request: "Request code",
    for_developers: "For the developers of the program",
    fault_client: "The program that sent you here made a mistake. You did nothing wrong.",
    fault_provider: "The sign-in provider failed. You did nothing wrong.",
    fault_server: "This server made a mistake. You did nothing wrong.",
    action_home: "Go to the start page",
    action_another_account: "Use another account",
    action_sign_in: "Sign in again",
    action_account: "Go to your account",
    action_again: "Try again",
    action_onward: "Continue to this address",

    end_session: "Sign out?",
    end_session_asked: "{client} asks to sign you out of this browser.",
    stay_signed_in: "Stay signed in",
    signed_out: "You are signed out",
    session_ended: "Your session in this browser has ended.",
    clients_keep_access: "Programs that you allowed earlier keep their access: signing out here \
        does not end it. You can remove it on your account page.",
    sign_in_again: "Sign in again",
    onward_unverified: "The program that sent you here wants to take you back to this address, \
        which has not been verified.",

    home: "You are in the right place",
    what_this_is: "Programs send you here to sign in, and to ask whether they may use a service \
        for you. Nothing happens without your consent.",
    sign_out: "Sign out",
    issuer: "This server",
    for_programs: "For programs",
    metadata: "Metadata",
    signing_keys: "Signing keys",
    enter_code: "Enter a device code",
};

static ERRORS: ErrorTexts = ErrorTexts {
    client_unknown: ErrorText {
        title: "This program is not known here",
        what: "The program that sent you here is not registered with this server, or no longer.",
        next: "Go back to the program and connect again; most programs then register again.",
    },
    redirect_not_registered: ErrorText {
        title: "We do not know where to send you back to",
        what: "The program asked for its answer at an address that it has not registered. We \
            stopped, because that address could belong to someone else.",
        next: "Go back to the program and try again. If it happens again, send this page to its \
            developers.",
    },
    redirect_not_trusted: ErrorText {
        title: "This request cannot continue",
        what: "The program that sent you here asked for something it cannot have. The error would \
            go to its own address, which has not been verified.",
        next: "If you know this address and have just come from there, continue. If not, close \
            this page.",
    },
    client_request: ErrorText {
        title: "This request cannot continue",
        what: "The program that sent you here asked in a way that this server does not accept.",
        next: "Go back to the program and try again. If it happens again, send this page to its \
            developers.",
    },
    expired: ErrorText {
        title: "This page has expired",
        what: "It was open for too long, or it belongs to another sign-in or another browser.",
        next: "Start again from the program that sent you here.",
    },
    already_answered: ErrorText {
        title: "You have already answered this",
        what: "Your first answer was sent to the program. A second one is not accepted.",
        next: "Go back to the program. If nothing happens there, start again from it.",
    },
    cross_site: ErrorText {
        title: "This came from another site",
        what: "Another website sent a form to this server, or embedded this page in its own. We \
            ignored it, so that no other site can answer for you.",
        next: "If you did mean to do this, go to the start page and begin again.",
    },
    declined: ErrorText {
        title: "You were not signed in",
        what: "The sign-in was declined at the provider, so you are not signed in and nothing was \
            allowed.",
        next: "If you did not intend that, sign in again and accept.",
    },
    kept_out: ErrorText {
        title: "This account cannot be used here",
        what: "You proved who you are, but only certain people may use this server, and this account \
            is not one of theirs.",
        next: "If you have another account, sign in with that one. Otherwise ask the operator of this \
            server for access.",
    },
    provider_silent: ErrorText {
        title: "The sign-in provider is not responding",
        what: "This server could not reach the provider that you sign in with.",
        next: "Wait a moment, then try again.",
    },
    provider_fault: ErrorText {
        title: "Signing in does not work here",
        what: "The sign-in provider gave an answer that this server cannot use, so you are not \
            signed in.",
        next: "Tell the operator of this server, and give them the reason code and the request \
            code below.",
    },
    sign_in_needed: ErrorText {
        title: "Sign in first",
        what: "You are signed out, or your session has ended.",
        next: "Sign in, then continue where you were.",
    },
    refused: ErrorText {
        title: "This was refused",
        what: "The server does not allow this request.",
        next: "Go back to where you came from and start again.",
    },
    too_many: ErrorText {
        title: "Too many attempts",
        what: "This was tried too often in a short time, so further attempts have to wait.",
        next: "Wait a few minutes, then try again.",
    },
    too_large: ErrorText {
        title: "That was too large",
        what: "More data was sent than any form of this server needs, so it was not read.",
        next: "Go back to where you came from and start again.",
    },
    not_found: ErrorText {
        title: "Page not found",
        what: "There is no such page on this server. The address may be mistyped or out of date.",
        next: "Go to the start page, or back to where you came from.",
    },
    unavailable: ErrorText {
        title: "This is not working right now",
        what: "Part of this server is not responding at the moment. Nothing was lost.",
        next: "Wait a moment, then try again.",
    },
    server_mistake: ErrorText {
        title: "Something went wrong here",
        what: "This server failed at something that should have worked. Nothing was allowed.",
        next: "Try again. If it happens again, give the request code below to the people who run \
            this server.",
    },
};
