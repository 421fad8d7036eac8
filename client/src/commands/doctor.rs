//! `client doctor`: examines the authorization of a server from outside, ours or not.

use clap::Args;
use url::Url;

use crate::{
    cli::server_address,
    client::Client,
    doctor::{self, Examination},
    error::Error,
};

/// What `client doctor` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Doctor {
    /// The MCP server to examine, instead of the one of --server
    #[arg(value_name = "URL", value_parser = server_address)]
    server_url: Option<Url>,
    /// Sign in as well, and try the tokens: refresh, reuse, audience, revocation
    #[arg(long)]
    sign_in: bool,
    /// End with status 1 for warnings too
    #[arg(long)]
    strict: bool,
}

impl Doctor {
    /// Examines the named server, or the one that `client` works with.
    ///
    /// # Errors
    /// As [`doctor::run`].
    pub async fn run(&self, client: &Client) -> Result<(), Error> {
        let examination = Examination {
            server: self.server_url.clone().unwrap_or_else(|| client.server.clone()),
            signs_in: self.sign_in,
            is_strict: self.strict,
        };
        doctor::run(&examination, client.access.manners(), client.access.clock()).await
    }
}
