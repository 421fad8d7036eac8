//! Which processes serve, and which master secrets each of them can open with.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, entity::prelude::*, sea_query::OnConflict,
};
use uuid::Uuid;

use super::StorageError;

/// A process that serves.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replicas")]
pub struct Model {
    /// Chosen at each start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The fingerprint of each line of its master secret file, in order, separated by spaces.
    pub secret_fingerprints: String,
    /// Its latest heartbeat.
    pub seen_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Stores a heartbeat.
pub async fn beat(db: &impl ConnectionTrait, replica: Model) -> Result<(), StorageError> {
    let again = OnConflict::column(Column::Id).update_column(Column::SeenAt).to_owned();
    Entity::insert(replica.into_active_model())
        .on_conflict(again)
        .exec_without_returning(db)
        .await
        .map(|_| ())
}

/// The replicas with a heartbeat later than `since`.
pub async fn live(db: &impl ConnectionTrait, since: i64) -> Result<Vec<Model>, StorageError> {
    Entity::find().filter(Column::SeenAt.gt(since)).all(db).await
}
