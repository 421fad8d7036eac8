//! Requests of devices that wait for a person to enter their code (RFC 8628).

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("device_codes")
                    .if_not_exists()
                    .col(text("device_code_hash").primary_key())
                    .col(text("user_code").unique_key())
                    .col(text("client_id"))
                    .col(text("resource"))
                    .col(text("scope"))
                    .col(text("network"))
                    .col(big_integer("created_at"))
                    .col(big_integer("expires_at"))
                    .col(big_integer("interval"))
                    .col(big_integer("next_poll_at"))
                    .col(uuid_null("grant_id"))
                    .col(big_integer_null("answered_at"))
                    .col(big_integer_null("redeemed_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("device_codes_by_expiry")
                    .table("device_codes")
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("device_codes").to_owned()).await
    }
}
