//! Open registrations that were changed or deleted; all others leave no row.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("registrations")
                    .if_not_exists()
                    .col(text("client_id_hash").primary_key())
                    .col(json_null("metadata"))
                    .col(boolean("is_used"))
                    .col(big_integer("changed_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("registrations").to_owned()).await
    }
}
