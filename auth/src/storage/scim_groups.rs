//! Groups of the provisioning system.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{StorageError, scim_members};

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scim_groups")]
pub struct Model {
    /// The SCIM `id`; it grows with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `displayName` in lower case, unique: rules name groups by it.
    #[sea_orm(unique)]
    pub name: String,
    /// `externalId`, as it was sent.
    pub external_id: Option<String>,
    /// `displayName`, as it was sent.
    pub display_name: String,
    /// When it was created.
    pub created_at: i64,
    /// When it was changed.
    pub updated_at: i64,
}

without_relations!();

/// Which groups [`list`] returns; what is `None` leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) id: Option<Uuid>,
    pub(crate) display_name: Option<String>,
    pub(crate) external_id: Option<String>,
    /// A user who must be in the group.
    pub(crate) member: Option<Uuid>,
}

/// Stores a group, unless the name is taken. Exactly one caller on any replica gets `true`.
pub(crate) async fn create(db: &impl ConnectionTrait, group: Model) -> Result<bool, StorageError> {
    let entered = Entity::insert(group.into_active_model())
        .on_conflict(OnConflict::column(Column::Name).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(entered == 1)
}

/// Stores what has changed of a group.
pub(crate) async fn update(db: &impl ConnectionTrait, group: Model) -> Result<(), StorageError> {
    let group = group.into_active_model().reset_all();
    group.update(db).await.map(|_| ())
}

/// The group of an id, locked until the transaction ends.
pub(crate) async fn hold(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// The group of an id.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id).one(db).await
}

/// The group of a name, which must be in lower case.
pub(crate) async fn named(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find().filter(Column::Name.eq(name)).one(db).await
}

/// The groups of these ids.
pub(crate) async fn all_of(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>, StorageError> {
    Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).all(db).await
}

/// How many groups there are.
pub(crate) async fn count(db: &impl ConnectionTrait) -> Result<u64, StorageError> {
    Entity::find().count(db).await
}

/// One page of groups, the oldest first, and how many there are on all pages.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<Model>, u64), StorageError> {
    let mut all = Entity::find();
    if let Some(member) = filter.member {
        let groups = scim_members::groups_of(db, member).await?;
        all = all.filter(Column::Id.is_in(groups));
    }
    if let Some(id) = filter.id {
        all = all.filter(Column::Id.eq(id));
    }
    if let Some(name) = &filter.display_name {
        all = all.filter(Column::Name.eq(name.to_lowercase()));
    }
    if let Some(id) = &filter.external_id {
        all = all.filter(Column::ExternalId.eq(id));
    }
    let total = all.clone().count(db).await?;
    let page = all.order_by_asc(Column::Id).offset(offset).limit(limit);
    Ok((page.all(db).await?, total))
}

/// Removes a group and its memberships.
pub(crate) async fn forget(db: &impl ConnectionTrait, id: Uuid) -> Result<(), StorageError> {
    scim_members::forget_group(db, id).await?;
    Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
