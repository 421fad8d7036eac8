//! What is done to a whole account: it is disabled, enabled, signed out everywhere or erased. Each is one
//! transaction, with the event that tells of it.

use super::{
    Database, StorageError, consents, grants, identities, revocations, security_events,
    security_events::Model as Event, sessions, users,
};

/// How much was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) sessions: u64,
    pub(crate) grants: u64,
}

/// Signs a user out everywhere. Verifiers read in the deny list that the grants have ended.
pub(crate) async fn sign_out(db: &Database, event: Event) -> Result<Ended, StorageError> {
    end(db, event, Leaving::ForNow).await
}

/// Ends what a user has whom the policy keeps out. If that is neither a session nor a grant, there is
/// nothing to tell; only tokens without a grant are ended then, if they `may_hold` some.
pub(crate) async fn shut_out(
    db: &Database,
    event: Event,
    may_hold: bool,
) -> Result<Option<Ended>, StorageError> {
    let (id, now) = (event.user_id, event.occurred_at);
    let sessions = sessions::of_user(db.connection(), id, now).await?;
    if !sessions.is_empty() || !grants::of_user(db.connection(), id, now).await?.is_empty() {
        return end(db, event, Leaving::KeptOut).await.map(Some);
    }
    if may_hold {
        let transaction = db.begin().await?;
        revocations::enter(&transaction, &[revocations::subject(id)], now).await?;
        transaction.commit().await?;
    }
    Ok(None)
}

/// Keeps a user out until [`enable`], and signs them out everywhere.
pub(crate) async fn disable(db: &Database, event: Event) -> Result<Ended, StorageError> {
    end(db, event, Leaving::Disabled).await
}

/// How long a user is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// They may come back at once, so tokens that are issued then must be good.
    ForNow,
    KeptOut,
    Disabled,
}

async fn end(db: &Database, event: Event, leaving: Leaving) -> Result<Ended, StorageError> {
    let id = event.user_id;
    let now = event.occurred_at;
    let transaction = db.begin().await?;
    if leaving == Leaving::Disabled {
        users::set_disabled(&transaction, id, Some(now)).await?;
    }
    let sessions = sessions::close_all_of_user(&transaction, id).await?;
    security_events::record(&transaction, event).await?;
    // The revocation goes last: it holds a lock that all who revoke wait for.
    let grants = if leaving == Leaving::ForNow {
        grants::revoke_of_user(&transaction, id, now).await?
    } else {
        grants::revoke_of_leaver(&transaction, id, now).await?
    };
    transaction.commit().await?;
    Ok(Ended { sessions, grants })
}

/// Lets a disabled user sign in again.
pub(crate) async fn enable(db: &Database, event: Event) -> Result<(), StorageError> {
    let transaction = db.begin().await?;
    users::set_disabled(&transaction, event.user_id, None).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await
}

/// Erases a user, all or nothing. Ended grants stay, so that their tokens stay refused; they name no
/// person any more. If `is_told`, the event stays too.
pub(crate) async fn erase(
    db: &Database,
    event: Event,
    is_told: bool,
) -> Result<Ended, StorageError> {
    let id = event.user_id;
    let now = event.occurred_at;
    let transaction = db.begin().await?;
    let sessions = sessions::close_all_of_user(&transaction, id).await?;
    consents::forget_user(&transaction, id).await?;
    security_events::forget_user(&transaction, id).await?;
    identities::forget_user(&transaction, id).await?;
    users::forget(&transaction, id).await?;
    if is_told {
        security_events::record(&transaction, event).await?;
    }
    let grants = grants::revoke_of_leaver(&transaction, id, now).await?;
    transaction.commit().await?;
    Ok(Ended { sessions, grants })
}
