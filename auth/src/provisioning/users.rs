//! Creates, changes, lists and deletes users of the provisioning system.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::{Act, account_of, groups_of, project, provisioning, store};
use crate::{
    access::{Provisioning, facts::Facts},
    scim::{Members, Meta, ScimError, User},
    state::AppState,
    storage::{
        Connection, EventKind, StorageError, Transaction, identities,
        scim_users::{self, Filter, Model as Row},
        security_events::{self, Model as Event},
        users::{self, Model as Account},
    },
};

/// Users that are kept.
const MAX_USERS: u64 = 100_000;

/// Creates a user, who is matched with an account if there is one that fits.
pub(crate) async fn create(act: Act<'_>, user: User) -> Result<Value, ScimError> {
    let state = act.state;
    let now = state.clock.now();
    let mut row = Row {
        id: Uuid::now_v7(),
        user_name: user.user_name.to_lowercase(),
        external_id: user.external_id.clone(),
        subject: None,
        active: user.active,
        attributes: stored(&user),
        created_at: now,
        updated_at: now,
    };
    let transaction = state.db.begin().await?;
    if scim_users::count(&transaction).await? >= MAX_USERS {
        return Err(ScimError::full(format!(
            "This server keeps at most {MAX_USERS} users. Delete some that have left."
        )));
    }
    if !scim_users::create(&transaction, row.clone()).await? {
        return Err(taken());
    }
    row.subject = find_person(&transaction, provisioning(state)?, &row).await?;
    if let Some(subject) = &row.subject {
        scim_users::match_with(&transaction, row.id, subject).await?;
    }
    let account = project(&transaction, provisioning(state)?, &row).await?;
    record(&transaction, act, &row, account.as_ref(), (EventKind::Provisioned, &user)).await?;
    let resource = shown(&transaction, state, &row).await?;
    transaction.commit().await?;
    act.enforce(account.as_slice()).await?;
    Ok(resource)
}

/// What the upstream calls the one person with an account who is meant by a user.
async fn find_person(
    db: &impl Connection,
    provisioning: &Provisioning,
    row: &Row,
) -> Result<Option<String>, StorageError> {
    let mut fitting = BTreeSet::new();
    for text in [Some(&row.user_name), row.external_id.as_ref()].into_iter().flatten() {
        for account in users::mentioned(db, text).await? {
            fitting.extend(fitting_identities(db, provisioning, row, &account).await?);
        }
    }
    if let Some(id) = &row.external_id
        && let Some(account) = account_of(db, provisioning, id).await?
    {
        fitting.extend(fitting_identities(db, provisioning, row, &account).await?);
    }
    if fitting.len() > 1 {
        tracing::warn!(user = %row.id, "several people fit a provisioned user, who is matched with none yet");
        return Ok(None);
    }
    let Some(subject) = fitting.pop_first() else { return Ok(None) };
    Ok(scim_users::of_subject(db, &subject).await?.is_none().then_some(subject))
}

async fn fitting_identities(
    db: &impl Connection,
    provisioning: &Provisioning,
    row: &Row,
    account: &Account,
) -> Result<Vec<String>, StorageError> {
    let facts = account.facts().remove(&provisioning.upstream).unwrap_or_default();
    let identities = identities::of_user(db, account.id).await?;
    let own = identities.into_iter().filter(|it| it.provider == provisioning.upstream);
    let fits = own.filter(|it| {
        provisioning.keys(&it.subject, &facts).fit(&row.user_name, row.external_id.as_deref())
    });
    Ok(fits.map(|it| it.subject).collect())
}

/// Changes a user by `edit`. The person stays the same one, whatever their name becomes.
pub(crate) async fn change(
    act: Act<'_>,
    id: Uuid,
    edit: impl FnOnce(User) -> Result<User, ScimError>,
) -> Result<Value, ScimError> {
    let state = act.state;
    let transaction = state.db.begin().await?;
    let row = scim_users::hold(&transaction, id).await?.ok_or_else(unknown)?;
    let before = read(&row)?;
    act.check_version(&shown(&transaction, state, &row).await?)?;
    let user = edit(before.clone())?;
    let name = user.user_name.to_lowercase();
    if name != row.user_name && scim_users::named(&transaction, &name).await?.is_some() {
        return Err(taken());
    }
    let is_changed = user != before;
    let row = Row {
        user_name: name,
        external_id: user.external_id.clone(),
        active: user.active,
        attributes: stored(&user),
        updated_at: if is_changed { state.clock.now() } else { row.updated_at },
        ..row
    };
    if is_changed {
        scim_users::update(&transaction, row.clone()).await?;
    }
    let account = project(&transaction, provisioning(state)?, &row).await?;
    if is_changed {
        let kind = match (before.active, user.active) {
            (true, false) => EventKind::AccountDisabled,
            (false, true) => EventKind::AccountEnabled,
            _ => EventKind::ProvisioningChanged,
        };
        record(&transaction, act, &row, account.as_ref(), (kind, &user)).await?;
    }
    let resource = shown(&transaction, state, &row).await?;
    transaction.commit().await?;
    // Even if nothing has changed: an earlier request may have failed at this.
    act.enforce(account.as_slice()).await?;
    Ok(resource)
}

/// Deletes a user. Their account is kept out until the provisioning system creates them again.
pub(crate) async fn delete(act: Act<'_>, id: Uuid) -> Result<(), ScimError> {
    let state = act.state;
    let transaction = state.db.begin().await?;
    let row = scim_users::hold(&transaction, id).await?.ok_or_else(unknown)?;
    act.check_version(&shown(&transaction, state, &row).await?)?;
    let gone = Facts::provisioned(false, BTreeSet::new());
    let account = store(&transaction, provisioning(state)?, &row, gone).await?;
    scim_users::forget(&transaction, id).await?;
    let user = read(&row)?;
    record(&transaction, act, &row, account.as_ref(), (EventKind::Deprovisioned, &user)).await?;
    transaction.commit().await?;
    Ok(act.enforce(account.as_slice()).await?)
}

/// The user of an id.
pub(crate) async fn show(state: &AppState, id: Uuid) -> Result<Value, ScimError> {
    let db = state.db.connection();
    let row = scim_users::find(db, id).await?.ok_or_else(unknown)?;
    shown(db, state, &row).await
}

/// One page of users, and how many there are on all pages.
pub(crate) async fn list(
    state: &AppState,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<Value>, u64), ScimError> {
    let db = state.db.connection();
    let (rows, total) = scim_users::list(db, filter, offset, limit).await?;
    let mut users = Vec::with_capacity(rows.len());
    for row in &rows {
        users.push(shown(db, state, row).await?);
    }
    Ok((users, total))
}

/// Tells of a change under the person's account, or under the user's own id if they have none.
async fn record(
    transaction: &Transaction,
    act: Act<'_>,
    row: &Row,
    account: Option<&Account>,
    (kind, user): (EventKind, &User),
) -> Result<(), StorageError> {
    let id = account.map_or(row.id, |account| account.id);
    let state = if user.active { "active" } else { "not active" };
    let event = act.event(id, kind, &user.user_name);
    security_events::record(
        transaction,
        Event { rule: format!("user {}, {state}", row.id), ..event },
    )
    .await
}

async fn shown(db: &impl Connection, state: &AppState, row: &Row) -> Result<Value, ScimError> {
    let groups = groups_of(db, row.id).await?;
    let groups = groups.iter().map(|group| (group.id, group.display_name.as_str()));
    Ok(read(row)?.resource(&meta(state, row), groups))
}

fn meta(state: &AppState, row: &Row) -> Meta {
    Meta {
        id: row.id,
        collection: collection(state),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// The URL of all users.
pub(super) fn collection(state: &AppState) -> String {
    format!("{}/scim/v2/Users", state.config.issuer)
}

fn stored(user: &User) -> String {
    serde_json::to_string(user).unwrap_or_default()
}

fn read(row: &Row) -> Result<User, ScimError> {
    let members: Members = serde_json::from_str(&row.attributes)
        .map_err(|error| StorageError::Json(error.to_string()))?;
    User::parse(&members)
}

fn unknown() -> ScimError {
    ScimError::not_found("No user has this id.")
}

fn taken() -> ScimError {
    ScimError::taken("Another user has this userName. Change that user, or delete it first.")
}
