//! A trusted issuer, and verification of its tokens.

use std::{sync::Arc, time::Duration};

use keys::{AccessTokenClaims, UnverifiedToken, Verifier, VerifyError};
use net::clock::Clock;
use reqwest::redirect::Policy;
use serde::Deserialize;
use url::Url;

use crate::{
    authorization_server::AuthorizationServer,
    bearer::BearerToken,
    deny_list::{DenyList, Revocations},
    jwks::KeyCache,
    loopback::is_loopback,
    opaque::Introspection,
    refusal::Refusal,
    verified_tokens::VerifiedTokens,
};

/// An authorization server whose tokens are accepted.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) identifier: String,
    pub(crate) server: Arc<AuthorizationServer>,
    verifier: Verifier,
    verified: VerifiedTokens,
    keys: Arc<KeyCache>,
    pub(crate) introspection: Option<Introspection>,
    pub(crate) deny_list: Arc<DenyList>,
}

impl Issuer {
    /// An issuer of tokens for `audiences`, whose opaque tokens are refused.
    pub(crate) fn new(
        identifier: String,
        audiences: Vec<String>,
        revocations: Revocations,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let http = http_client(&identifier)?;
        let server = Arc::new(AuthorizationServer::new(http, identifier.clone()));
        let keys = KeyCache::new(server.clone(), clock.clone());
        Ok(Self {
            verifier: Verifier::new(&identifier, audiences),
            verified: VerifiedTokens::new(),
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
        token: &BearerToken,
        jwt: &UnverifiedToken<'_>,
        now: i64,
    ) -> Result<VerifiedToken<'_>, Refusal> {
        let key_id = jwt.key_id()?;
        let keys = self.keys.holding(key_id).await?;
        let claims =
            self.verified.claims(token, &keys, || Verifier::verify_signature(jwt, &keys))?;
        self.verifier.check_claims(&claims, now)?;
        Ok(VerifiedToken { issuer: self, claims, key_id: Some(key_id.to_owned()) })
    }

    async fn introspect(
        &self,
        token: &BearerToken,
        now: i64,
    ) -> Result<VerifiedToken<'_>, Refusal> {
        let introspection = self.introspection.as_ref().ok_or(Refusal::Opaque)?;
        let claims = introspection.claims(token, now).await?;
        Ok(VerifiedToken { issuer: self, claims, key_id: None })
    }
}

/// A token that has passed every check but those of revocation and possession.
pub(crate) struct VerifiedToken<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) claims: Arc<AccessTokenClaims>,
    /// The `kid` of the key that signed it; `None` for an opaque token.
    pub(crate) key_id: Option<String>,
}

/// Verifies a token with the issuer that it names. Nothing is fetched for a token of a stranger. The
/// first issuer gets opaque tokens and those that name no issuer. What looks like a JWT is never
/// introspected: that would be a second opinion on a token that was refused.
pub(crate) async fn verify<'a>(
    issuers: &'a [Issuer],
    token: &BearerToken,
    now: i64,
) -> Result<VerifiedToken<'a>, Refusal> {
    let first = issuers.first().ok_or(VerifyError::WrongIssuer)?;
    if !token.is_jwt() {
        return first.introspect(token, now).await;
    }
    let jwt = UnverifiedToken::parse(token.expose())?;
    let issuer = match named_issuer(&jwt) {
        Some(name) => issuers.iter().find(|issuer| issuer.identifier == name),
        None => Some(first),
    };
    issuer.ok_or(VerifyError::WrongIssuer)?.verify(token, &jwt, now).await
}

fn named_issuer(token: &UnverifiedToken<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    token.claims().ok().map(|claims: Claims| claims.iss)
}

fn http_client(issuer: &str) -> Result<reqwest::Client, reqwest::Error> {
    let mut http = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(5));
    if Url::parse(issuer).is_ok_and(|url| is_loopback(&url)) {
        http = http.no_proxy();
    }
    http.build()
}
