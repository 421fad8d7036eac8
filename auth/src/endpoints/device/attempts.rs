//! How often codes may be typed: by one person, from one address, and wrong ones by everybody
//! together. With codes of ten minutes, nobody guesses one (RFC 8628 §5.1).

use crate::{
    extract::{SignedIn, Visitor},
    state::AppState,
    storage::{
        StorageError,
        attempts::{self, Allowance, Key},
    },
};

const OF_A_PERSON: Allowance = Allowance { most: 10, span: 600 };
/// People of one office or one provider share an address.
const FROM_AN_ADDRESS: Allowance = Allowance { most: 100, span: 600 };
const WRONG_ONES: Allowance = Allowance { most: 600, span: 600 };
const EVERYBODY: Key<'static> = ("device_wrong", "");

/// Counts an attempt. Returns the seconds to wait if there were too many.
pub(super) async fn count(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<Option<i64>, StorageError> {
    let db = state.db.connection();
    let now = state.clock.now();
    let person = person.user().id.to_string();
    let address = visitor.address.map(|_| visitor.limited_address());
    if let Some(wait) = attempts::wait(db, EVERYBODY, WRONG_ONES, now).await? {
        return Ok(Some(wait));
    }
    let own = attempts::count(db, ("device_person", &person), OF_A_PERSON, now).await?;
    match (own, &address) {
        (None, Some(address)) => {
            attempts::count(db, ("device_address", address), FROM_AN_ADDRESS, now).await
        }
        (own, _) => Ok(own),
    }
}

/// Counts a code that no device waits for.
pub(super) async fn count_wrong(state: &AppState) -> Result<(), StorageError> {
    let db = state.db.connection();
    let now = state.clock.now();
    attempts::count(db, EVERYBODY, WRONG_ONES, now).await.map(|_| ())
}
