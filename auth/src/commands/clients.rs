//! `auth clients`: adds, lists, shows, removes and blocks clients.

mod add;
mod block;
mod list;
mod show;

use std::io::Write;

use clap::Subcommand;
use net::clock::Clock;

use super::{CommandError, Format};
use crate::{
    config::DatabaseSetting,
    oauth::{Secret, SecretKind},
    storage::{Database, clients, grants},
};

/// Commands for clients.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Enter a client. Its secret is printed once and can never be shown again.
    Add(Box<add::Add>),
    /// List the clients that an operator entered, and those that people have used.
    List(list::List),
    /// Keep a client out, however it is known: it gets no page and no token, and what it was granted ends.
    Block(block::Decision),
    /// Let a blocked client come back. People have to allow it again.
    Unblock(block::Decision),
    /// Show one client.
    Show {
        /// Its client_id.
        client_id: String,
        /// Where everything is kept.
        #[command(flatten)]
        database: DatabaseSetting,
        /// How to answer.
        #[command(flatten)]
        format: Format,
    },
    /// Remove a client and revoke everything it was granted.
    Remove {
        /// Its client_id.
        client_id: String,
        /// Where everything is kept.
        #[command(flatten)]
        database: DatabaseSetting,
    },
    /// Give a client a new secret. The old one is accepted for a while, so that it can be
    /// replaced without an interruption.
    RotateSecret {
        /// Its client_id.
        client_id: String,
        /// Seconds that the old secret is still accepted; 0 ends it at once.
        #[arg(long, default_value_t = 86_400, value_parser = clap::value_parser!(i64).range(0..))]
        keep_old: i64,
        /// Where everything is kept.
        #[command(flatten)]
        database: DatabaseSetting,
        /// How to answer.
        #[command(flatten)]
        format: Format,
    },
}

impl Command {
    pub(super) async fn run(
        self,
        clock: Clock,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        match self {
            Self::Add(add) => add.run(clock, stdout).await,
            Self::List(list) => list.run(clock.now(), stdout).await,
            Self::Block(decision) => decision.block(clock.now(), stdout).await,
            Self::Unblock(decision) => decision.unblock(clock.now(), stdout).await,
            Self::Show { client_id, database, format } => {
                let db = database.open().await?;
                let client = find(&db, &client_id).await?;
                Ok(show::write(stdout, show::members(&client, None)?, format)?)
            }
            Self::Remove { client_id, database } => remove(&database, &client_id, clock).await,
            Self::RotateSecret { client_id, keep_old, database, format } => {
                let db = database.open().await?;
                let secret = rotate(&db, &client_id, clock.now(), keep_old).await?;
                let secret = secret.expose().into();
                let members =
                    [("client_id".into(), client_id.into()), ("client_secret".into(), secret)];
                Ok(show::write(stdout, members.into_iter().collect(), format)?)
            }
        }
    }
}

async fn remove(
    database: &DatabaseSetting,
    client_id: &str,
    clock: Clock,
) -> Result<(), CommandError> {
    let db = database.open().await?;
    find(&db, client_id).await?;
    let transaction = db.begin().await?;
    clients::remove(&transaction, client_id).await?;
    grants::revoke_of_client(&transaction, client_id, clock.now()).await?;
    Ok(transaction.commit().await?)
}

async fn rotate(
    db: &Database,
    client_id: &str,
    now: i64,
    keep_old: i64,
) -> Result<Secret, CommandError> {
    let client = find(db, client_id).await?;
    let method = client.metadata.0.token_endpoint_auth_method;
    let Some(old) = client.secret_hash.clone().filter(|_| method.has_secret()) else {
        return Err(CommandError::Refused(format!(
            "{client_id} has no secret to rotate: it authenticates by {}",
            method.as_str()
        )));
    };
    let secret = Secret::generate(SecretKind::ClientSecret)?;
    let new = secret.hash();
    let until = now.saturating_add(keep_old);
    if !clients::rotate_secret(db.connection(), client_id, &old, &new, until).await? {
        return Err(CommandError::Refused(format!(
            "somebody else has just rotated the secret of {client_id}; check before you rotate it \
             again"
        )));
    }
    Ok(secret)
}

async fn find(db: &Database, client_id: &str) -> Result<clients::Model, CommandError> {
    clients::find(db.connection(), client_id).await?.ok_or_else(|| {
        CommandError::Refused(format!(
            "there is no pre-registered client {client_id}; `auth clients list` shows all of them"
        ))
    })
}
