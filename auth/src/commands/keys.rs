//! `auth keys`: the keys that sign tokens.

mod change;

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};
use keys::{Algorithm, SigningKey};
use net::clock::Clock;
use serde_json::json;

use super::{CommandError, Format, table};
use crate::{
    config::{DatabaseSetting, KeySetting, SecretSetting},
    key_ring::{KeyRingError, stored::StoredRing},
    storage::signing_keys,
};

/// What can be done with the signing keys. A running server takes a change over within seconds.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every signing key: its state, from when it signs, from when it is no longer published.
    List {
        /// The stored keys.
        #[command(flatten)]
        ring: RingSetting,
        /// How to answer.
        #[command(flatten)]
        format: Format,
    },
    /// Make the next key. It signs once every verifier has had the time to fetch it.
    Rotate {
        /// The stored keys.
        #[command(flatten)]
        ring: RingSetting,
        /// When and by what keys sign.
        #[command(flatten)]
        keys: KeySetting,
        /// What it signs with; AUTH_SIGNING_ALGORITHM if left out.
        #[arg(long)]
        algorithm: Option<Algorithm>,
        /// After a theft: the new key signs at once, and every other of its algorithm is withdrawn.
        /// Tokens that those signed are refused within seconds by whoever follows the deny list,
        /// and by every other verifier once it fetches the keys again, after AUTH_JWKS_MAX_AGE
        /// seconds at most; programs then refresh by themselves.
        #[arg(long)]
        emergency: bool,
    },
    /// Withdraw a key at once. Tokens that it signed are refused within seconds by whoever follows
    /// the deny list, and by every other verifier once it fetches the keys again.
    Retire {
        /// The stored keys.
        #[command(flatten)]
        ring: RingSetting,
        /// The key, as `auth keys list` names it.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Take a private key in as the next one: PKCS#8 in PEM, or a JWK.
    Import {
        /// The stored keys.
        #[command(flatten)]
        ring: RingSetting,
        /// When and by what keys sign.
        #[command(flatten)]
        keys: KeySetting,
        /// What a PEM file signs with; a JWK says it itself.
        #[arg(long)]
        algorithm: Option<Algorithm>,
        /// The file.
        file: PathBuf,
    },
}

/// Where the keys are kept, and what opens them.
#[derive(Clone, Debug, Args)]
pub struct RingSetting {
    #[command(flatten)]
    database: DatabaseSetting,
    #[command(flatten)]
    secret: SecretSetting,
}

impl Command {
    pub(super) async fn run(
        self,
        clock: Clock,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        let now = clock.now();
        match self {
            Self::List { ring, format } => list(&ring, now, format, stdout).await,
            Self::Rotate { ring, keys, algorithm, emergency } => {
                let algorithm = algorithm.unwrap_or(keys.signing_algorithm);
                let lead = (!emergency).then(|| keys.rotation(0).lead);
                let key = SigningKey::generate(algorithm).map_err(KeyRingError::from)?;
                let activates_at = change::enter(&ring, &key, lead, now).await?;
                Ok(writeln!(stdout, "{} signs from {activates_at} on.", key.kid())?)
            }
            Self::Retire { ring, kid } => {
                change::retire(&ring, &kid, now).await?;
                Ok(writeln!(stdout, "{kid} is no longer published.")?)
            }
            Self::Import { ring, keys, algorithm, file } => {
                let key = change::read_key(&file, algorithm)?;
                let lead = Some(keys.rotation(0).lead);
                let activates_at = change::enter(&ring, &key, lead, now).await?;
                Ok(writeln!(stdout, "{} signs from {activates_at} on.", key.kid())?)
            }
        }
    }
}

async fn list(
    ring: &RingSetting,
    now: i64,
    format: Format,
    stdout: &mut impl Write,
) -> Result<(), CommandError> {
    let db = ring.database.open().await?;
    let sealer = change::sealer(&ring.secret)?;
    let opened = StoredRing::read(db.connection(), &sealer).await?;
    let rows = signing_keys::all(db.connection()).await?;
    let state = |kid: &str| opened.keys.state(kid, now).map_or("retired", |state| state.as_str());
    if format.json {
        let keys: Vec<_> = rows.iter().map(|row| shown(row, state(&row.kid))).collect();
        return Ok(writeln!(stdout, "{}", serde_json::Value::from(keys))?);
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let retires = row.retires_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let state = state(&row.kid).to_owned();
            [row.kid.clone(), row.algorithm.clone(), state, row.activates_at.to_string(), retires]
        })
        .collect();
    Ok(table::write(stdout, ["KID", "ALGORITHM", "STATE", "ACTIVATES", "RETIRES"], &rows)?)
}

fn shown(key: &signing_keys::Model, state: &str) -> serde_json::Value {
    let mut shown = json!({
        "kid": key.kid,
        "alg": key.algorithm,
        "state": state,
        "activates_at": key.activates_at,
    });
    if let (Some(at), Some(members)) = (key.retires_at, shown.as_object_mut()) {
        members.insert("retires_at".into(), at.into());
    }
    shown
}
