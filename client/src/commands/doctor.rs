//! `client doctor`: examines the authorization of any MCP server from outside.

use std::env::home_dir;

use crate::{
    cli::command::Doctor,
    doctor::{self, Examination, configured},
    error::Error,
    session::client::Client,
};

/// Examines the server that `wanted` names, or the one that `client` works with.
pub(crate) async fn run(client: &Client, wanted: &Doctor) -> Result<(), Error> {
    let options = &client.access.options;
    if let Some(files) = &wanted.config {
        return configured::run(files, home_dir().as_deref(), options, wanted.strict).await;
    }
    let examination = Examination {
        server: wanted.server_url.clone().unwrap_or_else(|| client.server.clone()),
        signs_in: wanted.sign_in,
        is_strict: wanted.strict,
        is_complete: wanted.all,
        format: wanted.format,
        expected_issuer: wanted.expect_issuer.clone(),
    };
    doctor::run(&examination, &options.interaction, &options.clock).await
}
