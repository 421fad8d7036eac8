//! `client login`: signs in, even if a user is already signed in.

use serde_json::json;

use crate::{error::Error, session::client::Client};

/// Signs in. If this fails, an earlier sign-in stays valid.
pub(crate) async fn run(client: &mut Client) -> Result<(), Error> {
    let signed_in = client.sign_in().await?;
    if client.output.is_json() {
        return Ok(client
            .output
            .json(&json!({"server": client.server, "signed_in": signed_in}))?);
    }
    if !signed_in {
        client.output.say(&format!("{} answers without a sign-in.", client.server));
    }
    Ok(())
}
