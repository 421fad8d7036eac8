//! Running processes, and the master secrets that each of them can open with.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, entity::prelude::*, sea_query::OnConflict,
};
use uuid::Uuid;

use super::StorageError;

/// A running process.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replicas")]
pub struct Model {
    /// A new one at each start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The fingerprint of each line of its master secret file, in order, separated by spaces.
    pub secret_fingerprints: String,
    /// When it last stored a heartbeat.
    pub seen_at: i64,
}

without_relations!();

pub(crate) async fn beat(db: &impl ConnectionTrait, replica: Model) -> Result<(), StorageError> {
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
