//! Steps 4 to 8 with a user and a browser elsewhere: the device authorization grant (RFC 8628).

use super::{Granted, SignIn};
use crate::{
    error::Error,
    oauth::{
        OAuthError,
        device_authorization::{self, DeviceAuthorization},
        dpop::DpopKey,
        registration::{DEVICE_GRANTS, register},
    },
};

/// Where a client that has no redirect of its own would be sent; registration asks for one.
const UNUSED_REDIRECT_URI: &str = "http://127.0.0.1/callback";

impl SignIn<'_> {
    /// The user signs in with a browser elsewhere, with a code that is shown here.
    pub(super) async fn by_device(&self, dpop_key: Option<DpopKey>) -> Result<Granted, Error> {
        let metadata = self.metadata();
        self.fetch.check(metadata.device_authorization_endpoint()?).await?;
        self.fetch.check(metadata.token_endpoint()?).await?;
        let client = match self.profile.identity.registration_at(metadata, UNUSED_REDIRECT_URI)? {
            Some(client) => client,
            None => register(self.fetch, metadata, UNUSED_REDIRECT_URI, DEVICE_GRANTS).await?,
        };
        let endpoint = self.endpoint(&client, dpop_key.as_ref());
        let resource = &self.discovery.resource.resource;
        let authorization = device_authorization::request(&endpoint, resource, self.scope).await?;
        self.announce();
        self.show_code(&authorization);
        let wait = device_authorization::wait(&endpoint, resource, &authorization);
        let seconds = self.interaction.timeout.as_secs();
        let response = tokio::time::timeout(self.interaction.timeout, wait)
            .await
            .map_err(|_| OAuthError::TimedOut { seconds })??;
        Ok(Granted { client, response, dpop_key })
    }

    fn show_code(&self, authorization: &DeviceAuthorization) {
        let output = &self.interaction.output;
        let DeviceAuthorization { verification_uri, user_code, .. } = authorization;
        output.say("On any device, open this address and type the code:");
        output.say(&format!("\n    {verification_uri}"));
        output.heading(&format!("    {user_code}"));
        if let Some(complete) = &authorization.verification_uri_complete {
            output.say(&format!("\nOr open this one, and compare the code:\n\n    {complete}"));
        }
        let minutes = self.interaction.timeout.as_secs().div_ceil(60);
        output.say(&format!("\nWaiting up to {minutes} min for your answer there. Ctrl-C stops."));
    }
}
