//! Authorization codes, as hashes. A row stays after redemption, so that a replay is recognised.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000008_authorization_codes",
    table: "authorization_codes",
    columns,
    indexes: &[("authorization_codes_by_expiry", "expires_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("code_hash").primary_key())
        .col(uuid("grant_id"))
        .col(text("client_id"))
        .col(text("redirect_uri"))
        .col(text("code_challenge"))
        .col(text_null("nonce"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("redeemed_at"))
        .col(text_null("key_thumbprint"));
}
