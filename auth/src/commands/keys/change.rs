//! Changes of the stored ring, each in one transaction under the ring's lock.

use std::path::Path;

use keys::{Algorithm, KeyState, Sealer, SigningKey};

use super::RingSetting;
use crate::{
    commands::CommandError,
    config::{SecretSetting, secret_file},
    key_ring::stored::{self, StoredRing},
    seals::Seals,
    storage::{Connection, StorageError, revocations, signing_keys},
};

/// What opens the private keys.
pub(super) fn sealer(secret: &SecretSetting) -> Result<Sealer, CommandError> {
    let secrets =
        secret.master_secrets().map_err(|error| CommandError::Refused(error.to_string()))?;
    Ok(Seals::new(&secrets).signing_key)
}

/// Reads a private key in either form.
pub(super) fn read_key(
    file: &Path,
    algorithm: Option<Algorithm>,
) -> Result<SigningKey, CommandError> {
    let unusable =
        |why: String| CommandError::Refused(format!("{} is not usable: {why}", file.display()));
    let text = secret_file::read(file).map_err(|error| unusable(error.to_string()))?;
    let key = if text.trim_start().starts_with('{') {
        SigningKey::from_json(text.as_bytes())
    } else {
        SigningKey::from_pem(algorithm.unwrap_or_default(), text.as_bytes())
    };
    key.map_err(|error| unusable(error.to_string()))
}

/// Withdraws a key, unless nothing could be signed without it: it is published no longer, and the
/// deny list tells those who hold it already.
pub(super) async fn retire(ring: &RingSetting, kid: &str, now: i64) -> Result<(), CommandError> {
    let db = ring.database.open().await?;
    let transaction = db.begin().await?;
    stored::lock(&transaction).await?;
    let stored = StoredRing::read(&transaction, &sealer(&ring.secret)?).await?;
    match stored.keys.state(kid, now) {
        None => Err(CommandError::Refused(format!(
            "there is no key {kid}; `auth keys list` names them"
        ))),
        Some(KeyState::Current) => Err(CommandError::Refused(format!(
            "the key {kid} signs now; run `auth keys rotate --emergency`, which replaces it at once"
        ))),
        Some(_) => {
            withdraw(&transaction, vec![kid.to_owned()], now).await?;
            Ok(transaction.commit().await?)
        }
    }
}

/// Takes a key in, which signs after `lead` seconds; without `lead`, at once and alone. Returns when it
/// signs.
pub(super) async fn enter(
    ring: &RingSetting,
    key: &SigningKey,
    lead: Option<i64>,
    now: i64,
) -> Result<i64, CommandError> {
    let sealer = sealer(&ring.secret)?;
    let db = ring.database.open().await?;
    let transaction = db.begin().await?;
    stored::lock(&transaction).await?;
    // Opens every key, so that keys under two different master secrets never mix.
    let stored = StoredRing::read(&transaction, &sealer).await?;
    if stored.keys.state(key.kid(), now).is_some() {
        return Err(CommandError::Refused(format!("the key {} is known already", key.kid())));
    }
    if revocations::is_listed(&transaction, &revocations::key(key.kid())).await? {
        return Err(CommandError::Refused(format!(
            "the key {} was withdrawn; make a new one",
            key.kid()
        )));
    }
    let activates_at = now.saturating_add(lead.unwrap_or_default());
    stored::add(&transaction, (&stored, &sealer), key, activates_at).await?;
    if lead.is_none() {
        withdraw(&transaction, stored.keys.kids(key.algorithm()), now).await?;
    }
    transaction.commit().await?;
    Ok(activates_at)
}

/// Takes keys from those who sign and, by the deny list, from those who verify.
async fn withdraw(
    transaction: &impl Connection,
    kids: Vec<String>,
    now: i64,
) -> Result<(), StorageError> {
    for kid in &kids {
        signing_keys::retire(transaction, kid, now).await?;
    }
    let entries: Vec<String> = kids.iter().map(|kid| revocations::key(kid)).collect();
    revocations::enter(transaction, &entries, now).await
}
