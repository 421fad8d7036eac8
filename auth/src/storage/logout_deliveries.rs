//! Messages to clients that a session has ended, each kept until it is delivered. One conditional UPDATE
//! decides which replica delivers.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{StorageError, clients, grants};

/// Messages taken at once.
const MAX_BATCH: u64 = 20;

/// A message to be delivered.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "logout_deliveries")]
pub struct Model {
    /// `jti` of the logout token: the same at each try.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The client that it is for.
    pub client_id: String,
    /// The `backchannel_logout_uri` of the client.
    pub uri: String,
    /// Who was signed in.
    pub user_id: Uuid,
    /// The session that ended.
    pub session_id: Uuid,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next attempt is due.
    pub due_at: i64,
}

without_relations!();

/// Stores a message for each client that was granted something in a session and has a
/// `backchannel_logout_uri`, in the transaction that ends the session.
pub(crate) async fn enqueue(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    session_id: Uuid,
) -> Result<(), StorageError> {
    for client_id in grants::clients_of_session(db, session_id).await? {
        let client = clients::find(db, &client_id).await?;
        let uri = client.and_then(|client| client.metadata.0.operator.backchannel_logout_uri);
        let Some(uri) = uri else {
            continue;
        };
        let delivery = Model {
            id: Uuid::now_v7(),
            client_id,
            uri: uri.into(),
            user_id,
            session_id,
            attempts: 0,
            due_at: 0,
        };
        delivery.into_active_model().insert(db).await?;
    }
    Ok(())
}

/// Takes the messages that are due. No other replica takes them until their next attempt is due, which
/// is `pause` seconds after an attempt of this number.
pub async fn take_due(
    db: &impl ConnectionTrait,
    now: i64,
    pause: impl Fn(i64) -> i64,
) -> Result<Vec<Model>, StorageError> {
    let due = Entity::find().filter(Column::DueAt.lte(now)).order_by_asc(Column::DueAt);
    let mut taken = Vec::new();
    for delivery in due.limit(MAX_BATCH).all(db).await? {
        let attempts = delivery.attempts + 1;
        let outcome = Entity::update_many()
            .col_expr(Column::Attempts, Expr::value(attempts))
            .col_expr(Column::DueAt, Expr::value(now.saturating_add(pause(attempts))))
            .filter(Column::Id.eq(delivery.id))
            .filter(Column::Attempts.eq(delivery.attempts))
            .exec(db)
            .await?;
        if outcome.rows_affected == 1 {
            taken.push(Model { attempts, ..delivery });
        }
    }
    Ok(taken)
}

/// Removes a message that was delivered or given up.
pub(crate) async fn remove(db: &impl ConnectionTrait, id: Uuid) -> Result<(), StorageError> {
    Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
