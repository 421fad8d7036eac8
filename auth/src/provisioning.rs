//! Users and groups of the provisioning system: who of them signs in here, what that means for their
//! accounts, and how they are changed.

pub(crate) mod groups;
pub(crate) mod users;

use std::collections::BTreeSet;

use crate::{
    access::{MatchingKeys, Provisioning, SCIM, facts::Facts},
    extract::Visitor,
    recheck,
    scim::{ScimError, etag},
    state::AppState,
    storage::{
        Begin, Connection, EventKind, StorageError, Transaction, identities, scim_groups,
        scim_members,
        scim_users::{self, Model as Row},
        security_events::Model as Event,
        users::Model as Account,
    },
};

/// Who changes users and groups, as the audit names it.
const ACTOR: &str = "scim";
/// Groups that one user can be in: their names are kept with the account.
const MAX_GROUPS_OF_USER: usize = 100;

/// What a request of the provisioning system comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    pub(crate) state: &'a AppState,
    pub(crate) visitor: &'a Visitor,
    /// The entity tags of `If-Match`; without any, every version may be changed.
    pub(crate) if_match: Option<&'a str>,
}

impl Act<'_> {
    /// The event that tells of the request.
    fn event(&self, id: uuid::Uuid, kind: EventKind, subject: &str) -> Event {
        let event = self.visitor.event(id, kind, subject, self.state.clock.now());
        Event { actor: ACTOR.into(), ..event }
    }

    /// Refuses to change a resource that is not what the request expects (RFC 7644 §3.14).
    fn check_version(&self, resource: &serde_json::Value) -> Result<(), ScimError> {
        let version = etag(resource);
        let is_meant = self.if_match.is_none_or(|tags| has_tag(tags, &version));
        if is_meant { Ok(()) } else { Err(ScimError::changed()) }
    }

    /// Ends what people have who may not come in any more.
    async fn enforce(&self, accounts: &[Account]) -> Result<(), StorageError> {
        for account in accounts {
            recheck::enforce(self.state, account).await?;
        }
        Ok(())
    }
}

/// Whether a header of entity tags names this one. All of them are weak.
pub(crate) fn has_tag(tags: &str, version: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    tags.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == opaque(version))
}

/// What the provisioning system says of a person who signs in and has no account yet, perhaps.
pub(crate) async fn preview(
    state: &AppState,
    upstream: &str,
    subject: &str,
    facts: &Facts,
) -> Result<Option<Facts>, StorageError> {
    let Some(provisioning) = of_upstream(state, upstream) else { return Ok(None) };
    let db = state.db.connection();
    match find(db, &provisioning.keys(subject, facts), subject).await? {
        Some(row) => Ok(Some(said_of(db, &row).await?)),
        None => Ok(None),
    }
}

/// Matches a person who has just signed in with a user, and stores what is said of that user.
pub(crate) async fn settle(
    state: &AppState,
    account: Account,
    upstream: &str,
    subject: &str,
) -> Result<Account, StorageError> {
    let Some(provisioning) = of_upstream(state, upstream) else { return Ok(account) };
    let facts = account.facts().remove(upstream).unwrap_or_default();
    let transaction = state.db.begin().await?;
    let Some(row) = find(&transaction, &provisioning.keys(subject, &facts), subject).await? else {
        transaction.rollback().await?;
        return Ok(account);
    };
    // Locked, so that a change of the user or their groups comes before or after all of this.
    let Some(mut row) = scim_users::hold(&transaction, row.id).await? else {
        transaction.rollback().await?;
        return Ok(account);
    };
    if row.subject.is_none() && scim_users::match_with(&transaction, row.id, subject).await? {
        row.subject = Some(subject.to_owned());
        tracing::info!(person = %account.id, user = %row.id, "matched with a provisioned user");
    }
    let is_theirs = row.subject.as_deref() == Some(subject);
    let settled = if is_theirs { project(&transaction, provisioning, &row).await? } else { None };
    transaction.commit().await?;
    Ok(settled.unwrap_or(account))
}

fn of_upstream<'a>(state: &'a AppState, upstream: &str) -> Option<&'a Provisioning> {
    state.access.provisioning.as_ref().filter(|it| it.upstream == upstream)
}

/// The user of a person: the one they were matched with, else the only one with what is proven of them.
async fn find(
    db: &impl Connection,
    keys: &MatchingKeys,
    subject: &str,
) -> Result<Option<Row>, StorageError> {
    if let Some(row) = scim_users::of_subject(db, subject).await? {
        return Ok(Some(row));
    }
    let mut rows = scim_users::unmatched(db, keys).await?;
    if rows.len() > 1 {
        tracing::warn!(?keys, "several provisioned users fit one person, who is matched with none");
        return Ok(None);
    }
    Ok(rows.pop())
}

/// Stores with the account what is said of a user who has signed in, and returns the account.
async fn project(
    transaction: &Transaction,
    provisioning: &Provisioning,
    row: &Row,
) -> Result<Option<Account>, StorageError> {
    let said = said_of(transaction, row).await?;
    store(transaction, provisioning, row, said).await
}

async fn store(
    db: &(impl Connection + Begin),
    provisioning: &Provisioning,
    row: &Row,
    said: Facts,
) -> Result<Option<Account>, StorageError> {
    let Some(subject) = &row.subject else { return Ok(None) };
    let Some(account) = account_of(db, provisioning, subject).await? else { return Ok(None) };
    if account.facts().get(SCIM) == Some(&said) {
        return Ok(Some(account));
    }
    crate::storage::users::set_facts(db, account, SCIM, Some(said)).await.map(Some)
}

/// The account of a person whom the upstream calls `subject`.
async fn account_of(
    db: &impl Connection,
    provisioning: &Provisioning,
    subject: &str,
) -> Result<Option<Account>, StorageError> {
    match identities::find(db, &provisioning.upstream, subject).await? {
        Some(identity) => crate::storage::users::find(db, identity.user_id).await,
        None => Ok(None),
    }
}

/// What is said of a user: whether they are active, and the names of their groups.
async fn said_of(db: &impl Connection, row: &Row) -> Result<Facts, StorageError> {
    let groups = groups_of(db, row.id).await?;
    let names: BTreeSet<String> = groups.into_iter().map(|group| group.name).collect();
    Ok(Facts::provisioned(row.active, names))
}

async fn groups_of(
    db: &impl Connection,
    user: uuid::Uuid,
) -> Result<Vec<scim_groups::Model>, StorageError> {
    scim_groups::all_of(db, scim_members::groups_of(db, user).await?).await
}

/// The policy's view of the provisioning system. These rooms are only entered where there is one.
fn provisioning(state: &AppState) -> Result<&Provisioning, ScimError> {
    state.access.provisioning.as_ref().ok_or_else(|| ScimError::not_found("SCIM is off."))
}
