//! `client doctor`: examines the authorization of any MCP server from outside.

use crate::{
    cli::command::Doctor,
    doctor::{self, Examination},
    error::Error,
    session::client::Client,
};

/// Examines the server that `wanted` names, or the one that `client` works with.
pub(crate) async fn run(client: &Client, wanted: &Doctor) -> Result<(), Error> {
    let examination = Examination {
        server: wanted.server_url.clone().unwrap_or_else(|| client.server.clone()),
        signs_in: wanted.sign_in,
        is_strict: wanted.strict,
    };
    doctor::run(&examination, &client.access.options.interaction, &client.access.options.clock)
        .await
}
