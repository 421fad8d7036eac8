//! The right to use one server: what is held, and what is done when the server wants more.

use net::clock::Clock;
use url::Url;

use crate::{
    credentials::Credentials,
    error::Error,
    files::received::Received,
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
    session::{connection::Refusal, renewal::refresh, setup::Setup, wire::TokenSlot},
    sign_in::{SignIn, manners::Manners},
    terminal::explain::Rule,
};

/// How often one operation may send the person to the browser.
const MOST_SIGN_INS: u8 = 3;
const CHALLENGE: Rule = Rule {
    title: "Read the challenge",
    because: "The server refused and says where its metadata is and which scopes this takes.",
    section: "RFC 9110 §11.6.1, RFC 9728 §5.1, RFC 6750 §3",
};

/// What has been tried for one operation, so that nothing is tried for ever.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    looked_again: bool,
    refreshed: bool,
    sign_ins: u8,
}

impl Attempts {
    /// Goes straight to the person.
    pub fn for_sign_in() -> Self {
        Self { looked_again: true, refreshed: true, sign_ins: 0 }
    }
}

/// What came of giving a grant up.
#[derive(Debug)]
pub enum SignedOut {
    /// Nobody was signed in.
    AlreadyOut,
    /// The authorization server has ended the grant.
    Revoked,
    /// The grant is only forgotten here; the text says why.
    ForgottenOnly(String),
}

/// The grant for one server and everything needed to get, renew and end it.
pub struct Access {
    setup: Setup,
    fetch: Fetch,
    token: TokenSlot,
    grant: Option<Grant>,
}

impl Access {
    /// Access with what the credentials in `setup` hold for the server.
    ///
    /// # Errors
    /// [`Error::Credentials`] when they cannot be read.
    pub fn load(setup: Setup, fetch: Fetch) -> Result<Self, Error> {
        let mut access = Self { setup, fetch, token: TokenSlot::default(), grant: None };
        access.load_again()?;
        Ok(access)
    }

    /// Where the token of the moment is to be found.
    pub fn token(&self) -> TokenSlot {
        self.token.clone()
    }

    /// The grant that is held, if it can still lead to an answer without asking the person.
    pub fn usable_grant(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| grant.is_usable(self.setup.clock.now()))
    }

    /// What time it is.
    pub fn now(&self) -> i64 {
        self.setup.clock.now()
    }

    /// How the person is involved.
    pub fn manners(&self) -> &Manners {
        &self.setup.manners
    }

    /// What tells the time.
    pub fn clock(&self) -> &Clock {
        &self.setup.clock
    }

    /// Where the grant is kept.
    pub fn credentials(&self) -> &Credentials {
        &self.setup.credentials
    }

    /// The same for the server at `address`.
    pub fn setup_for(&self, address: Url) -> Setup {
        Setup { server: address, ..self.setup.clone() }
    }

    /// Where images and other data go that the server sends.
    pub fn received(&self) -> &Received {
        &self.setup.received
    }

    /// Goes back to what is stored.
    ///
    /// # Errors
    /// [`Error::Credentials`] when it cannot be read.
    pub fn load_again(&mut self) -> Result<(), Error> {
        let stored = self.setup.credentials.read()?;
        self.hold(stored.grant(&self.setup.server).cloned());
        Ok(())
    }

    /// Holds nothing for now, and leaves what is stored where it is.
    pub fn set_aside(&mut self) {
        self.hold(None);
    }

    fn hold(&mut self, grant: Option<Grant>) {
        let grant = grant.map(|grant| self.with_key(grant));
        self.token.set(grant.as_ref().and_then(|grant| self.presented(grant)));
        self.grant = grant;
    }

    /// The token as it is presented. With a key that cannot be read it is of no use.
    fn presented(&self, grant: &Grant) -> Option<AccessToken> {
        let key = grant.restored_key(&self.setup.clock).ok()?;
        Some(AccessToken { token: grant.access_token.clone(), key })
    }

    /// A client's private key is never stored; whoever signs with one gives it anew each time.
    fn with_key(&self, mut grant: Grant) -> Grant {
        if let Some(client) = &self.setup.profile.identity.pre_registered
            && client.client_id == grant.client.client_id
        {
            grant.client.key = client.key.clone();
        }
        grant
    }

    /// Renews the access token shortly before it expires. While the old one is good, a failure to
    /// renew it keeps nobody from working.
    ///
    /// # Errors
    /// [`Error::OAuth`] when the token has expired and the authorization server is unreachable.
    pub async fn renew_if_due(&mut self) -> Result<(), Error> {
        let now = self.setup.clock.now();
        let Some(grant) = self.grant.as_ref().filter(|grant| grant.is_due(now)) else {
            return Ok(());
        };
        let still_good = !grant.is_expired(now);
        let renewed = match &grant.refresh_token {
            Some(_) => self.renew().await.map(drop),
            None if self.setup.profile.means.needs_person() => return Ok(()),
            None => self.ask_again(grant.requested_scope.clone()).await,
        };
        renewed.or_else(|error| if still_good { Ok(()) } else { Err(error) })
    }

    /// Gets a token the way that the one which ends was got, where that takes nobody.
    async fn ask_again(&mut self, scope: Scope) -> Result<(), Error> {
        let scope = Some(scope).filter(|scope| !scope.is_empty());
        let challenge = AuthorizationChallenge { scope, ..AuthorizationChallenge::default() };
        let refusal = Refusal { is_unauthorized: true, challenge };
        self.answer(&refusal, &mut Attempts::for_sign_in()).await
    }

    /// Refreshes; `false` if the person has to sign in again: the authorization server refuses, or
    /// its answer or its metadata cannot be used. Otherwise a grant that can no longer be renewed
    /// would keep the person out for good.
    async fn renew(&mut self) -> Result<bool, Error> {
        let Some(held) = &self.grant else { return Ok(false) };
        let renewed = refresh(
            &self.fetch,
            &self.setup.credentials,
            &self.setup.clock,
            &self.setup.server,
            held,
        )
        .await;
        match renewed {
            Ok(grant) => {
                let is_new = grant.access_token != held.access_token;
                self.hold(Some(grant));
                Ok(is_new)
            }
            Err(Error::OAuth(error)) if !error.is_temporary() => {
                self.load_again()?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Does what a refusal asks for: look whether another process has a newer token, refresh, sign
    /// in, or sign in for more. Afterwards the operation is worth repeating.
    ///
    /// # Errors
    /// [`Error`] when nothing would help, or when what was tried has failed.
    pub async fn answer(
        &mut self,
        refusal: &Refusal,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        if refusal.is_unauthorized && self.recover(attempts).await? {
            return Ok(());
        }
        if !refusal.is_unauthorized && !refusal.challenge.wants_more_scope() {
            return Err(self.forbidden(refusal));
        }
        if !self.setup.manners.may_ask && self.setup.profile.means.needs_person() {
            return Err(self.signed_out_or_forbidden(refusal));
        }
        self.explain(refusal);
        let discovery = self.discover(refusal).await?;
        let asked = self.grant_from(&discovery).map(|grant| &grant.requested_scope);
        let scope = select(ScopeSources {
            challenge: refusal.challenge.scope.as_ref(),
            resource: discovery.resource.scope().as_ref(),
            authorization_server: discovery.authorization_server.scope().as_ref(),
            requested_before: asked,
        })?;
        if is_in_vain(refusal, attempts, asked, &scope) {
            return Err(self.in_vain(refusal));
        }
        attempts.sign_ins += 1;
        let grant = self.sign_in(refusal).run(&discovery, &scope).await?;
        self.hold(Some(grant));
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) {
        let Refusal { is_unauthorized, challenge } = refusal;
        let explanation = &self.fetch.explanation;
        explanation.step(&CHALLENGE);
        explanation.fact("status", if *is_unauthorized { "401" } else { "403" });
        if let Some(address) = &challenge.resource_metadata {
            explanation.fact("resource_metadata", address);
        }
        if let Some(scope) = &challenge.scope {
            explanation.fact("scope", scope);
        }
    }

    async fn discover(&self, refusal: &Refusal) -> Result<Discovery, OAuthError> {
        match self.setup.profile.protocol.predates_resource_metadata() {
            true => legacy::discover(&self.fetch, &self.setup.server).await,
            false => discover(&self.fetch, &self.setup.server, &refusal.challenge).await,
        }
    }

    /// What can be done without the person.
    async fn recover(&mut self, attempts: &mut Attempts) -> Result<bool, Error> {
        if !attempts.looked_again {
            attempts.looked_again = true;
            let refused = self.grant.take();
            self.load_again()?;
            let newer = self.grant.as_ref().map(|grant| &grant.access_token);
            if newer.is_some() && newer != refused.as_ref().map(|grant| &grant.access_token) {
                return Ok(true);
            }
        }
        if !attempts.refreshed
            && self.grant.as_ref().is_some_and(|held| held.refresh_token.is_some())
        {
            attempts.refreshed = true;
            if self.renew().await? {
                return Ok(true);
            }
        }
        if let Some(refused) = &self.grant {
            let (lock, now) = (self.setup.credentials.lock().await?, self.setup.clock.now());
            self.setup
                .credentials
                .change(&lock, |stored| stored.mark_refused(&self.setup.server, refused, now))?;
        }
        Ok(false)
    }

    /// The grant, if it is from the authorization server that the server trusts now.
    fn grant_from(&self, discovery: &Discovery) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| {
            grant.issuer == discovery.authorization_server.issuer
                && grant.resource == discovery.resource.resource
        })
    }

    fn sign_in<'a>(&'a self, refusal: &'a Refusal) -> SignIn<'a> {
        SignIn {
            server: &self.setup.server,
            fetch: &self.fetch,
            credentials: &self.setup.credentials,
            clock: &self.setup.clock,
            manners: &self.setup.manners,
            profile: &self.setup.profile,
            challenge: &refusal.challenge,
            is_step_up: !refusal.is_unauthorized,
        }
    }

    /// Ends the grant at the authorization server if that can be done, and forgets it here in any
    /// case.
    ///
    /// # Errors
    /// [`Error::Credentials`] when it cannot be forgotten here.
    pub async fn sign_out(&mut self) -> Result<SignedOut, Error> {
        let lock = self.setup.credentials.lock().await?;
        self.load_again()?;
        let Some(grant) = self.grant.clone() else { return Ok(SignedOut::AlreadyOut) };
        let revoked = revoke(&self.fetch, &self.setup.clock, &grant).await;
        self.setup.credentials.change(&lock, |stored| stored.forget_grant(&self.setup.server))?;
        self.hold(None);
        Ok(match revoked {
            Ok(true) => SignedOut::Revoked,
            Ok(false) => SignedOut::ForgottenOnly(format!("{} offers no revocation", grant.issuer)),
            Err(error) => SignedOut::ForgottenOnly(error.to_string()),
        })
    }

    fn forbidden(&self, refusal: &Refusal) -> Error {
        let scope = refusal.challenge.scope.as_ref().map(Scope::to_string).unwrap_or_default();
        Error::Forbidden { server: self.setup.server.to_string(), scope, words: String::new() }
    }

    fn signed_out_or_forbidden(&self, refusal: &Refusal) -> Error {
        match refusal.is_unauthorized {
            true => Error::SignedOut { server: self.setup.server.to_string() },
            false => self.forbidden(refusal),
        }
    }

    fn in_vain(&self, refusal: &Refusal) -> Error {
        match refusal.is_unauthorized {
            true => OAuthError::TokensRefused { server: self.setup.server.to_string() }.into(),
            false => self.forbidden(refusal),
        }
    }
}

/// Whether asking the person would change nothing: it has been done too often, or exactly `scope`
/// has been `asked` for already and the server refuses what came of it.
fn is_in_vain(
    refusal: &Refusal,
    attempts: &Attempts,
    asked: Option<&Scope>,
    scope: &Scope,
) -> bool {
    let was_asked = asked.is_some_and(|asked| asked.covers(scope));
    let came_of_it = !refusal.is_unauthorized || attempts.sign_ins > 0;
    attempts.sign_ins == MOST_SIGN_INS || (was_asked && came_of_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_vain(is_unauthorized: bool, sign_ins: u8, asked: Option<&str>) -> bool {
        let refusal = Refusal { is_unauthorized, challenge: AuthorizationChallenge::default() };
        let attempts = Attempts { sign_ins, ..Attempts::default() };
        is_in_vain(&refusal, &attempts, asked.map(Scope::parse).as_ref(), &Scope::parse("a b"))
    }

    #[test]
    fn a_missing_or_old_token_is_worth_a_sign_in() {
        assert!(!in_vain(true, 0, None));
        assert!(!in_vain(true, 0, Some("a b")), "the token may simply have expired");
    }

    #[test]
    fn a_token_refused_right_after_the_sign_in_is_not_worth_another() {
        assert!(in_vain(true, 1, Some("a b")));
        assert!(!in_vain(true, 1, None), "the server trusts another authorization server now");
    }

    #[test]
    fn more_scope_is_asked_for_once() {
        assert!(!in_vain(false, 0, Some("a")));
        assert!(in_vain(false, 0, Some("a b c")));
    }

    #[test]
    fn nobody_is_asked_a_fourth_time() {
        assert!(!in_vain(false, 2, Some("a")) && in_vain(false, 3, Some("a")));
    }
}
