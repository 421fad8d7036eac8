//! Steps 4 to 8 of a sign-in: from the discovered servers to a stored grant.

use std::time::Duration;

use net::clock::Clock;
use url::Url;

use crate::{
    credentials::Credentials,
    error::Error,
    http::Fetch,
    oauth::{
        OAuthError,
        authorization_server_metadata::AuthorizationServerMetadata,
        challenge::AuthorizationChallenge,
        client_credentials,
        discovery::Discovery,
        dpop::{AccessToken, DpopKey},
        enterprise,
        grant::Grant,
        identity::PreRegistered,
        registration::ClientRegistration,
        revocation::revoke,
        scope::Scope,
        token::{TokenEndpoint, TokenResponse},
        user_info::user_info,
        workload,
    },
    profile::{Profile, SignInMethod},
    sign_in::interaction::Interaction,
};

mod browser;
pub(crate) mod callback;
mod device;
pub(crate) mod interaction;
pub(crate) mod opener;
pub(crate) mod paste;

/// How long a former authorization server may take to revoke its grant.
const REVOKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything a sign-in needs from around it.
pub(crate) struct SignIn<'a> {
    pub(crate) server: &'a Url,
    pub(crate) fetch: &'a Fetch,
    pub(crate) credentials: &'a Credentials,
    pub(crate) clock: &'a Clock,
    pub(crate) interaction: &'a Interaction,
    /// Who this client is and how it gets its tokens.
    pub(crate) profile: &'a Profile,
    /// What the MCP server asked for.
    pub(crate) challenge: &'a AuthorizationChallenge,
    pub(crate) discovery: &'a Discovery,
    /// What to ask for.
    pub(crate) scope: &'a Scope,
    /// Whether the user has signed in already and the server wants more to be allowed.
    pub(crate) is_step_up: bool,
}

struct Granted {
    client: ClientRegistration,
    response: TokenResponse,
    dpop_key: Option<DpopKey>,
}

impl SignIn<'_> {
    /// Signs in and keeps the grant. Until that has succeeded nothing that was kept is touched,
    /// except the registration: one that led nowhere is not used again.
    pub(crate) async fn run(&self) -> Result<Grant, Error> {
        let Discovery { resource, authorization_server } = self.discovery;
        let is_bound = self.profile.dpop.applies(self.challenge, resource, authorization_server)?;
        let dpop_key = is_bound.then(|| DpopKey::generate(self.clock)).transpose()?;
        self.check_issuer(&authorization_server.issuer)?;
        let granted = match &self.profile.method {
            SignInMethod::Browser => self.by_browser(dpop_key).await?,
            SignInMethod::Device => self.by_device(dpop_key).await?,
            _ => self.by_proof(dpop_key).await?,
        };
        self.keep(granted).await
    }

    fn metadata(&self) -> &AuthorizationServerMetadata {
        &self.discovery.authorization_server
    }

    /// A client that was registered beforehand stays with the issuer it was first used at: its
    /// secret must not follow an MCP server that names another one.
    fn check_issuer(&self, issuer: &str) -> Result<(), Error> {
        let identity = &self.profile.identity;
        let Some(client) = &identity.pre_registered else { return Ok(()) };
        let stored = self.credentials.read()?;
        Ok(identity.check_issuer(issuer, stored.pinned_issuer(&client.client_id))?)
    }

    fn endpoint<'a>(
        &'a self,
        client: &'a ClientRegistration,
        dpop_key: Option<&'a DpopKey>,
    ) -> TokenEndpoint<'a> {
        let metadata = self.metadata();
        TokenEndpoint { fetch: self.fetch, metadata, client, dpop_key, clock: self.clock }
    }

    /// Tells the user which server wants what, and which other origins are involved: this exposes
    /// an authorization server that uses the sign-in page of another one.
    fn announce(&self) {
        let Self { server, scope, .. } = self;
        let output = &self.interaction.output;
        let wish = if self.is_step_up { "allow more" } else { "sign in" };
        output.say(&format!("{server} wants you to {wish} at {}.", self.metadata().issuer));
        for origin in self.metadata().foreign_origins() {
            output.say(&format!("That involves {origin} too."));
        }
        if !scope.is_empty() {
            output.say(&format!("It will ask you to allow: {scope}"));
        }
    }

    /// Gets a token without a user: the client, its company or its platform authenticates.
    async fn by_proof(&self, dpop_key: Option<DpopKey>) -> Result<Granted, Error> {
        // Without a browser there is no redirect URI.
        let client = self.profile.identity.registration_at(self.metadata(), "")?;
        let client = client.ok_or(OAuthError::NoPreRegisteredClient)?;
        let endpoint = self.endpoint(&client, dpop_key.as_ref());
        let resource = &self.discovery.resource.resource;
        let response = match &self.profile.method {
            SignInMethod::Enterprise(provider) => {
                enterprise::ask(&endpoint, resource, self.scope, provider).await?
            }
            SignInMethod::Workload(assertion) => {
                workload::ask(&endpoint, resource, self.scope, assertion).await?
            }
            _ => client_credentials::ask(&endpoint, resource, self.scope).await?,
        };
        Ok(Granted { client, response, dpop_key })
    }

    async fn keep(&self, granted: Granted) -> Result<Grant, Error> {
        let metadata = self.metadata();
        let now = self.clock.now();
        let Granted { client, response, dpop_key } = granted;
        let token = AccessToken { token: response.access_token.clone(), key: dpop_key.clone() };
        let person = user_info(self.fetch, metadata, &token).await;
        let grant = Grant {
            issuer: metadata.issuer.clone(),
            resource: self.discovery.resource.resource.clone(),
            client,
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            scope: response.scope.unwrap_or_else(|| self.scope.clone()),
            requested_scope: self.scope.clone(),
            issued_at: now,
            expires_at: response.expires_in.map(|seconds| now + seconds),
            dpop_key: dpop_key.as_ref().map(DpopKey::stored),
            person,
        };
        let lock = self.credentials.lock().await?;
        let orphan = self.credentials.change(&lock, |stored| {
            match &self.profile.identity.pre_registered {
                Some(PreRegistered { client_id, .. }) => {
                    stored.pin_issuer(client_id, &metadata.issuer);
                }
                None => stored.keep_registration(&metadata.issuer, grant.client.clone()),
            }
            stored.keep_grant(self.server, grant.clone())
        })?;
        drop(lock);
        if let Some(orphan) = orphan {
            // The server trusts another issuer now; the old one may no longer exist.
            let revoked = revoke(self.fetch, self.clock, &orphan);
            let _ = tokio::time::timeout(REVOKE_TIMEOUT, revoked).await;
        }
        match grant.person.as_ref().and_then(|person| person.display_name()) {
            Some(name) => self.interaction.output.say(&format!("Signed in as {name}.")),
            None => self.interaction.output.say("Signed in."),
        }
        Ok(grant)
    }
}
