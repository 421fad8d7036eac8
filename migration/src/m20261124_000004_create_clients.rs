//! Pre-registered clients. Open registrations leave no row here.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("clients")
                    .if_not_exists()
                    .col(text("id").primary_key())
                    .col(json("metadata"))
                    .col(text_null("secret_hash"))
                    .col(text_null("previous_secret_hash"))
                    .col(big_integer_null("previous_secret_expires_at"))
                    .col(big_integer("created_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("clients").to_owned()).await
    }
}
