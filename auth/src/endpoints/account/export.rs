//! `GET /account/export`
//!
//! Everything this server knows of a person, as one JSON file (GDPR article 20).

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_DISPOSITION,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    error_response::{PageError, see_other},
    extract::{SignedIn, Visitor},
    state::AppState,
    storage::{EventKind, StorageError, consents, grants, identities, security_events, sessions},
};

/// The file. No secret is in it, nor a hash of one.
pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let Some(person) = signed_in else {
        return Ok(see_other("/sign-in?continue=/account"));
    };
    let everything = collect(&state, &person, &visitor).await?;
    let name = "attachment; filename=\"account.json\"";
    Ok(([(CONTENT_DISPOSITION, name)], Json(everything)).into_response())
}

async fn collect(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<Value, StorageError> {
    let db = state.db.connection();
    let now = state.clock.now();
    let user = person.user();
    let event = visitor.event(user.id, EventKind::DataExported, "", now);
    security_events::record(db, event).await?;
    let consents = consents::of_user(db, user.id).await?;
    let grants = grants::of_user(db, user.id, now).await?;
    let identities = identities::of_user(db, user.id).await?;
    let sessions = sessions::of_user(db, user.id, now).await?;
    let events = security_events::of_user(db, user.id, u64::from(u32::MAX)).await?;
    Ok(without_nulls(json!({
        "sub": user.id,
        "name": user.name,
        "preferred_username": user.preferred_username,
        "picture": user.picture,
        "email": user.email,
        "email_verified": user.email_verified,
        "facts": user.facts(),
        "created_at": date(user.created_at),
        "updated_at": date(user.updated_at),
        "identities": identities.iter().map(|one| json!({
            "provider": one.provider, "subject": one.subject, "since": date(one.created_at),
        })).collect::<Vec<_>>(),
        "connected_apps": grants.iter().map(|one| app(one, &consents)).collect::<Vec<_>>(),
        "sessions": sessions.iter().map(|one| json!({
            "device": one.device, "network": one.network,
            "signed_in_at": date(one.authenticated_at), "last_seen_at": date(one.last_seen_at),
        })).collect::<Vec<_>>(),
        "events": events.iter().map(|one| json!({
            "kind": one.kind, "subject": one.subject, "device": one.device,
            "network": one.network, "actor": one.actor, "rule": one.rule,
            "at": date(one.occurred_at),
        })).collect::<Vec<_>>(),
    })))
}

fn app(grant: &grants::Model, consents: &[consents::Model]) -> Value {
    let consent = consents.iter().find(|consent| consent.grant_id == grant.id);
    json!({
        "name": grant.client_name,
        "client_id": grant.client_id,
        "resource": grant.resource,
        "scope": grant.scope,
        "allowed_at": date(grant.created_at),
        "last_used_at": date(grant.last_used_at()),
        "device": consent.map(|consent| &consent.device),
        "network": consent.map(|consent| &consent.network),
    })
}

/// A time as people and programs read it; `None` for one that no calendar has.
fn date(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// What is not known is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
