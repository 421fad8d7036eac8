//! `client logout`: ends the grant at the authorization server, forgets it here, says which.

use serde_json::json;

use crate::{
    error::Error,
    session::{access::SignedOut, client::Client},
};

pub(crate) async fn run(client: &mut Client) -> Result<(), Error> {
    let outcome = client.access.sign_out().await?;
    client.disconnect().await;
    let output = &client.output;
    if output.is_json() {
        output.json(&match &outcome {
            SignedOut::AlreadyOut => json!({"signed_out": false, "revoked": false}),
            SignedOut::Revoked => json!({"signed_out": true, "revoked": true}),
            SignedOut::ForgottenOnly(reason) => {
                json!({"signed_out": true, "revoked": false, "reason": reason})
            }
        })?;
        return Ok(());
    }
    match outcome {
        SignedOut::AlreadyOut => output.say(&format!("Nobody is signed in to {}.", client.server)),
        SignedOut::Revoked => output.say(
            "Signed out: the authorization server has revoked the tokens, and they are gone from \
             this machine.",
        ),
        SignedOut::ForgottenOnly(reason) => {
            output.say("Signed out here: the tokens are gone from this machine.");
            output.say(&format!(
                "They could not be revoked, so they last until they expire: {reason}"
            ));
        }
    }
    Ok(())
}
