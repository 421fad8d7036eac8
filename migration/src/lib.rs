//! The database schema of `auth`: one table per file.
//!
//! Migrations never import entities: an entity follows the newest schema, a migration the schema of its
//! day. Times are seconds since 1970, so that both engines compare them alike.

use sea_orm_migration::prelude::*;

mod m20261130_000001_users;
mod m20261130_000002_identities;
mod m20261130_000003_sessions;
mod m20261130_000004_clients;
mod m20261130_000005_registrations;
mod m20261130_000006_grants;
mod m20261130_000007_consents;
mod m20261130_000008_authorization_codes;
mod m20261130_000009_device_codes;
mod m20261130_000010_opaque_tokens;
mod m20261130_000011_single_use;
mod m20261130_000012_revocations;
mod m20261130_000013_logout_deliveries;
mod m20261130_000014_security_events;
mod m20261130_000015_attempts;
mod m20261130_000016_counters;
mod m20261130_000017_signing_keys;
mod m20261130_000018_replicas;
mod m20261130_000020_blocked_clients;
mod m20261130_000030_scim_users;
mod m20261130_000031_scim_groups;
mod m20261130_000032_scim_members;

/// Brings a database to the newest schema.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261130_000001_users::MIGRATION),
            Box::new(m20261130_000002_identities::MIGRATION),
            Box::new(m20261130_000003_sessions::MIGRATION),
            Box::new(m20261130_000004_clients::MIGRATION),
            Box::new(m20261130_000005_registrations::MIGRATION),
            Box::new(m20261130_000006_grants::MIGRATION),
            Box::new(m20261130_000007_consents::MIGRATION),
            Box::new(m20261130_000008_authorization_codes::MIGRATION),
            Box::new(m20261130_000009_device_codes::MIGRATION),
            Box::new(m20261130_000010_opaque_tokens::MIGRATION),
            Box::new(m20261130_000011_single_use::MIGRATION),
            Box::new(m20261130_000012_revocations::MIGRATION),
            Box::new(m20261130_000013_logout_deliveries::MIGRATION),
            Box::new(m20261130_000014_security_events::MIGRATION),
            Box::new(m20261130_000015_attempts::MIGRATION),
            Box::new(m20261130_000016_counters::MIGRATION),
            Box::new(m20261130_000017_signing_keys::MIGRATION),
            Box::new(m20261130_000018_replicas::MIGRATION),
            Box::new(m20261130_000020_blocked_clients::MIGRATION),
            Box::new(m20261130_000030_scim_users::MIGRATION),
            Box::new(m20261130_000031_scim_groups::MIGRATION),
            Box::new(m20261130_000032_scim_members::MIGRATION),
        ]
    }
}

/// A migration that creates one table with its indexes.
struct NewTable {
    /// The name of the migration, which the database remembers. It never changes.
    name: &'static str,
    table: &'static str,
    columns: fn(&mut TableCreateStatement),
    /// The name of each index, and its columns or expressions.
    indexes: &'static [(&'static str, &'static str)],
}

impl MigrationName for NewTable {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for NewTable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        (self.columns)(table.table(self.table));
        manager.create_table(table).await?;
        for (name, parts) in self.indexes {
            // As text, because the builder makes no index of an expression for SQLite.
            let create = format!("CREATE INDEX {name} ON {} ({parts})", self.table);
            manager.get_connection().execute_unprepared(&create).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(self.table).to_owned()).await
    }
}
