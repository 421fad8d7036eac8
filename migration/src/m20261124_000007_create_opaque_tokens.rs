//! Opaque access tokens, as hashes, for the resources that ask for them.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("opaque_tokens")
                    .if_not_exists()
                    .col(text("token_hash").primary_key())
                    .col(uuid("grant_id"))
                    .col(text("scope"))
                    .col(big_integer("issued_at"))
                    .col(big_integer("expires_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("opaque_tokens_by_expiry")
                    .table("opaque_tokens")
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("opaque_tokens").to_owned()).await
    }
}
