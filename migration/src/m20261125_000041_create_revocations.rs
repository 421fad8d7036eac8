//! What was revoked lately: grants and single tokens, in the order in which verifiers hear of them.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("revocations")
                    .if_not_exists()
                    .col(big_integer("version").primary_key())
                    .col(text("id"))
                    .col(big_integer("revoked_at"))
                    .to_owned(),
            )
            .await?;
        for (name, column) in [("revocations_by_id", "id"), ("revocations_by_time", "revoked_at")] {
            let index = Index::create().name(name).table("revocations").col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("revocations").to_owned()).await
    }
}
