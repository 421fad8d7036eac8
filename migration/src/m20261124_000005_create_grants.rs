//! What a person has allowed a client: one row per installation, which is also the refresh-token family.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("grants")
                    .if_not_exists()
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("client_id"))
                    .col(text("client_name"))
                    .col(text("resource"))
                    .col(text("scope"))
                    .col(big_integer("authenticated_at"))
                    .col(big_integer("created_at"))
                    .col(big_integer("expires_at"))
                    .col(big_integer_null("revoked_at"))
                    .col(text_null("refresh_token_hash"))
                    .col(big_integer("refresh_generation"))
                    .col(big_integer("refresh_expires_at"))
                    .col(text("rotations"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("grants_by_user").table("grants").col("user_id").to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("grants").to_owned()).await
    }
}
