//! Where a person was when they allowed a grant.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("consents")
                    .if_not_exists()
                    .col(uuid("grant_id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("redirect_uri"))
                    .col(text("device"))
                    .col(text("network"))
                    .to_owned(),
            )
            .await?;
        for (name, table) in [("consents_by_user", "consents"), ("grants_by_user", "grants")] {
            let index = Index::create().name(name).table(table).col("user_id").to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("grants_by_user").table("grants").to_owned();
        manager.drop_index(index).await?;
        manager.drop_table(Table::drop().table("consents").to_owned()).await
    }
}
