//! `GET /revocations`
//!
//! The deny list: what was revoked while tokens of it may not have expired. Resource servers follow
//! it, so that a revocation takes effect before the token expires. No standard defines it; the
//! metadata names it as `revocations_endpoint`. It holds random identifiers, hashes and key ids, and
//! nothing else.

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde::Serialize;

use crate::{
    documents::{self, Document},
    error_response::JsonError,
    oauth::{error::OAuthError, parameters::Parameters},
    state::AppState,
    storage::{StorageError, revocations},
};

/// Most entries of one answer; the next question, with `after`, gets the rest.
const PAGE: u64 = 5_000;
/// Seconds that an entry stays beyond the longest token life: for clocks that differ, and for a
/// token that was signed while its grant was being revoked.
const MARGIN: i64 = 60;
/// Seconds that a withdrawn key stays listed. A thief can sign any claims with it, so it must be here
/// until no verifier holds it. A verifier may keep the key set for a day, and for another through an
/// outage.
const KEY_LIFETIME: i64 = 2 * 86_400 + MARGIN;

/// The list, or what was added to it.
#[derive(Debug, Serialize)]
struct DenyList {
    /// The number of the last entry that the reader now knows; the next question's `after`.
    version: i64,
    revoked: Vec<Entry>,
}

/// A revoked token, or all tokens of a grant, a key, a person or a client.
#[derive(Debug, Serialize)]
struct Entry {
    /// The token's `jti`, or the grant that stands in it before the first dot, or `kid:` and the
    /// `kid` of a signing key that was withdrawn, or `sub:` and a person who was shut out, or `client:` and
    /// the SHA-256 in base64url of a `client_id` that was blocked.
    id: String,
    /// Until when the entry must be obeyed, in seconds since 1970: then no such token is left, or
    /// nobody holds the key.
    until: i64,
    /// For a user or client: from when on tokens are good again, by their `iat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<i64>,
}

/// The whole list; with `after`, later entries only; `304` for a reader that has the latest. Every
/// verifier asks once a second, and nearly always has it.
pub(crate) async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, JsonError> {
    let known = known_version(query.as_deref().unwrap_or_default())?;
    let now = state.clock.now();
    let latest = &state.documents.latest_revocation;
    let (latest, unchanged) = latest.get(now, latest_revocation(&state)).await?;
    // A reader that is ahead of this database has read another one, and gets the whole list.
    let known = if known > latest { 0 } else { known };
    if known == latest || unchanged.is_known(&headers) {
        return Ok(unchanged.respond(&headers));
    }
    let document = if known == 0 {
        let whole = list(&state, 0, latest, now);
        state.documents.deny_list.get(now, whole).await?
    } else {
        list(&state, known, latest, now).await?
    };
    Ok(document.respond(&headers))
}

/// The number of the latest revocation, and the response to a reader that has it.
async fn latest_revocation(state: &AppState) -> Result<(i64, Document), StorageError> {
    let version = revocations::latest(state.db.connection()).await?;
    Ok((version, document(&DenyList { version, revoked: Vec::new() })))
}

/// The entries after number `known`.
async fn list(
    state: &AppState,
    known: i64,
    latest: i64,
    now: i64,
) -> Result<Document, StorageError> {
    let lifetime = state.longest_token().saturating_add(MARGIN);
    let since = now.saturating_sub(lifetime);
    let keys_since = now.saturating_sub(KEY_LIFETIME);
    let db = state.db.connection();
    let rows = revocations::after(db, known, since, keys_since, PAGE).await?;
    let last = rows.last().map_or(known, |row| row.version);
    let is_all = u64::try_from(rows.len()).is_ok_and(|count| count < PAGE);
    let entry = |row: revocations::Model| {
        let lifetime = if row.is_key() { KEY_LIFETIME } else { lifetime };
        let before = row.before();
        Entry { until: row.revoked_at.saturating_add(lifetime), before, id: row.id }
    };
    Ok(document(&DenyList {
        version: if is_all { last.max(latest) } else { last },
        revoked: rows.into_iter().map(entry).collect(),
    }))
}

fn document(list: &DenyList) -> Document {
    documents::json_tagged(list, &list.version.to_string()).cached("no-cache")
}

fn known_version(query: &str) -> Result<i64, OAuthError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    let after = parameters.optional("after")?.unwrap_or("0");
    after.parse().ok().filter(|after| *after >= 0).ok_or_else(|| {
        OAuthError::invalid_request(
            "after_malformed",
            "The parameter after must be the version of an earlier answer.",
        )
    })
}
