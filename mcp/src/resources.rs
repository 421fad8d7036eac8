//! The resources: the profile and the notes of the caller.

use guard::{Caller, hidden_without, needs};
use rmcp::{
    ErrorData,
    model::{
        CacheScope, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
        ResourceTemplate,
    },
};
use serde_json::json;

use crate::notes;

/// The caller's profile, hidden from lists without the scope `profile`.
const PROFILE: &str = "profile://me";
/// Literal prefixes of the templates for one claim of the profile and for one note.
const CLAIM: &str = "profile://me/";
const NOTE: &str = "notes://mine/";
/// Milliseconds for which clients may cache a profile. It changes with the token only.
const PROFILE_TTL: u64 = 60_000;

pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(PROFILE, "Your profile")
            .with_description("What this server knows of you")
            .with_mime_type("application/json")
            .with_meta(hidden_without(["profile"])),
        Resource::new(notes::URI, "Your notes")
            .with_description("What add_note kept for you")
            .with_mime_type("text/plain")
            .with_meta(needs(["mcp:tools"])),
    ]
}

pub(crate) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("profile://me/{claim}", "One claim of your profile")
            .with_description("name, preferred_username or email")
            .with_mime_type("text/plain")
            .with_meta(hidden_without(["profile"])),
        ResourceTemplate::new("notes://mine/{number}", "One of your notes")
            .with_description("Counted from 1")
            .with_mime_type("text/plain")
            .with_meta(needs(["mcp:tools"])),
    ]
}

/// Reads `uri` for `caller`, who has these notes.
pub(crate) fn read(
    uri: &str,
    caller: &Caller,
    notes: &[String],
) -> Result<ReadResourceResponse, ErrorData> {
    let found = match uri {
        PROFILE => Some((profile(caller), "application/json")),
        notes::URI => Some((notes.join("\n"), "text/plain")),
        _ => one_of(uri, caller, notes).map(|words| (words, "text/plain")),
    };
    let (text, mime_type) = found.ok_or_else(|| {
        ErrorData::resource_not_found("there is no such resource", Some(json!({"uri": uri})))
    })?;
    let ttl = if uri.starts_with(PROFILE) { PROFILE_TTL } else { 0 };
    let contents = ResourceContents::TextResourceContents {
        uri: uri.into(),
        mime_type: Some(mime_type.into()),
        text,
        meta: None,
    };
    let result = ReadResourceResult::new(vec![contents]);
    Ok(result.with_ttl_ms(ttl).with_cache_scope(CacheScope::Private).into())
}

fn profile(caller: &Caller) -> String {
    let mut profile = json!({"sub": caller.subject, "iss": caller.issuer});
    let claims = [
        ("name", &caller.name),
        ("preferred_username", &caller.preferred_username),
        ("picture", &caller.picture),
        ("email", &caller.email),
    ];
    for (name, value) in claims {
        if let Some(value) = value {
            profile[name] = value.as_str().into();
        }
    }
    profile.to_string()
}

fn one_of(uri: &str, caller: &Caller, notes: &[String]) -> Option<String> {
    if let Some(number) = uri.strip_prefix(NOTE) {
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        return notes.get(index).cloned();
    }
    match uri.strip_prefix(CLAIM)? {
        "name" => caller.name.clone(),
        "preferred_username" => caller.preferred_username.clone(),
        "email" => caller.email.clone(),
        _ => None,
    }
}

/// Refuses subscriptions to resources that never change.
pub(crate) fn check_subscription(uri: &str) -> Result<(), ErrorData> {
    if uri != notes::URI {
        return Err(ErrorData::invalid_params("only notes://mine changes", None));
    }
    Ok(())
}
