//! What a user has allowed a client: one row per installation, which is also the family of its refresh
//! tokens.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000006_grants",
    table: "grants",
    columns,
    // PostgreSQL indexes at most 2,704 bytes, and the client_id of an open registration may be longer.
    indexes: &[
        ("grants_by_session", "session_id"),
        ("grants_by_review", "review_at"),
        ("grants_by_user_and_age", "user_id, id"),
        ("grants_by_client", "substr(client_id, 1, 128)"),
    ],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text("client_id"))
        .col(text("client_name"))
        .col(text("resource"))
        .col(text("scope"))
        .col(big_integer("authenticated_at"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("revoked_at"))
        .col(text_null("refresh_token_hash"))
        .col(big_integer("refresh_generation"))
        .col(big_integer("refresh_expires_at"))
        .col(text("rotations"))
        .col(text_null("key_thumbprint"))
        .col(uuid_null("session_id"))
        .col(big_integer("review_at").default(0));
}
