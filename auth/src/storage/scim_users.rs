//! Users of the provisioning system, whether or not they have signed in here.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{StorageError, scim_members};
use crate::access::MatchingKeys;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scim_users")]
pub struct Model {
    /// The SCIM `id`; it grows with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `userName` in lower case, unique.
    #[sea_orm(unique)]
    pub user_name: String,
    /// `externalId`, as it was sent.
    pub external_id: Option<String>,
    /// What the upstream calls the person, once they were matched. It never changes.
    #[sea_orm(unique)]
    pub subject: Option<String>,
    /// Whether the person may use this server.
    pub active: bool,
    /// The attributes, as JSON.
    pub attributes: String,
    /// When it was created.
    pub created_at: i64,
    /// When it was changed.
    pub updated_at: i64,
}

without_relations!();

/// Which users [`list`] returns; what is `None` leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) id: Option<Uuid>,
    pub(crate) user_name: Option<String>,
    pub(crate) external_id: Option<String>,
}

/// Stores a user, unless the name is taken. Exactly one caller on any replica gets `true`.
pub(crate) async fn create(db: &impl ConnectionTrait, user: Model) -> Result<bool, StorageError> {
    let entered = Entity::insert(user.into_active_model())
        .on_conflict(OnConflict::column(Column::UserName).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(entered == 1)
}

/// Stores what has changed of a user.
pub(crate) async fn update(db: &impl ConnectionTrait, user: Model) -> Result<(), StorageError> {
    let user = user.into_active_model().reset_all();
    user.update(db).await.map(|_| ())
}

/// The user of an id, locked until the transaction ends.
pub(crate) async fn hold(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// The users of these ids, locked until the transaction ends.
pub(crate) async fn hold_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>, StorageError> {
    // Always in the same order, so that two transactions cannot deadlock.
    let all = Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id);
    all.lock_exclusive().all(db).await
}

/// The user of an id.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id).one(db).await
}

/// The user of a name, which must be in lower case.
pub(crate) async fn named(
    db: &impl ConnectionTrait,
    user_name: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find().filter(Column::UserName.eq(user_name)).one(db).await
}

/// The user who was matched with a person whom the upstream calls `subject`.
pub(crate) async fn of_subject(
    db: &impl ConnectionTrait,
    subject: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find().filter(Column::Subject.eq(subject)).one(db).await
}

/// The users with one of these keys who were not matched with anyone yet, two at most.
pub(crate) async fn unmatched(
    db: &impl ConnectionTrait,
    keys: &MatchingKeys,
) -> Result<Vec<Model>, StorageError> {
    let has_key = match keys {
        MatchingKeys::UserName(names) => Column::UserName.is_in(names),
        MatchingKeys::ExternalId(ids) => Column::ExternalId.is_in(ids),
    };
    let all = Entity::find().filter(has_key).filter(Column::Subject.is_null());
    all.order_by_asc(Column::Id).limit(2).all(db).await
}

/// Matches a user with a person, unless either was matched before. Exactly one caller on any replica
/// gets `true`.
pub(crate) async fn match_with(
    db: &impl ConnectionTrait,
    id: Uuid,
    subject: &str,
) -> Result<bool, StorageError> {
    if of_subject(db, subject).await?.is_some() {
        return Ok(false);
    }
    let matched = Entity::update_many()
        .col_expr(Column::Subject, Expr::value(subject))
        .filter(Column::Id.eq(id))
        .filter(Column::Subject.is_null())
        .exec(db)
        .await?;
    Ok(matched.rows_affected == 1)
}

/// How many users there are.
pub(crate) async fn count(db: &impl ConnectionTrait) -> Result<u64, StorageError> {
    Entity::find().count(db).await
}

/// One page of users, the oldest first, and how many there are on all pages.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<Model>, u64), StorageError> {
    let mut all = Entity::find();
    if let Some(id) = filter.id {
        all = all.filter(Column::Id.eq(id));
    }
    if let Some(name) = &filter.user_name {
        all = all.filter(Column::UserName.eq(name.to_lowercase()));
    }
    if let Some(id) = &filter.external_id {
        all = all.filter(Column::ExternalId.eq(id));
    }
    let total = all.clone().count(db).await?;
    let page = all.order_by_asc(Column::Id).offset(offset).limit(limit);
    Ok((page.all(db).await?, total))
}

/// Removes a user from all groups and altogether.
pub(crate) async fn forget(db: &impl ConnectionTrait, id: Uuid) -> Result<(), StorageError> {
    scim_members::forget_user(db, id).await?;
    Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
