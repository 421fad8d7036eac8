//! What pre-registered clients may ask for, their keys, and a second secret during a rotation.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn columns() -> Vec<ColumnDef> {
    vec![
        text_null("previous_secret_hash"),
        big_integer_null("previous_secret_expires_at"),
        text_null("jwks"),
        text_null("jwks_uri"),
        text_null("scope"),
        text("application_type").default("web").take(),
        text("post_logout_redirect_uris").default("").take(),
        text_null("backchannel_logout_uri"),
        boolean("backchannel_logout_session_required").default(false).take(),
        boolean("require_pushed_authorization_requests").default(false).take(),
        boolean("dpop_bound_access_tokens").default(false).take(),
        text_null("access_token_format"),
        text_null("id_token_signed_response_alg"),
        text_null("userinfo_signed_response_alg"),
        text_null("client_uri"),
        text_null("logo_uri"),
        text_null("policy_uri"),
        text_null("tos_uri"),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One at a time: SQLite adds one column to a statement.
        for column in columns() {
            manager
                .alter_table(Table::alter().table("clients").add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            let name = Alias::new(column.get_column_name());
            manager
                .alter_table(Table::alter().table("clients").drop_column(name).to_owned())
                .await?;
        }
        Ok(())
    }
}
