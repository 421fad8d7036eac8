//! The database schema of `auth`: one table per file, each with its way up and down.
//!
//! Migrations never import entities: an entity follows the newest schema, a migration the schema
//! of its day. Times are seconds since 1970, so that both engines compare them alike.

use sea_orm_migration::prelude::*;

mod m20261124_000001_create_users;
mod m20261124_000002_create_identities;
mod m20261124_000003_create_sessions;
mod m20261124_000004_create_clients;
mod m20261124_000005_create_grants;
mod m20261124_000006_create_authorization_codes;
mod m20261124_000007_create_opaque_tokens;
mod m20261124_000008_create_signing_keys;
mod m20261125_000011_create_registrations;
mod m20261125_000012_create_single_use;
mod m20261125_000020_keep_claims_of_opaque_tokens;
mod m20261125_000021_bind_grants_to_keys;
mod m20261125_000022_create_device_codes;
mod m20261125_000030_extend_grants;
mod m20261125_000031_create_logout_deliveries;
mod m20261125_000040_create_counters;
mod m20261125_000041_create_revocations;
mod m20261125_000050_extend_sessions;
mod m20261125_000051_create_security_events;
mod m20261125_000052_create_consents;
mod m20261126_000060_create_attempts;
mod m20261130_000070_create_replicas;
mod m20261130_000071_index_what_sweeps_read;
mod m20261130_000075_extend_consents;

/// Brings a database to the newest schema.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_create_users::Migration),
            Box::new(m20261124_000002_create_identities::Migration),
            Box::new(m20261124_000003_create_sessions::Migration),
            Box::new(m20261124_000004_create_clients::Migration),
            Box::new(m20261124_000005_create_grants::Migration),
            Box::new(m20261124_000006_create_authorization_codes::Migration),
            Box::new(m20261124_000007_create_opaque_tokens::Migration),
            Box::new(m20261124_000008_create_signing_keys::Migration),
            Box::new(m20261125_000011_create_registrations::Migration),
            Box::new(m20261125_000012_create_single_use::Migration),
            Box::new(m20261125_000020_keep_claims_of_opaque_tokens::Migration),
            Box::new(m20261125_000021_bind_grants_to_keys::Migration),
            Box::new(m20261125_000022_create_device_codes::Migration),
            Box::new(m20261125_000030_extend_grants::Migration),
            Box::new(m20261125_000031_create_logout_deliveries::Migration),
            Box::new(m20261125_000040_create_counters::Migration),
            Box::new(m20261125_000041_create_revocations::Migration),
            Box::new(m20261125_000050_extend_sessions::Migration),
            Box::new(m20261125_000051_create_security_events::Migration),
            Box::new(m20261125_000052_create_consents::Migration),
            Box::new(m20261126_000060_create_attempts::Migration),
            Box::new(m20261130_000070_create_replicas::Migration),
            Box::new(m20261130_000071_index_what_sweeps_read::Migration),
            Box::new(m20261130_000075_extend_consents::Migration),
        ]
    }
}
