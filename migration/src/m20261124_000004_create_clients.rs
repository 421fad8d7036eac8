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
                    .col(text("name"))
                    .col(text("redirect_uris"))
                    .col(text("grant_types"))
                    .col(text("token_endpoint_auth_method"))
                    .col(text_null("secret_hash"))
                    .col(text_null("resource"))
                    .col(big_integer("created_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("clients").to_owned()).await
    }
}
