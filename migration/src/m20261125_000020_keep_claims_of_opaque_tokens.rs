//! Opaque tokens keep the claims that they stand for, as a signed token would carry them. Those of
//! before are forgotten: they live for minutes, and their holders refresh.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("opaque_tokens").if_exists().to_owned()).await?;
        let columns = [text("token_hash").primary_key().take(), text("claims").take()];
        create(manager, columns.into()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("opaque_tokens").to_owned()).await?;
        let token_hash = text("token_hash").primary_key().take();
        let issued_at = big_integer("issued_at").take();
        create(manager, vec![token_hash, uuid("grant_id").take(), text("scope").take(), issued_at])
            .await
    }
}

async fn create(manager: &SchemaManager<'_>, columns: Vec<ColumnDef>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table.table("opaque_tokens").col(big_integer("expires_at"));
    for mut column in columns {
        table.col(&mut column);
    }
    manager.create_table(table).await?;
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
