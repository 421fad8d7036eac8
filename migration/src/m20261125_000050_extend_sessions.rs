//! Sessions that a person can tell apart: each with a name of its own, a device and a network.
//!
//! The table is made anew: sessions of before have no device to show, so those browsers sign in
//! once more.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sessions").to_owned()).await?;
        let mut table = sessions();
        table
            .col(uuid("id"))
            .col(text("device"))
            .col(text("network"))
            .col(big_integer("last_seen_at"));
        manager.create_table(table).await?;
        create_index(manager, "sessions_by_expiry", "expires_at").await?;
        create_index(manager, "sessions_by_user", "user_id").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sessions").to_owned()).await?;
        manager.create_table(sessions()).await?;
        create_index(manager, "sessions_by_expiry", "expires_at").await
    }
}

/// The table as it was before.
fn sessions() -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .col(text("token_hash").primary_key())
        .col(uuid("user_id"))
        .col(big_integer("authenticated_at"))
        .col(big_integer("expires_at"))
        .to_owned()
}

async fn create_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    column: &'static str,
) -> Result<(), DbErr> {
    manager.create_index(Index::create().name(name).table("sessions").col(column).to_owned()).await
}
