//! Requests of devices that wait for a user to enter their code (RFC 8628).

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000009_device_codes",
    table: "device_codes",
    columns,
    indexes: &[("device_codes_by_expiry", "expires_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table
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
        .col(big_integer_null("redeemed_at"));
}
