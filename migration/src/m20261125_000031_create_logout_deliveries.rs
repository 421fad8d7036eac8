//! Messages to clients that a session has ended, until each has been delivered.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("logout_deliveries")
                    .if_not_exists()
                    .col(uuid("id").primary_key())
                    .col(text("client_id"))
                    .col(text("uri"))
                    .col(uuid("user_id"))
                    .col(uuid("session_id"))
                    .col(big_integer("attempts"))
                    .col(big_integer("due_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("logout_deliveries_by_time")
                    .table("logout_deliveries")
                    .col("due_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("logout_deliveries").to_owned()).await
    }
}
