//! Which user of the provisioning system is in which group.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::StorageError;

/// Rows that one statement writes: SQLite takes at most 32,766 values.
const BATCH: usize = 500;

/// A membership.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scim_members")]
pub struct Model {
    /// The group.
    #[sea_orm(primary_key, auto_increment = false)]
    pub group_id: Uuid,
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
}

without_relations!();

/// The users in a group, in the order of their ids.
pub(crate) async fn of_group(
    db: &impl ConnectionTrait,
    group_id: Uuid,
) -> Result<Vec<Uuid>, StorageError> {
    let all = Entity::find().select_only().column(Column::UserId);
    let all = all.filter(Column::GroupId.eq(group_id)).order_by_asc(Column::UserId);
    all.into_tuple().all(db).await
}

/// The groups that a user is in, in the order of their ids.
pub(crate) async fn groups_of(
    db: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<Vec<Uuid>, StorageError> {
    let all = Entity::find().select_only().column(Column::GroupId);
    let all = all.filter(Column::UserId.eq(user_id)).order_by_asc(Column::GroupId);
    all.into_tuple().all(db).await
}

/// Puts users into a group. Who is in it already stays.
pub(crate) async fn add(
    db: &impl ConnectionTrait,
    group_id: Uuid,
    users: &[Uuid],
) -> Result<(), StorageError> {
    for batch in users.chunks(BATCH) {
        let rows = batch.iter().map(|user_id| Model { group_id, user_id: *user_id });
        let key = [Column::GroupId, Column::UserId];
        Entity::insert_many(rows.map(IntoActiveModel::into_active_model))
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Takes users out of a group.
pub(crate) async fn remove(
    db: &impl ConnectionTrait,
    group_id: Uuid,
    users: &[Uuid],
) -> Result<(), StorageError> {
    for batch in users.chunks(BATCH) {
        Entity::delete_many()
            .filter(Column::GroupId.eq(group_id))
            .filter(Column::UserId.is_in(batch.iter().copied()))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Takes all users out of a group.
pub(super) async fn forget_group(
    db: &impl ConnectionTrait,
    group_id: Uuid,
) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::GroupId.eq(group_id)).exec(db).await.map(|_| ())
}

/// Takes a user out of all groups.
pub(super) async fn forget_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(|_| ())
}
