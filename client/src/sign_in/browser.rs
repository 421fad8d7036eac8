//! Steps 4 to 8 with a user and a browser: the authorization code flow (OAuth 2.1 §4.1).

use std::sync::Arc;

use url::Url;

use super::{Granted, SignIn};
use crate::{
    error::Error,
    oauth::{
        OAuthError,
        authorization_request::AuthorizationRequest,
        dpop::DpopKey,
        registration::{BROWSER_GRANTS, ClientRegistration, register},
    },
    secret::Secret,
    sign_in::{callback::CallbackListener, interaction::Interaction, paste},
    terminal::explain::Rule,
};

const IDENTITY: Rule = Rule {
    title: "Decide which client this is",
    because: "A client registered beforehand comes first, then a metadata document, then \
              registration; each is used at one issuer only.",
    section: "MCP client-registration",
};

const AUTHORIZE: Rule = Rule {
    title: "Send the person to the authorization server",
    because: "The challenge, the state and the resource tie whatever comes back to this one \
              request; the listener on 127.0.0.1 was bound a moment ago.",
    section: "OAuth 2.1 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1, RFC 8252 §7.3",
};
const RETURN: Rule = Rule {
    title: "Take the answer from the browser",
    because: "Its state must be ours and its iss the server that was asked, also when it is an \
              error; only then is it believed.",
    section: "OAuth 2.1 §4.1.2, RFC 9207 §2.4",
};

impl SignIn<'_> {
    pub(super) async fn by_browser(&self, dpop_key: Option<DpopKey>) -> Result<Granted, Error> {
        // Refuse an unsafe server before it is told anything, and before the user consents to
        // what could not be fetched afterwards.
        self.fetch.check(self.metadata().authorization_endpoint()?).await?;
        self.fetch.check(self.metadata().token_endpoint()?).await?;
        match self.attempt(dpop_key.clone()).await {
            Err(Error::OAuth(OAuthError::TokenRefused { error, .. }))
                if error == "invalid_client" && self.profile.identity.pre_registered.is_none() =>
            {
                let output = &self.interaction.output;
                output.say("The server has forgotten this client; registering it again.");
                self.attempt(dpop_key).await
            }
            outcome => outcome,
        }
    }

    async fn attempt(&self, dpop_key: Option<DpopKey>) -> Result<Granted, Error> {
        let (listener, client) = self.identity().await?;
        let scope = self.scope.clone();
        let request = AuthorizationRequest::new(self.discovery, client, scope, dpop_key.clone())?;
        let request = Arc::new(request);
        self.send_to_browser(&request.url, &listener.short_address());
        let code = match self.wait_for_code(listener, &request).await {
            // It led back here, so there is nothing wrong with the registration.
            Err(OAuthError::Denied) => return Err(self.denied(&request).await),
            answer => answer?,
        };
        self.fetch.explanation.step(&RETURN);
        self.fetch.explanation.secret("code");
        self.fetch.explanation.fact("state", "the one that was sent");
        let endpoint = self.endpoint(&request.client, dpop_key.as_ref());
        let response = endpoint.exchange_code(&request, &code).await?;
        Ok(Granted { client: request.client.clone(), response, dpop_key })
    }

    /// The listener, bound now, and the client whose redirect URI it answers: one that needs no
    /// registration, else the kept one if its port is still free, else a new one.
    async fn identity(&self) -> Result<(CallbackListener, ClientRegistration), Error> {
        self.fetch.explanation.step(&IDENTITY);
        let metadata = self.metadata();
        let identity = &self.profile.identity;
        let listener = match identity.redirect_port {
            Some(port) => CallbackListener::bind_port(port).await?,
            None => CallbackListener::bind().await?,
        };
        if let Some(client) = identity.registration_at(metadata, &listener.redirect_uri())? {
            self.fetch.explanation.fact("client_id", &client.client_id);
            return Ok((listener, client));
        }
        let lock = self.credentials.lock().await?;
        let kept =
            self.credentials.change(&lock, |stored| stored.take_registration(&metadata.issuer))?;
        drop(lock);
        if let Some(client) = kept.filter(|client| client.is_current(self.clock.now()))
            && let Ok(listener) = CallbackListener::bind_again(&client.redirect_uri).await
        {
            self.fetch.explanation.fact("client_id", &client.client_id);
            return Ok((listener, client));
        }
        let client =
            register(self.fetch, metadata, &listener.redirect_uri(), BROWSER_GRANTS).await?;
        Ok((listener, client))
    }

    /// Opens `url`, and shows where else to open it: `short` for a browser on this machine, all of
    /// it where there may be none.
    fn send_to_browser(&self, url: &Url, short: &str) {
        self.fetch.explanation.step(&AUTHORIZE);
        self.fetch.explanation.address(url);
        self.fetch.explanation.pause();
        self.announce();
        let output = &self.interaction.output;
        match self.interaction.browser.open(url) {
            Ok(()) => {
                output.say(&format!("Your browser is opening. If it does not, open {short}"));
            }
            Err(error) => {
                if let Some(error) = error {
                    output.say(&format!("No browser could be opened ({error})."));
                }
                output.say(&format!("Open this address in a browser:\n\n{url}\n"));
                if self.metadata().device_authorization_endpoint().is_ok() {
                    output.say("On another device it is easier with `client login --device`.");
                }
            }
        }
        let minutes = self.interaction.timeout.as_secs().div_ceil(60);
        if self.interaction.may_paste {
            output.say("If it cannot come back by itself, paste here the address it ends on.");
        }
        output.say(&format!(
            "Waiting up to {minutes} min for the browser to come back. Ctrl-C stops."
        ));
    }

    async fn wait_for_code(
        &self,
        listener: CallbackListener,
        request: &Arc<AuthorizationRequest>,
    ) -> Result<Secret, OAuthError> {
        let Interaction { output, timeout, may_paste, .. } = self.interaction;
        tokio::select! {
            outcome = listener.answer(Arc::clone(request)) => outcome,
            outcome = paste::answer(request, output), if *may_paste => outcome,
            () = tokio::time::sleep(*timeout) => {
                Err(OAuthError::TimedOut { seconds: timeout.as_secs() })
            }
        }
    }

    /// Puts the registration back, then passes the refusal on.
    async fn denied(&self, request: &AuthorizationRequest) -> Error {
        if self.profile.identity.pre_registered.is_some() {
            return OAuthError::Denied.into();
        }
        let kept = self.credentials.lock().await.and_then(|lock| {
            self.credentials.change(&lock, |stored| {
                stored.keep_registration(&request.issuer, request.client.clone());
            })
        });
        kept.map_or_else(Error::from, |()| OAuthError::Denied.into())
    }
}
