//! How often somebody may try something, counted for all replicas: a token bucket without the
//! bucket (GCRA). Each key has one number, the time at which its allowance is whole again, and an
//! attempt is one conditional statement.

use sea_orm::{
    ConnectionTrait, IntoActiveModel,
    entity::prelude::*,
    sea_query::{CaseStatement, Expr, ExprTrait, OnConflict},
};

use super::StorageError;
use crate::oauth::secret;

/// Somebody who has tried lately.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts")]
pub struct Model {
    /// Hash of what is tried and by whom.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    /// From when it is as if nothing had been tried.
    pub whole_again_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// So many attempts at once, and as many again in each span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many.
    pub most: i64,
    /// Seconds.
    pub span: i64,
}

impl Allowance {
    /// Seconds until one more attempt.
    fn interval(self) -> i64 {
        Ord::max(self.span / Ord::max(self.most, 1), 1)
    }
}

/// What is tried, and by whom.
pub type Key<'a> = (&'static str, &'a str);

/// Counts an attempt at `now`: `None` where it is allowed, else the seconds to wait. A refused
/// attempt costs nothing.
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
    match counted {
        1 => Ok(None),
        _ => Ok(wait(db, key, allowance, now).await?.or(Some(1))),
    }
}

/// Seconds until an attempt would be allowed; `None` if that is now. Nothing is counted.
pub async fn wait(
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
