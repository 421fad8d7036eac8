//! Pre-registered clients.

use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};

use super::StorageError;

/// A client that an operator entered. Lists are separated by spaces.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    /// `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Redirect URIs.
    pub redirect_uris: String,
    /// Grants.
    pub grant_types: String,
    /// How it proves itself.
    pub token_endpoint_auth_method: String,
    /// Hash of its secret; none for a public client.
    pub secret_hash: Option<String>,
    /// The resource that it is, where it is a resource server.
    pub resource: Option<String>,
    /// When it was entered.
    pub created_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finds a client by `client_id`.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id.to_owned()).one(db).await
}

/// Enters a client.
pub async fn add(db: &impl ConnectionTrait, client: Model) -> Result<(), StorageError> {
    let client = ActiveModel {
        id: Set(client.id),
        name: Set(client.name),
        redirect_uris: Set(client.redirect_uris),
        grant_types: Set(client.grant_types),
        token_endpoint_auth_method: Set(client.token_endpoint_auth_method),
        secret_hash: Set(client.secret_hash),
        resource: Set(client.resource),
        created_at: Set(client.created_at),
    };
    client.insert(db).await.map(|_| ())
}
