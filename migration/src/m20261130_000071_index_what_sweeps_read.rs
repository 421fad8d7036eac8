//! Indexes for what the clean-up and the account page read, and the time from which the clean-up
//! looks at a grant.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Each index: its table, its name and what it is of.
fn indexes() -> [(&'static str, &'static str, Vec<Expr>); 5] {
    let column = Expr::col::<&'static str>;
    // An entry of an index in PostgreSQL holds at most 2,704 bytes, and a client_id of open
    // registration is longer, so its beginning is indexed.
    let client = Expr::cust("substr(client_id, 1, 128)");
    [
        ("grants", "grants_by_review", vec![column("review_at")]),
        ("grants", "grants_by_user_and_age", vec![column("user_id"), column("id")]),
        ("grants", "grants_by_client", vec![client]),
        ("security_events", "security_events_by_time", vec![column("occurred_at")]),
        ("registrations", "registrations_by_use", vec![column("is_used")]),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The grants that are there are looked at soon.
        let column = big_integer("review_at").default(0).take();
        manager.alter_table(Table::alter().table("grants").add_column(column).to_owned()).await?;
        for (table, name, parts) in indexes() {
            let mut index = Index::create().name(name).table(table).to_owned();
            for part in parts {
                index.col(part);
            }
            manager.create_index(index).await?;
        }
        manager.drop_index(Index::drop().name("grants_by_user").table("grants").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_user =
            Index::create().name("grants_by_user").table("grants").col("user_id").to_owned();
        manager.create_index(by_user).await?;
        for (table, name, _) in indexes() {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        manager
            .alter_table(Table::alter().table("grants").drop_column("review_at").to_owned())
            .await
    }
}
