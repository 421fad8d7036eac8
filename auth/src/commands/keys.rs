//! `auth keys`: the keys that sign tokens.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::{CommandError, Format, table};
use crate::{
    config::DatabaseSetting,
    storage::{Database, signing_keys},
};

/// What can be done with the signing keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every signing key: from when it signs, and from when it is no longer published.
    List {
        /// Where everything is kept.
        #[command(flatten)]
        database: DatabaseSetting,
        /// How to answer.
        #[command(flatten)]
        format: Format,
    },
}

impl Command {
    pub(super) async fn run(self, stdout: &mut impl Write) -> Result<(), CommandError> {
        match self {
            Self::List { database, format } => {
                let db = Database::open(&database.url).await?;
                let keys = signing_keys::all(db.connection()).await?;
                list(&keys, format, stdout)
            }
        }
    }
}

fn list(
    keys: &[signing_keys::Model],
    format: Format,
    stdout: &mut impl Write,
) -> Result<(), CommandError> {
    if format.json {
        let keys: Vec<_> = keys.iter().map(shown).collect();
        return Ok(writeln!(stdout, "{}", serde_json::Value::from(keys))?);
    }
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let retires = key.retires_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            [key.kid.clone(), key.algorithm.clone(), key.activates_at.to_string(), retires]
        })
        .collect();
    Ok(table::write(stdout, ["KID", "ALGORITHM", "ACTIVATES", "RETIRES"], &rows)?)
}

fn shown(key: &signing_keys::Model) -> serde_json::Value {
    let mut shown = json!({
        "kid": key.kid,
        "alg": key.algorithm,
        "activates_at": key.activates_at,
    });
    if let (Some(at), Some(members)) = (key.retires_at, shown.as_object_mut()) {
        members.insert("retires_at".into(), at.into());
    }
    shown
}
