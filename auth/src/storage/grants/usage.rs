//! Which clients people have used.

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use crate::storage::StorageError;

/// Times of rotations begin with the newest, and have as many digits until the year 2286.
const USAGE: &str = "SELECT client_id, MAX(client_name) AS client_name, \
    COUNT(DISTINCT CASE WHEN revoked_at IS NULL AND expires_at > $1 THEN user_id END) AS people, \
    COUNT(CASE WHEN revoked_at IS NULL AND expires_at > $1 THEN 1 END) AS live_grants, \
    MAX(rotations) AS latest_rotations, MAX(created_at) AS last_allowed_at \
    FROM grants GROUP BY client_id ORDER BY last_allowed_at DESC, client_id LIMIT $2";

/// A client that people have allowed something in the last months.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Usage {
    pub(crate) client_id: String,
    /// What it called itself.
    pub(crate) client_name: String,
    /// How many people have live grants.
    pub(crate) people: i64,
    pub(crate) live_grants: i64,
    latest_rotations: String,
    last_allowed_at: i64,
}

impl Usage {
    /// When tokens were last issued for it.
    pub(crate) fn last_used_at(&self) -> i64 {
        let newest = self.latest_rotations.split(' ').next().and_then(|at| at.parse().ok());
        newest.map_or(self.last_allowed_at, |at: i64| at.max(self.last_allowed_at))
    }
}

/// The clients that people have used, those that were allowed something last first.
pub(crate) async fn usage(
    db: &impl ConnectionTrait,
    now: i64,
    limit: u64,
) -> Result<Vec<Usage>, StorageError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [now.into(), limit.into()];
    let query = Statement::from_sql_and_values(db.get_database_backend(), USAGE, values);
    Usage::find_by_statement(query).all(db).await
}
