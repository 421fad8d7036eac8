//! The grant for one server: how it is held, renewed, replaced and ended.
//!
//! [`recovery`](super::recovery) decides what a refused request calls for, this file does it, and
//! the [`TokenSlot`] hands the token to the connection.

use super::{
    options::ConnectionOptions,
    recovery::{Attempts, Refusal, Step},
    renewal::refresh,
    token_slot::TokenSlot,
};
use crate::{
    error::Error,
    http::Fetch,
    oauth::{
        OAuthError,
        challenge::AuthorizationChallenge,
        discovery::{Discovery, discover},
        dpop::AccessToken,
        grant::Grant,
        legacy,
        revocation::revoke,
        scope::{Scope, ScopeSources, select},
    },
    sign_in::SignIn,
    terminal::explain::Rule,
};

const CHALLENGE: Rule = Rule {
    title: "Read the challenge",
    because: "The server refused and says where its metadata is and which scopes this takes.",
    section: "RFC 9110 §11.6.1, RFC 9728 §5.1, RFC 6750 §3",
};

#[derive(Debug)]
pub(crate) enum SignedOut {
    AlreadyOut,
    /// The authorization server has revoked the grant.
    Revoked,
    /// The grant is only forgotten here; the text says why.
    ForgottenOnly(String),
}

/// The grant for one server, and what it takes to get, renew and end it.
pub(crate) struct Access {
    pub(crate) options: ConnectionOptions,
    fetch: Fetch,
    token: TokenSlot,
    grant: Option<Grant>,
}

impl Access {
    /// Starts with the stored grant for the server, if there is one.
    pub(crate) fn load(options: ConnectionOptions, fetch: Fetch) -> Result<Self, Error> {
        let mut access = Self { options, fetch, token: TokenSlot::default(), grant: None };
        access.reload()?;
        Ok(access)
    }

    pub(crate) fn token(&self) -> TokenSlot {
        self.token.clone()
    }

    /// The grant, if it still leads to an access token without the user.
    pub(crate) fn usable_grant(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| grant.is_usable(self.options.clock.now()))
    }

    /// The grant, if it no longer leads to an access token without the user.
    pub(crate) fn ended_grant(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| !grant.is_usable(self.options.clock.now()))
    }

    /// Holds what is stored now, which another process may have changed.
    pub(crate) fn reload(&mut self) -> Result<(), Error> {
        let stored = self.options.credentials.read()?;
        self.hold(stored.grant(&self.options.server).cloned());
        Ok(())
    }

    /// Holds no grant until [`Self::reload`], and leaves the stored one where it is.
    pub(crate) fn set_aside(&mut self) {
        self.hold(None);
    }

    fn hold(&mut self, grant: Option<Grant>) {
        let grant = grant.map(|grant| self.with_client_key(grant));
        self.token.set(grant.as_ref().and_then(|grant| self.access_token(grant)));
        self.grant = grant;
    }

    /// A bound token whose key cannot be restored is of no use, so it is not sent.
    fn access_token(&self, grant: &Grant) -> Option<AccessToken> {
        let key = grant.restored_key(&self.options.clock).ok()?;
        Some(AccessToken { token: grant.access_token.clone(), key })
    }

    /// A client's private key is never stored: it comes from the command line on every run.
    fn with_client_key(&self, mut grant: Grant) -> Grant {
        if let Some(client) = &self.options.profile.identity.pre_registered
            && client.client_id == grant.client.client_id
        {
            grant.client.key = client.key.clone();
        }
        grant
    }

    /// Renews the access token shortly before it expires. A failure is only an error once the old
    /// token has expired.
    pub(crate) async fn renew_if_due(&mut self) -> Result<(), Error> {
        let now = self.options.clock.now();
        let Some(grant) = self.grant.as_ref().filter(|grant| grant.is_due(now)) else {
            return Ok(());
        };
        let is_expired = grant.is_expired(now);
        let renewed = match &grant.refresh_token {
            Some(_) => self.renew().await.map(drop),
            None if self.options.profile.method.needs_user() => return Ok(()),
            None => self.request_again(grant.requested_scope.clone()).await,
        };
        if is_expired { renewed } else { Ok(()) }
    }

    /// Gets another token in the way that the current one was got, which does not involve the user.
    async fn request_again(&mut self, scope: Scope) -> Result<(), Error> {
        let scope = Some(scope).filter(|scope| !scope.is_empty());
        let challenge = AuthorizationChallenge { scope, ..AuthorizationChallenge::default() };
        let refusal = Refusal { is_unauthorized: true, challenge };
        self.recover(&refusal, &mut Attempts::for_sign_in()).await
    }

    /// Uses the refresh token. Returns `false` if the user has to sign in again, because the
    /// authorization server refuses or because its answer or metadata cannot be used: an error
    /// would keep the user out for as long as the grant is stored.
    async fn renew(&mut self) -> Result<bool, Error> {
        let Some(held) = &self.grant else { return Ok(false) };
        match refresh(&self.fetch, &self.options, held).await {
            Ok(grant) => {
                let is_new = grant.access_token != held.access_token;
                self.hold(Some(grant));
                Ok(is_new)
            }
            Err(Error::OAuth(error)) if !error.is_temporary() => {
                self.reload()?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the steps that `refusal` calls for until the request is worth repeating.
    pub(crate) async fn recover(
        &mut self,
        refusal: &Refusal,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        let can_sign_in =
            self.options.interaction.may_ask || !self.options.profile.method.needs_user();
        loop {
            match attempts.next(refusal, self.grant.as_ref(), can_sign_in) {
                Step::Reload if self.find_newer_token()? => return Ok(()),
                Step::Refresh if self.renew().await? => return Ok(()),
                Step::Reload | Step::Refresh => {}
                Step::SignIn => {
                    self.discard_refused(refusal).await?;
                    return self.sign_in(refusal, attempts).await;
                }
                Step::GiveUp => {
                    self.discard_refused(refusal).await?;
                    return Err(if refusal.is_unauthorized {
                        Error::SignedOut { server: self.options.server.to_string() }
                    } else {
                        self.forbidden(refusal)
                    });
                }
            }
        }
    }

    /// Whether another process has stored a token that the server has not refused yet.
    fn find_newer_token(&mut self) -> Result<bool, Error> {
        let refused = self.grant.take().map(|grant| grant.access_token);
        self.reload()?;
        let stored = self.grant.as_ref().map(|grant| &grant.access_token);
        Ok(stored.is_some() && stored != refused.as_ref())
    }

    /// Notes in the file that the token is of no use, so that no other process tries it.
    async fn discard_refused(&self, refusal: &Refusal) -> Result<(), Error> {
        let Some(refused) = self.grant.as_ref().filter(|_| refusal.is_unauthorized) else {
            return Ok(());
        };
        let ConnectionOptions { credentials, clock, server, .. } = &self.options;
        let lock = credentials.lock().await?;
        let now = clock.now();
        credentials.change(&lock, |stored| stored.mark_refused(server, refused, now))?;
        Ok(())
    }

    async fn sign_in(&mut self, refusal: &Refusal, attempts: &mut Attempts) -> Result<(), Error> {
        self.explain(refusal);
        let discovery = self.discover(refusal).await?;
        // Only a grant from the authorization server that the MCP server trusts now counts.
        let current = self.grant.as_ref().filter(|grant| grant.is_from(&discovery));
        let requested_before = current.map(|grant| &grant.requested_scope);
        let scope = select(ScopeSources {
            challenge: refusal.challenge.scope.as_ref(),
            resource: discovery.resource.scope().as_ref(),
            authorization_server: discovery.authorization_server.scope().as_ref(),
            requested_before,
        })?;
        if !attempts.start_sign_in(refusal, requested_before, &scope) {
            return Err(if refusal.is_unauthorized {
                OAuthError::TokensRefused { server: self.options.server.to_string() }.into()
            } else {
                self.forbidden(refusal)
            });
        }
        let sign_in = SignIn {
            server: &self.options.server,
            fetch: &self.fetch,
            credentials: &self.options.credentials,
            clock: &self.options.clock,
            interaction: &self.options.interaction,
            profile: &self.options.profile,
            challenge: &refusal.challenge,
            discovery: &discovery,
            scope: &scope,
            is_step_up: !refusal.is_unauthorized,
        };
        let grant = sign_in.run().await?;
        self.hold(Some(grant));
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) {
        let explanation = &self.fetch.explanation;
        explanation.step(&CHALLENGE);
        explanation.fact("status", if refusal.is_unauthorized { "401" } else { "403" });
        if let Some(address) = &refusal.challenge.resource_metadata {
            explanation.fact("resource_metadata", address);
        }
        if let Some(scope) = &refusal.challenge.scope {
            explanation.fact("scope", scope);
        }
    }

    async fn discover(&self, refusal: &Refusal) -> Result<Discovery, OAuthError> {
        let ConnectionOptions { server, profile, .. } = &self.options;
        if profile.protocol.predates_resource_metadata() {
            legacy::discover(&self.fetch, server).await
        } else {
            discover(&self.fetch, server, &refusal.challenge).await
        }
    }

    /// Revokes the grant at the authorization server if possible, and forgets it here in any case.
    pub(crate) async fn sign_out(&mut self) -> Result<SignedOut, Error> {
        let lock = self.options.credentials.lock().await?;
        self.reload()?;
        let Some(grant) = self.grant.clone() else { return Ok(SignedOut::AlreadyOut) };
        let revoked = revoke(&self.fetch, &self.options.clock, &grant).await;
        let ConnectionOptions { credentials, server, .. } = &self.options;
        credentials.change(&lock, |stored| stored.forget_grant(server))?;
        self.hold(None);
        Ok(match revoked {
            Ok(true) => SignedOut::Revoked,
            Ok(false) => SignedOut::ForgottenOnly(format!("{} offers no revocation", grant.issuer)),
            Err(error) => SignedOut::ForgottenOnly(error.to_string()),
        })
    }

    fn forbidden(&self, refusal: &Refusal) -> Error {
        let scope = refusal.challenge.scope.as_ref().map(Scope::to_string).unwrap_or_default();
        Error::Forbidden { server: self.options.server.to_string(), scope, words: String::new() }
    }
}
