//! Users who have signed in at least once.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    Condition, ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, LikeExpr},
};
use uuid::Uuid;

use super::{Begin, StorageError};
use crate::{
    access::facts::{Facts, FactsByUpstream},
    oauth::foreign_text::{clean_address, clean_name, is_identifier},
};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// `sub` in every token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Full name, as the upstream gives it.
    pub name: Option<String>,
    /// Login name at the upstream.
    pub preferred_username: Option<String>,
    /// Address of a portrait.
    pub picture: Option<String>,
    /// Verified e-mail address.
    pub email: Option<String>,
    /// Whether the upstream has verified it.
    pub email_verified: bool,
    /// What upstreams said of the user when they were last asked, as JSON.
    pub facts: String,
    /// When an operator disabled the user.
    pub disabled_at: Option<i64>,
    /// First sign-in.
    pub created_at: i64,
    /// Latest sign-in.
    pub updated_at: i64,
}

without_relations!();

impl Model {
    /// What upstreams said of the user. Text that cannot be read says nothing, so that no rule admits
    /// anyone because of it.
    pub(crate) fn facts(&self) -> FactsByUpstream {
        serde_json::from_str(&self.facts).unwrap_or_else(|error| {
            tracing::error!(user = %self.id, cause = %error, "the facts of a user cannot be read");
            FactsByUpstream::new()
        })
    }
}

/// What an upstream says of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Full name, as the upstream gives it.
    pub name: Option<String>,
    /// Login name.
    pub preferred_username: Option<String>,
    /// Address of a portrait.
    pub picture: Option<String>,
    /// An address that the upstream has verified.
    pub verified_email: Option<String>,
}

impl Profile {
    /// The part of the profile that both engines can store.
    fn storable(self) -> Self {
        Self {
            name: self.name.as_deref().and_then(clean_name),
            preferred_username: self.preferred_username.filter(|name| is_identifier(name)),
            picture: self.picture.and_then(clean_address),
            verified_email: self.verified_email.and_then(clean_address),
        }
    }
}

/// Finds a user by `sub`.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id).one(db).await
}

/// Most people of one name that are looked at.
const MAX_NAMESAKES: u64 = 20;

/// The people of a login name or verified address, whichever upstreams they have it from.
pub(crate) async fn named(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Vec<Model>, StorageError> {
    let name = name.to_lowercase();
    let is_login = Expr::cust("lower(preferred_username)").eq(name.as_str());
    let is_address = Expr::cust("lower(email)").eq(name.as_str());
    Entity::find().filter(is_login.or(is_address)).limit(MAX_NAMESAKES).all(db).await
}

/// People of whom an upstream says this text somewhere, such as a login name or a verified address. The
/// caller checks in which fact it is.
pub(crate) async fn mentioned(
    db: &impl ConnectionTrait,
    text: &str,
) -> Result<Vec<Model>, StorageError> {
    let quoted = serde_json::to_string(text).map_err(|error| DbErr::Json(error.to_string()))?;
    let pattern = quoted.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let like = LikeExpr::new(format!("%{pattern}%")).escape('!');
    Entity::find().filter(Column::Facts.like(like)).limit(MAX_NAMESAKES).all(db).await
}

/// Which users [`all`] returns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) disabled: bool,
    pub(crate) limit: u64,
}

/// Users, the latest sign-in first.
pub(crate) async fn all(
    db: &impl ConnectionTrait,
    filter: Filter,
) -> Result<Vec<Model>, StorageError> {
    let latest = Entity::find().order_by_desc(Column::UpdatedAt).limit(filter.limit);
    let disabled = filter.disabled.then(|| Column::DisabledAt.is_not_null());
    latest.filter(Condition::all().add_option(disabled)).all(db).await
}

/// Users in the order of their ids, after `id`.
pub(crate) async fn after(
    db: &impl ConnectionTrait,
    id: Uuid,
    limit: u64,
) -> Result<Vec<Model>, StorageError> {
    Entity::find().filter(Column::Id.gt(id)).order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Disables a user, or enables them again.
pub(crate) async fn set_disabled(
    db: &impl ConnectionTrait,
    id: Uuid,
    disabled_at: Option<i64>,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::DisabledAt, Expr::value(disabled_at))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await
        .map(|_| ())
}

/// Stores a new user.
pub(crate) async fn create(
    db: &impl ConnectionTrait,
    profile: Profile,
    now: i64,
) -> Result<Model, StorageError> {
    let mut user = with_profile(Uuid::now_v7(), profile, now);
    user.facts = Set("{}".into());
    user.disabled_at = Set(None);
    user.created_at = Set(now);
    user.insert(db).await
}

/// Brings a user's profile up to date.
pub(crate) async fn refresh(
    db: &impl ConnectionTrait,
    id: Uuid,
    profile: Profile,
    now: i64,
) -> Result<Model, StorageError> {
    with_profile(id, profile, now).update(db).await
}

fn with_profile(id: Uuid, profile: Profile, now: i64) -> ActiveModel {
    let profile = profile.storable();
    ActiveModel {
        id: Set(id),
        name: Set(profile.name),
        preferred_username: Set(profile.preferred_username),
        picture: Set(profile.picture),
        email_verified: Set(profile.verified_email.is_some()),
        email: Set(profile.verified_email),
        facts: NotSet,
        disabled_at: NotSet,
        created_at: NotSet,
        updated_at: Set(now),
    }
}

/// Stores what an upstream says of a user, or that it says nothing any more. What other upstreams said
/// is kept.
pub(crate) async fn set_facts(
    db: &(impl ConnectionTrait + Begin),
    user: Model,
    upstream: &str,
    facts: Option<Facts>,
) -> Result<Model, StorageError> {
    let transaction = db.begin().await?;
    // Locked and read again, because the user may be signing in at another upstream right now.
    let current = Entity::find_by_id(user.id).lock_exclusive().one(&transaction).await?;
    let user = current.unwrap_or(user);
    let mut all = user.facts();
    match facts {
        Some(facts) => all.insert(upstream.to_owned(), facts),
        None => all.remove(upstream),
    };
    let text = serde_json::to_string(&all).map_err(|error| DbErr::Json(error.to_string()))?;
    let mut user = user.into_active_model();
    user.facts = Set(text);
    let user = user.update(&transaction).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Removes a user. The caller removes their identities and grants.
pub async fn forget(db: &impl ConnectionTrait, id: Uuid) -> Result<(), StorageError> {
    Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
