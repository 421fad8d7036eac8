//! Steps 4 to 8 in a row: from knowing where to sign in to holding a grant.

use std::{sync::Arc, time::Duration};

use url::Url;

use super::{
    OAuthError,
    authorization_request::AuthorizationRequest,
    authorization_server_metadata::AuthorizationServerMetadata,
    discovery::Discovery,
    registration::{ClientRegistration, register},
    scope::Scope,
    token::{TokenResponse, exchange_code},
    user_info::user_info,
};
use crate::{
    browser::{self, Browser},
    callback::CallbackListener,
    clock::Clock,
    credentials::{Credentials, Grant},
    fetch::Fetch,
    output::Output,
    paste,
    secret::Secret,
};

/// Everything a sign-in needs from around it.
pub struct SignIn<'a> {
    /// The MCP server.
    pub server: &'a Url,
    /// How servers are spoken to.
    pub fetch: &'a Fetch,
    /// Where the outcome is kept.
    pub credentials: &'a Credentials,
    /// What time it is.
    pub clock: &'a Clock,
    /// How the person is spoken to.
    pub output: &'a Output,
    /// What happens to the address the person should open.
    pub browser: &'a Browser,
    /// How long the person may take.
    pub timeout: Duration,
    /// Whether the person has signed in already and the server wants more to be allowed.
    pub is_step_up: bool,
    /// Whether the person may also paste the address the browser ended on.
    pub may_paste: bool,
}

impl SignIn<'_> {
    /// Signs in for `scope` and keeps the grant. Until that has succeeded nothing that was kept is
    /// touched, except the registration: one that led nowhere is not used again.
    ///
    /// # Errors
    /// [`OAuthError`] at the first step that fails.
    pub async fn run(&self, discovery: &Discovery, scope: &Scope) -> Result<Grant, OAuthError> {
        match self.attempt(discovery, scope).await {
            Err(OAuthError::TokenRefused { error, .. }) if error == "invalid_client" => {
                self.output.say("The server has forgotten this client; registering it again.");
                self.attempt(discovery, scope).await
            }
            outcome => outcome,
        }
    }

    async fn attempt(&self, discovery: &Discovery, scope: &Scope) -> Result<Grant, OAuthError> {
        let (listener, client) = self.identity(&discovery.authorization_server).await?;
        let request = Arc::new(AuthorizationRequest::new(discovery, client, scope.clone())?);
        self.send_to_browser(&request);
        let code = match self.wait_for_code(listener, &request).await {
            // It led back here, so there is nothing wrong with the registration.
            Err(OAuthError::Denied) => return Err(self.denied(&request).await),
            answer => answer?,
        };
        let metadata = &discovery.authorization_server;
        let response = exchange_code(self.fetch, metadata, &request, &code).await?;
        self.keep(metadata, &request, response).await
    }

    /// The listener, bound now, and the registration whose redirect URI it answers: the kept one if
    /// its port is still free, else a new one.
    async fn identity(
        &self,
        metadata: &AuthorizationServerMetadata,
    ) -> Result<(CallbackListener, ClientRegistration), OAuthError> {
        let lock = self.credentials.lock().await?;
        let kept =
            self.credentials.change(&lock, |stored| stored.take_registration(&metadata.issuer))?;
        drop(lock);
        if let Some(client) = kept.filter(|client| client.is_current(self.clock.now()))
            && let Ok(listener) = CallbackListener::bind_again(&client.redirect_uri).await
        {
            return Ok((listener, client));
        }
        let listener = CallbackListener::bind().await?;
        let client = register(self.fetch, metadata, &listener.redirect_uri()).await?;
        Ok((listener, client))
    }

    fn send_to_browser(&self, request: &AuthorizationRequest) {
        let (server, issuer) = (self.server, &request.issuer);
        let wish = if self.is_step_up { "allow more" } else { "sign in" };
        self.output.say(&format!("{server} wants you to {wish} at {issuer}."));
        if !request.scope.is_empty() {
            self.output.say(&format!("It will ask you to allow: {}", request.scope));
        }
        match self.open(&request.url) {
            Ok(()) => {
                self.output.say("Your browser is opening. If it does not, open this address:")
            }
            Err(None) => self.output.say("Open this address in a browser:"),
            Err(Some(error)) => {
                self.output.say(&format!("No browser could be opened ({error})."));
                self.output.say("Open this address in one:");
            }
        }
        self.output.say(&format!("\n{}\n", request.url));
        let minutes = self.timeout.as_secs().div_ceil(60);
        let paste = if self.may_paste { ", or paste here the address it ends on" } else { "" };
        self.output.say(&format!(
            "Waiting up to {minutes} min for the browser to come back{paste}. Ctrl-C stops."
        ));
    }

    fn open(&self, url: &Url) -> Result<(), Option<browser::BrowserError>> {
        match self.browser {
            Browser::Open(program) => browser::open(program.as_deref(), url).map_err(Some),
            Browser::Print => Err(None),
        }
    }

    async fn wait_for_code(
        &self,
        listener: CallbackListener,
        request: &Arc<AuthorizationRequest>,
    ) -> Result<Secret, OAuthError> {
        let seconds = self.timeout.as_secs();
        tokio::select! {
            outcome = listener.answer(Arc::clone(request)) => outcome,
            outcome = paste::answer(request, self.output), if self.may_paste => outcome,
            () = tokio::time::sleep(self.timeout) => Err(OAuthError::TimedOut { seconds }),
        }
    }

    /// Puts the registration back, then passes the refusal on.
    async fn denied(&self, request: &AuthorizationRequest) -> OAuthError {
        let kept = self.credentials.lock().await.and_then(|lock| {
            self.credentials.change(&lock, |stored| {
                stored.keep_registration(&request.issuer, request.client.clone());
            })
        });
        kept.map_or_else(OAuthError::from, |()| OAuthError::Denied)
    }

    async fn keep(
        &self,
        metadata: &AuthorizationServerMetadata,
        request: &AuthorizationRequest,
        response: TokenResponse,
    ) -> Result<Grant, OAuthError> {
        let now = self.clock.now();
        let person = user_info(self.fetch, metadata, &response.access_token).await;
        let grant = Grant {
            issuer: request.issuer.clone(),
            resource: request.resource.clone(),
            client: request.client.clone(),
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            scope: response.scope.unwrap_or_else(|| request.scope.clone()),
            requested_scope: request.scope.clone(),
            issued_at: now,
            expires_at: response.expires_in.map(|seconds| now + seconds),
            person,
        };
        let lock = self.credentials.lock().await?;
        self.credentials.change(&lock, |stored| {
            stored.keep_registration(&request.issuer, request.client.clone());
            stored.keep_grant(self.server, grant.clone());
        })?;
        match grant.person.as_ref().and_then(|person| person.display_name()) {
            Some(name) => self.output.say(&format!("Signed in as {name}.")),
            None => self.output.say("Signed in."),
        }
        Ok(grant)
    }
}
