//! Authorization codes, as hashes. A row stays after redemption, so that a replay is recognised.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("authorization_codes")
                    .if_not_exists()
                    .col(text("code_hash").primary_key())
                    .col(uuid("grant_id"))
                    .col(text("client_id"))
                    .col(text("redirect_uri"))
                    .col(text("code_challenge"))
                    .col(text_null("nonce"))
                    .col(big_integer("expires_at"))
                    .col(big_integer_null("redeemed_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("authorization_codes_by_expiry")
                    .table("authorization_codes")
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("authorization_codes").to_owned()).await
    }
}
