//! `auth users`: lists and shows people, signs them out, disables, enables and deletes them.

use std::io::Write;

use clap::{Args, Subcommand};
use net::clock::Clock;
use serde_json::{Value, json};

use super::{
    CommandError, Format,
    grants::shown,
    person::{self, Operator},
    table::{self, date},
};
use crate::{
    config::DatabaseSetting,
    storage::{
        Database, EventKind, StorageError,
        accounts::{self, Ended},
        grants, identities, sessions,
        users::{self, Filter, Model},
    },
};

/// Commands for people's accounts.
#[derive(Debug, Args)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

/// What can be done. What ends is refused by verifiers within two seconds.
#[derive(Debug, Subcommand)]
enum Action {
    /// List people, the latest sign-in first.
    List(List),
    /// Show one person: what upstreams said of them, their browsers and their grants.
    Show(Selected),
    /// Keep a person out, and end their sessions and grants.
    Disable(Change),
    /// Let a disabled person sign in again.
    Enable(Change),
    /// Erase a person, and end their sessions and grants. They may sign in again as a new person,
    /// unless the access policy keeps them out.
    Delete(Change),
    /// End the sessions and grants of a person, who may sign in again.
    SignOut(Change),
}

/// Whom to list.
#[derive(Debug, Args)]
struct List {
    /// Only people who are disabled.
    #[arg(long)]
    disabled: bool,
    /// The most to list.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u64,
    /// Where everything is kept.
    #[command(flatten)]
    database: DatabaseSetting,
    /// How to answer.
    #[command(flatten)]
    format: Format,
}

/// A person.
#[derive(Debug, Args)]
struct Selected {
    /// Login name, e-mail address, or the `sub` of their tokens.
    user: String,
    /// Where everything is kept.
    #[command(flatten)]
    database: DatabaseSetting,
    /// How to answer.
    #[command(flatten)]
    format: Format,
}

/// A person, and who acts on them.
#[derive(Debug, Args)]
struct Change {
    /// Whom to change.
    #[command(flatten)]
    selected: Selected,
    /// Who changes them.
    #[command(flatten)]
    operator: Operator,
}

impl Command {
    pub(super) async fn run(
        self,
        clock: Clock,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        let now = clock.now();
        match self.action {
            Action::List(list) => list.run(stdout).await,
            Action::Show(selected) => selected.show(now, stdout).await,
            Action::Disable(change) => change.run(EventKind::AccountDisabled, now, stdout).await,
            Action::Enable(change) => change.run(EventKind::AccountEnabled, now, stdout).await,
            Action::Delete(change) => change.run(EventKind::AccountDeleted, now, stdout).await,
            Action::SignOut(change) => {
                change.run(EventKind::SignedOutByOperator, now, stdout).await
            }
        }
    }
}

impl List {
    async fn run(self, stdout: &mut impl Write) -> Result<(), CommandError> {
        let db = self.database.open().await?;
        let filter = Filter { disabled: self.disabled, limit: self.limit };
        let users = users::all(db.connection(), filter).await?;
        let columns = (["SUB", "USER NAME", "E-MAIL", "LAST SIGN-IN", "STATE"], row);
        Ok(table::write_list(stdout, self.format, &users, summary, columns)?)
    }
}

fn row(user: &Model) -> [String; 5] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let state = if user.disabled_at.is_some() { "disabled" } else { "enabled" };
    let name = text(&user.preferred_username);
    [user.id.to_string(), name, text(&user.email), date(user.updated_at), state.into()]
}

fn summary(user: &Model) -> Value {
    json!({
        "sub": user.id,
        "name": user.name,
        "preferred_username": user.preferred_username,
        "email": user.email,
        "created_at": date(user.created_at),
        "last_sign_in_at": date(user.updated_at),
        "disabled_at": user.disabled_at.map(date),
    })
}

impl Selected {
    async fn show(self, now: i64, stdout: &mut impl Write) -> Result<(), CommandError> {
        let db = self.database.open().await?;
        let user = person::find(&db, &self.user).await?;
        let mut shown = summary(&user);
        shown["facts"] = json!(user.facts());
        for (name, list) in belongings(&db, &user, now).await? {
            shown[name] = list;
        }
        // Nested as it is, JSON is the plainest way to write it.
        if self.format.json {
            writeln!(stdout, "{shown}")?
        } else {
            writeln!(stdout, "{shown:#}")?
        }
        Ok(())
    }
}

async fn belongings(
    db: &Database,
    user: &Model,
    now: i64,
) -> Result<[(&'static str, Value); 3], StorageError> {
    let db = db.connection();
    let identities = identities::of_user(db, user.id).await?;
    let sessions = sessions::of_user(db, user.id, now).await?;
    let grants = grants::of_user(db, user.id, now).await?;
    let identity = |one: &identities::Model| json!({"provider": one.provider, "subject": one.subject, "since": date(one.created_at)});
    let session = |one: &sessions::Model| {
        json!({"device": one.device, "network": one.network,
            "signed_in_at": date(one.authenticated_at), "last_seen_at": date(one.last_seen_at)})
    };
    Ok([
        ("identities", identities.iter().map(identity).collect()),
        ("sessions", sessions.iter().map(session).collect()),
        ("grants", grants.iter().map(shown).collect()),
    ])
}

impl Change {
    async fn run(
        self,
        kind: EventKind,
        now: i64,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        let Selected { user, database, format } = self.selected;
        let db = database.open().await?;
        let user = person::find(&db, &user).await?;
        let event = self.operator.event(user.id, kind, now);
        let ended = match kind {
            EventKind::AccountDisabled => accounts::disable(&db, event).await?,
            EventKind::AccountDeleted => accounts::erase(&db, event, true).await?,
            EventKind::AccountEnabled => {
                accounts::enable(&db, event).await?;
                Ended { sessions: 0, grants: 0 }
            }
            _ => accounts::sign_out(&db, event).await?,
        };
        let Ended { sessions, grants } = ended;
        let name = user.preferred_username.or(user.email).unwrap_or_default();
        let sub = user.id;
        if format.json {
            let answer = json!({"sub": sub, "preferred_username": name, "done": kind.as_str(),
                "ended_sessions": sessions, "ended_grants": grants});
            writeln!(stdout, "{answer}")?;
        } else {
            let done = kind.as_str().replace('_', " ");
            writeln!(
                stdout,
                "{done}: {name} {sub}, {sessions} sessions and {grants} grants ended"
            )?;
        }
        Ok(())
    }
}
