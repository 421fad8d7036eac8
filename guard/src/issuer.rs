//! The trusted issuers, and verification of their tokens.

#[cfg(test)]
mod tests;

use std::{iter, sync::Arc, time::Duration};

use keys::{AccessTokenClaims, PublishedKeys, UnverifiedToken, Verifier, VerifyError};
use net::{clock::Clock, https::client_builder};
use reqwest::redirect::Policy;
use serde::Deserialize;
use url::Url;

use crate::{
    authorization_server::AuthorizationServer,
    bearer::BearerToken,
    deny_list::{DenyList, Revocations},
    digest::{Digest, sha256},
    jwks::KeyCache,
    loopback::is_loopback,
    opaque::Introspection,
    refusal::Refusal,
    scope_hierarchy::ScopeHierarchy,
    verified_tokens::{VerifiedToken, VerifiedTokens},
};

/// An authorization server whose tokens are accepted.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) identifier: String,
    pub(crate) server: Arc<AuthorizationServer>,
    verifier: Verifier,
    keys: Arc<KeyCache>,
    pub(crate) introspection: Option<Introspection>,
    pub(crate) deny_list: Arc<DenyList>,
}

impl Issuer {
    /// The issuer that `verifier` is for, whose opaque tokens are refused.
    pub(crate) fn new(
        verifier: Verifier,
        revocations: Revocations,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let identifier = verifier.issuer().to_owned();
        let http = http_client(&identifier)?;
        let server = AuthorizationServer::new(http, identifier.clone());
        let server = Arc::new(server.with_profile(verifier.profile()));
        let keys = KeyCache::new(server.clone(), clock.clone());
        Ok(Self {
            verifier,
            deny_list: DenyList::new(server.clone(), revocations, keys.clone(), clock),
            keys,
            introspection: None,
            server,
            identifier,
        })
    }

    /// The time until which a token of this issuer is accepted, leeway included.
    pub(crate) fn accepts_until(&self, expires_at: i64) -> i64 {
        expires_at.saturating_add(self.verifier.leeway())
    }

    async fn verify(
        &self,
        jwt: UnverifiedToken<'_>,
        now: i64,
    ) -> Result<(AccessTokenClaims, String, Arc<PublishedKeys>), Refusal> {
        let candidate = self.verifier.check_unverified(jwt, now)?;
        let key_id = candidate.key_id().to_owned();
        let keys = self.keys.holding(&key_id).await?;
        let claims = candidate.verify_signature(&keys)?;
        Ok((claims, key_id, keys))
    }
}

/// The trusted issuers, and the tokens of theirs that were verified lately.
#[derive(Debug)]
pub(crate) struct Issuers {
    /// The first gets opaque tokens and those that name no issuer.
    first: Issuer,
    others: Vec<Issuer>,
    hierarchy: ScopeHierarchy,
    verified: VerifiedTokens,
}

impl Issuers {
    pub(crate) fn new(first: Issuer, others: Vec<Issuer>, hierarchy: ScopeHierarchy) -> Self {
        Self { first, others, hierarchy, verified: VerifiedTokens::new() }
    }

    pub(crate) fn find(&self, identifier: &str) -> Option<&Issuer> {
        iter::once(&self.first).chain(&self.others).find(|issuer| issuer.identifier == identifier)
    }

    /// Verifies a token with the issuer that it names. Nothing is fetched for a token of a stranger.
    /// What looks like a JWT is never introspected: that would be a second opinion on a token that
    /// was refused.
    pub(crate) async fn verify(
        &self,
        token: BearerToken<'_>,
        now: i64,
    ) -> Result<(Arc<VerifiedToken>, &Issuer), Refusal> {
        if !token.is_jwt() {
            let introspection = self.first.introspection.as_ref().ok_or(Refusal::Opaque)?;
            let claims = introspection.claims(token, now).await?;
            let claims = Arc::unwrap_or_clone(claims);
            let verified = VerifiedToken::new(claims, None, &self.hierarchy);
            return Ok((Arc::new(verified), &self.first));
        }
        let digest = sha256(token.expose());
        if let Some(known) = self.known(&digest, now).await? {
            return Ok(known);
        }
        let jwt = UnverifiedToken::parse(token.expose())?;
        let issuer = match named_issuer(&jwt) {
            Some(name) => self.find(&name),
            None => Some(&self.first),
        };
        let issuer = issuer.ok_or(VerifyError::WrongIssuer)?;
        let (claims, key_id, keys) = issuer.verify(jwt, now).await?;
        let verified = Arc::new(VerifiedToken::new(claims, Some(key_id), &self.hierarchy));
        self.verified.insert(digest, token.expose().len(), verified.clone(), keys);
        Ok((verified, issuer))
    }

    /// The token if it was verified with the keys that its issuer has now.
    async fn known(
        &self,
        digest: &Digest,
        now: i64,
    ) -> Result<Option<(Arc<VerifiedToken>, &Issuer)>, Refusal> {
        let Some(known) = self.verified.get(digest) else {
            return Ok(None);
        };
        let caller = &known.token.caller;
        let (Some(issuer), Some(key_id)) = (self.find(&caller.issuer), &caller.key_id) else {
            return Ok(None);
        };
        issuer.verifier.check_lifetime(known.token.lifetime, now)?;
        let keys = issuer.keys.holding(key_id).await?;
        Ok(known.under(&keys).map(|token| (token, issuer)))
    }
}

fn named_issuer(token: &UnverifiedToken<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    token.claims().ok().map(|claims: Claims| claims.iss)
}

fn http_client(issuer: &str) -> Result<reqwest::Client, reqwest::Error> {
    let mut http = client_builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(5));
    if Url::parse(issuer).is_ok_and(|url| is_loopback(&url)) {
        http = http.no_proxy();
    }
    http.build()
}
