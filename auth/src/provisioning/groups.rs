//! Creates, changes, lists and deletes groups of the provisioning system.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::{Act, MAX_GROUPS_OF_USER, project, provisioning, users};
use crate::{
    scim::{Group, Meta, ScimError},
    state::AppState,
    storage::{
        Connection, EventKind, Transaction,
        scim_groups::{self, Filter, Model as Row},
        scim_members, scim_users,
        security_events::{self, Model as Event},
        users::Model as Account,
    },
};

/// Groups that are kept.
const MAX_GROUPS: u64 = 1000;
/// Users that are read by one statement.
const BATCH: usize = 500;

/// Creates a group.
pub(crate) async fn create(act: Act<'_>, group: Group) -> Result<Value, ScimError> {
    let state = act.state;
    let now = state.clock.now();
    let row = Row {
        id: Uuid::now_v7(),
        name: group.display_name.to_lowercase(),
        external_id: group.external_id.clone(),
        display_name: group.display_name.clone(),
        created_at: now,
        updated_at: now,
    };
    let transaction = state.db.begin().await?;
    if scim_groups::count(&transaction).await? >= MAX_GROUPS {
        return Err(ScimError::full(format!(
            "This server keeps at most {MAX_GROUPS} groups. Send only those that matter here."
        )));
    }
    if !scim_groups::create(&transaction, row.clone()).await? {
        return Err(taken());
    }
    let none = BTreeSet::new();
    let change = Change { row: &row, before: &none, after: &group.members, is_renamed: false };
    let accounts = change.carry_out(&transaction, state).await?;
    let told = (EventKind::GroupProvisioned, change.summary());
    record(&transaction, act, &row, told).await?;
    transaction.commit().await?;
    act.enforce(&accounts).await?;
    Ok(resource(state, &row, group.members))
}

/// Changes a group by `edit`.
pub(crate) async fn change(
    act: Act<'_>,
    id: Uuid,
    edit: impl FnOnce(Group) -> Result<Group, ScimError>,
) -> Result<Value, ScimError> {
    let state = act.state;
    let transaction = state.db.begin().await?;
    let row = scim_groups::hold(&transaction, id).await?.ok_or_else(unknown)?;
    let before = members_of(&transaction, id).await?;
    act.check_version(&resource(state, &row, before.clone()))?;
    let group = edit(group(&row, before.clone()))?;
    let name = group.display_name.to_lowercase();
    let is_renamed = name != row.name;
    if is_renamed && scim_groups::named(&transaction, &name).await?.is_some() {
        return Err(taken());
    }
    let is_changed = group != self::group(&row, before.clone());
    let row = Row {
        name,
        external_id: group.external_id.clone(),
        display_name: group.display_name.clone(),
        updated_at: if is_changed { state.clock.now() } else { row.updated_at },
        ..row
    };
    if is_changed {
        scim_groups::update(&transaction, row.clone()).await?;
    }
    let change = Change { row: &row, before: &before, after: &group.members, is_renamed };
    let accounts = change.carry_out(&transaction, state).await?;
    if is_changed {
        let told = (EventKind::GroupChanged, change.summary());
        record(&transaction, act, &row, told).await?;
    }
    transaction.commit().await?;
    act.enforce(&accounts).await?;
    Ok(resource(state, &row, group.members))
}

/// Deletes a group.
pub(crate) async fn delete(act: Act<'_>, id: Uuid) -> Result<(), ScimError> {
    let state = act.state;
    let transaction = state.db.begin().await?;
    let row = scim_groups::hold(&transaction, id).await?.ok_or_else(unknown)?;
    let before = members_of(&transaction, id).await?;
    act.check_version(&resource(state, &row, before.clone()))?;
    let none = BTreeSet::new();
    let change = Change { row: &row, before: &before, after: &none, is_renamed: false };
    let accounts = change.carry_out(&transaction, state).await?;
    scim_groups::forget(&transaction, id).await?;
    record(&transaction, act, &row, (EventKind::GroupRemoved, change.summary())).await?;
    transaction.commit().await?;
    Ok(act.enforce(&accounts).await?)
}

/// The group of an id.
pub(crate) async fn show(state: &AppState, id: Uuid) -> Result<Value, ScimError> {
    let db = state.db.connection();
    let row = scim_groups::find(db, id).await?.ok_or_else(unknown)?;
    Ok(resource(state, &row, members_of(db, id).await?))
}

/// One page of groups, and how many there are on all pages.
pub(crate) async fn list(
    state: &AppState,
    filter: &Filter,
    (offset, limit): (u64, u64),
    has_members: bool,
) -> Result<(Vec<Value>, u64), ScimError> {
    let db = state.db.connection();
    let (rows, total) = scim_groups::list(db, filter, offset, limit).await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in &rows {
        let members = if has_members { members_of(db, row.id).await? } else { BTreeSet::new() };
        groups.push(resource(state, row, members));
    }
    Ok((groups, total))
}

/// What becomes of the members of a group.
struct Change<'a> {
    row: &'a Row,
    before: &'a BTreeSet<Uuid>,
    after: &'a BTreeSet<Uuid>,
    /// Whether the group counts under another name from now on.
    is_renamed: bool,
}

impl Change<'_> {
    /// Stores the memberships, and with the accounts of all whom that concerns which groups they are in.
    async fn carry_out(
        &self,
        transaction: &Transaction,
        state: &AppState,
    ) -> Result<Vec<Account>, ScimError> {
        let added: Vec<Uuid> = self.after.difference(self.before).copied().collect();
        let removed: Vec<Uuid> = self.before.difference(self.after).copied().collect();
        let mut concerned: BTreeSet<Uuid> = added.iter().chain(&removed).copied().collect();
        if self.is_renamed {
            concerned.extend(self.after);
        }
        let concerned: Vec<Uuid> = concerned.into_iter().collect();
        let mut rows = Vec::with_capacity(concerned.len());
        for batch in concerned.chunks(BATCH) {
            rows.extend(scim_users::hold_all(transaction, batch.iter().copied()).await?);
        }
        if let Some(absent) = added.iter().find(|id| !rows.iter().any(|row| row.id == **id)) {
            return Err(ScimError::value(format!("No user has the id {absent}.")));
        }
        scim_members::add(transaction, self.row.id, &added).await?;
        scim_members::remove(transaction, self.row.id, &removed).await?;
        for id in &added {
            if scim_members::groups_of(transaction, *id).await?.len() > MAX_GROUPS_OF_USER {
                return Err(ScimError::value(format!(
                    "The user {id} is in {MAX_GROUPS_OF_USER} groups already, which is the most. Send \
                     only groups that matter here."
                )));
            }
        }
        let mut accounts = Vec::new();
        for row in &rows {
            accounts.extend(project(transaction, provisioning(state)?, row).await?);
        }
        Ok(accounts)
    }

    fn summary(&self) -> String {
        let added = self.after.difference(self.before).count();
        let removed = self.before.difference(self.after).count();
        format!("{added} added, {removed} removed, {} members", self.after.len())
    }
}

async fn record(
    transaction: &Transaction,
    act: Act<'_>,
    row: &Row,
    (kind, summary): (EventKind, String),
) -> Result<(), ScimError> {
    let event = act.event(row.id, kind, &row.display_name);
    Ok(security_events::record(transaction, Event { rule: summary, ..event }).await?)
}

async fn members_of(db: &impl Connection, id: Uuid) -> Result<BTreeSet<Uuid>, ScimError> {
    Ok(scim_members::of_group(db, id).await?.into_iter().collect())
}

fn group(row: &Row, members: BTreeSet<Uuid>) -> Group {
    Group { display_name: row.display_name.clone(), external_id: row.external_id.clone(), members }
}

fn resource(state: &AppState, row: &Row, members: BTreeSet<Uuid>) -> Value {
    let meta = Meta {
        id: row.id,
        collection: format!("{}/scim/v2/Groups", state.config.issuer),
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    group(row, members).resource(&meta, &users::collection(state))
}

fn unknown() -> ScimError {
    ScimError::not_found("No group has this id.")
}

fn taken() -> ScimError {
    ScimError::taken("Another group has this displayName. Change that group, or delete it first.")
}
