//! Users who have signed in at least once.

use keys::UserClaims;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait,
    entity::prelude::*,
};
use uuid::Uuid;

use super::StorageError;
use crate::oauth::{
    foreign_text::{clean_address, clean_name, is_identifier},
    scope::ScopeSet,
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
    /// First sign-in.
    pub created_at: i64,
    /// Latest sign-in.
    pub updated_at: i64,
}

without_relations!();

impl Model {
    /// The claims that these scopes reveal (OpenID Connect Core §5.4).
    pub(crate) fn revealed(&self, scope: &ScopeSet) -> UserClaims {
        let mut claims = UserClaims::default();
        if scope.contains("profile") {
            claims.name = self.name.clone();
            claims.preferred_username = self.preferred_username.clone();
            claims.picture = self.picture.clone();
        }
        if scope.contains("email") && self.email.is_some() {
            claims.email = self.email.clone();
            claims.email_verified = Some(self.email_verified);
        }
        claims
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

/// Stores a new user.
pub(crate) async fn create(
    db: &impl ConnectionTrait,
    profile: Profile,
    now: i64,
) -> Result<Model, StorageError> {
    let mut user = with_profile(Uuid::now_v7(), profile, now);
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
        created_at: NotSet,
        updated_at: Set(now),
    }
}

/// Removes a user. The caller removes their identities and grants.
pub async fn forget(db: &impl ConnectionTrait, id: Uuid) -> Result<(), StorageError> {
    Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
