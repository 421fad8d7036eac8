//! `client login`: signs in, even if somebody is signed in already.

use serde_json::json;

use crate::error::Error;
use crate::session::Session;

/// Signs in. Whoever is signed in stays so if this fails.
///
/// # Errors
/// [`Error`] when the sign-in does not succeed.
pub async fn run(session: &mut Session) -> Result<(), Error> {
    let signed_in = session.sign_in().await?;
    if session.output.is_json() {
        return session.output.json(&json!({"server": session.server, "signed_in": signed_in}));
    }
    if !signed_in {
        session.output.say(&format!("{} answers without a sign-in.", session.server));
    }
    Ok(())
}
