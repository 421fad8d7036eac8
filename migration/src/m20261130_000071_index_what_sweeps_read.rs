//! Indexes for what the clean-up and the account page read, and the time from which the clean-up
//! looks at a grant.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Each index: its table, its name and what it is of.
const INDEXES: [(&str, &str, &str); 5] = [
    ("grants", "grants_by_review", "review_at"),
    ("grants", "grants_by_user_and_age", "user_id, id"),
    // An entry of an index in PostgreSQL holds at most 2,704 bytes, and a client_id of open
    // registration is longer, so its beginning is indexed.
    ("grants", "grants_by_client", "substr(client_id, 1, 128)"),
    ("security_events", "security_events_by_time", "occurred_at"),
    ("registrations", "registrations_by_use", "is_used"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The grants that are there are looked at soon.
        let column = big_integer("review_at").default(0).take();
        manager.alter_table(Table::alter().table("grants").add_column(column).to_owned()).await?;
        for (table, name, parts) in INDEXES {
            // As text: the builder makes no index of an expression for SQLite.
            let create = format!("CREATE INDEX {name} ON {table} ({parts})");
            manager.get_connection().execute_unprepared(&create).await?;
        }
        manager.drop_index(Index::drop().name("grants_by_user").table("grants").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_user =
            Index::create().name("grants_by_user").table("grants").col("user_id").to_owned();
        manager.create_index(by_user).await?;
        for (table, name, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        manager
            .alter_table(Table::alter().table("grants").drop_column("review_at").to_owned())
            .await
    }
}
