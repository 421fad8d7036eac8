//! `client status`: who is signed in, until when, and where the grant is stored. Sends nothing.

use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{error::Error, oauth::grant::Grant, session::client::Client, terminal::text::Style};

/// Prints what is held for the server.
pub(crate) fn run(client: &mut Client) -> Result<(), Error> {
    // Another process may have signed in or out since.
    client.access.reload()?;
    let server = client.server.to_string();
    let credentials = &client.access.options.credentials;
    let stored_in = credentials.path().display().to_string();
    let are_sealed = credentials.are_sealed();
    let Some(grant) = client.access.usable_grant() else {
        let ended = client.access.ended_grant();
        if client.output.is_json() {
            let ended_at = ended.and_then(|grant| grant.expires_at).map(date);
            client
                .output
                .json(&json!({"server": server, "signed_in": false, "ended_at": ended_at}))?;
        }
        return Err(match ended {
            Some(grant) => Error::SignInEnded { server, when: end(grant) },
            None => Error::SignedOut { server },
        });
    };
    if client.output.is_json() {
        client.output.json(&json!({
            "server": server,
            "signed_in": true,
            "issuer": grant.issuer,
            "resource": grant.resource,
            "person": grant.person,
            "scope": grant.scope,
            "expires_at": grant.expires_at.map(date),
            "refreshable": grant.refresh_token.is_some(),
            "stored_in": stored_in,
            "sealed_by_keyring": are_sealed,
        }))?;
        return Ok(());
    }
    let lines = [
        ("server", server),
        ("signed in at", grant.issuer.clone()),
        ("as", person(grant)),
        (
            "allowed",
            if grant.scope.is_empty() { "not said".into() } else { grant.scope.to_string() },
        ),
        ("token", lifetime(grant, client.access.options.clock.now())),
        ("kept in", stored_in),
        ("sealed", if are_sealed { "with a key in the system keyring" } else { "no" }.to_owned()),
    ];
    let mut text = client.output.new_text();
    for (number, (name, value)) in lines.iter().enumerate() {
        text.push(if number == 0 { "" } else { "\n" });
        text.push_styled(Style::Faint, &format!("{name:<12}"));
        text.push(&format!("  {value}"));
    }
    Ok(client.output.text(&text)?)
}

/// When the sign-in of `grant` has ended, as far as that is known.
fn end(grant: &Grant) -> String {
    grant.expires_at.map_or_else(String::new, |expires_at| format!(" on {}", date(expires_at)))
}

fn person(grant: &Grant) -> String {
    let Some(person) = &grant.person else { return "the server does not say".to_owned() };
    let name = person.display_name().unwrap_or_default();
    match &person.email {
        Some(email) if email != name => format!("{name} <{email}>"),
        _ => name.to_owned(),
    }
}

/// How long the access token lasts, and what happens then.
fn lifetime(grant: &Grant, now: i64) -> String {
    let Some(expires_at) = grant.expires_at else { return "the server does not say".to_owned() };
    let until = match expires_at - now {
        ..=0 => "expired".to_owned(),
        seconds @ 1..=119 => format!("expires in {seconds} s"),
        seconds @ 120..=7199 => format!("expires in {} min", seconds / 60),
        seconds => format!("expires in {} h", seconds / 3600),
    };
    let then =
        if grant.refresh_token.is_some() { "renewed by itself" } else { "then sign in again" };
    format!("{until} ({}), {then}", date(expires_at))
}

fn date(seconds: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}
