//! What a client asked for, of which a person may have allowed less.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = text("asked_scope").default("").to_owned();
        manager.alter_table(Table::alter().table("consents").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table("consents").drop_column("asked_scope").to_owned();
        manager.alter_table(table).await
    }
}
