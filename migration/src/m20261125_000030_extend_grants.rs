//! The session in which a grant was made: `sid` in ID tokens, and whom to tell when it ends.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = uuid_null("session_id");
        manager.alter_table(Table::alter().table("grants").add_column(column).to_owned()).await?;
        manager
            .create_index(
                Index::create()
                    .name("grants_by_session")
                    .table("grants")
                    .col("session_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("grants_by_session").table("grants").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("grants").drop_column("session_id").to_owned())
            .await
    }
}
