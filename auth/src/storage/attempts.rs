//! Rate limits that all replicas share (GCRA, the generic cell rate algorithm). Each key has one
//! number, the time when its allowance is whole again, and an attempt is one conditional statement.

use sea_orm::{
    ConnectionTrait, IntoActiveModel,
    entity::prelude::*,
    sea_query::{CaseStatement, Expr, ExprTrait, OnConflict},
};

use super::StorageError;
use crate::oauth::secret;

/// A key with recent attempts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts")]
pub struct Model {
    /// Hash of what is tried, and by whom.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    /// When the allowance is whole again.
    pub whole_again_at: i64,
}

without_relations!();

/// A number of attempts at once, and as many again in each span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Attempts.
    pub most: i64,
    /// In seconds.
    pub span: i64,
}

impl Allowance {
    /// Seconds until one more attempt.
    fn interval(self) -> i64 {
        Ord::max(self.span / Ord::max(self.most, 1), 1)
    }
}

/// What is tried, and by whom.
pub(crate) type Key<'a> = (&'static str, &'a str);

/// Counts an attempt. Returns `None` if it is allowed, else the seconds to wait. A refused attempt costs
/// nothing.
pub async fn count(
    db: &impl ConnectionTrait,
    key: Key<'_>,
    allowance: Allowance,
    now: i64,
) -> Result<Option<i64>, StorageError> {
    let known = || Expr::col((Entity, Column::WholeAgainAt));
    let later = CaseStatement::new().case(known().gt(now), known()).finally(now);
    let one_more = OnConflict::column(Column::KeyHash)
        .value(Column::WholeAgainAt, Expr::expr(later).add(allowance.interval()))
        .action_and_where(known().lte(now + allowance.span - allowance.interval()))
        .to_owned();
    let first = Model { key_hash: hash(key), whole_again_at: now + allowance.interval() };
    let counted = Entity::insert(first.into_active_model())
        .on_conflict(one_more)
        .exec_without_returning(db)
        .await?;
    if counted == 1 {
        return Ok(None);
    }
    Ok(wait(db, key, allowance, now).await?.or(Some(1)))
}

/// Seconds until an attempt would be allowed; `None` if it would be now. Counts nothing.
pub(crate) async fn wait(
    db: &impl ConnectionTrait,
    key: Key<'_>,
    allowance: Allowance,
    now: i64,
) -> Result<Option<i64>, StorageError> {
    let row = Entity::find_by_id(hash(key)).one(db).await?;
    let wait = row.map(|row| row.whole_again_at + allowance.interval() - allowance.span - now);
    Ok(wait.filter(|seconds| *seconds > 0))
}

fn hash((purpose, key): Key<'_>) -> String {
    // No purpose holds a zero byte, so no two pairs make the same text.
    secret::hash(&format!("{purpose}\0{key}"))
}
