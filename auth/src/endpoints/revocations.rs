//! `GET /revocations`
//!
//! The deny list: what was revoked while tokens of it may not have expired. Resource servers follow
//! it, so that a revocation takes effect before the token expires. No standard defines it; the
//! metadata names it as `revocations_endpoint`. It holds random identifiers and key ids, and nothing
//! else.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
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

/// A revoked token, or all tokens of a grant or of a key.
#[derive(Debug, Serialize)]
struct Entry {
    /// The token's `jti`, or the grant that stands in it before the first dot, or `kid:` and the
    /// `kid` of a signing key that was withdrawn.
    id: String,
    /// Until when the entry must be obeyed, in seconds since 1970: then no such token is left, or
    /// nobody holds the key.
    until: i64,
}

/// The whole list; with `after`, what came later; `304` for a reader that knows the latest.
pub(crate) async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, JsonError> {
    let known = known_version(query.as_deref().unwrap_or_default())?;
    let latest = revocations::latest(state.db.connection()).await?;
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == &entity_tag(latest));
    let (version, mut response) = if is_known {
        (latest, StatusCode::NOT_MODIFIED.into_response())
    } else {
        let list = list(&state, known, latest).await?;
        (list.version, Json(list).into_response())
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&entity_tag(version)) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A reader that knows more than there is has seen another database, and gets the whole list.
async fn list(state: &AppState, known: i64, latest: i64) -> Result<DenyList, StorageError> {
    let known = if known > latest { 0 } else { known };
    let lifetime = state.longest_token().saturating_add(MARGIN);
    let now = state.clock.now();
    let since = now.saturating_sub(lifetime);
    let keys_since = now.saturating_sub(KEY_LIFETIME);
    let db = state.db.connection();
    let rows = revocations::after(db, known, since, keys_since, PAGE).await?;
    let last = rows.last().map_or(known, |row| row.version);
    let is_all = u64::try_from(rows.len()).is_ok_and(|count| count < PAGE);
    let entry = |row: revocations::Model| {
        let lifetime = if row.is_key() { KEY_LIFETIME } else { lifetime };
        Entry { until: row.revoked_at.saturating_add(lifetime), id: row.id }
    };
    Ok(DenyList {
        version: if is_all { last.max(latest) } else { last },
        revoked: rows.into_iter().map(entry).collect(),
    })
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

fn entity_tag(version: i64) -> String {
    format!("\"{version}\"")
}
