//! An issuer that is trusted, and how its tokens are judged.

use std::{sync::Arc, time::Duration};

use keys::{AccessTokenClaims, Verifier, VerifyError};
use net::clock::Clock;
use reqwest::redirect::Policy;
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
    introspection: Option<Introspection>,
    pub(crate) deny_list: Arc<DenyList>,
}

impl Issuer {
    /// An issuer of tokens for `audiences`, with the credentials to ask it about opaque ones.
    pub(crate) fn new(
        identifier: String,
        audiences: Vec<String>,
        introspection: Option<(String, String)>,
        (revocations, clock): (Revocations, &Clock),
    ) -> Result<Self, reqwest::Error> {
        let http = http_client(&identifier)?;
        let server = Arc::new(AuthorizationServer::new(http, identifier.clone()));
        let introspection = introspection
            .map(|credentials| Introspection::new(server.clone(), credentials, audiences.clone()));
        let keys = KeyCache::new(server.clone(), clock.clone());
        Ok(Self {
            verifier: Verifier::new(&identifier, audiences),
            verified: VerifiedTokens::new(),
            deny_list: DenyList::new(server.clone(), revocations, keys.clone(), clock.clone()),
            keys,
            introspection,
            server,
            identifier,
        })
    }

    /// Until when a token of this issuer is accepted that says when it expires.
    pub(crate) fn accepts_until(&self, expires_at: i64) -> i64 {
        expires_at.saturating_add(self.verifier.leeway())
    }

    /// What `token` says, once every check has passed, and which key signed it. What looks like a
    /// JWT is judged as one: it never gets a second opinion.
    pub(crate) async fn claims(
        &self,
        token: &BearerToken,
        now: i64,
    ) -> Result<(Arc<AccessTokenClaims>, Option<String>), Refusal> {
        if !token.is_jwt() {
            let introspection = self.introspection.as_ref().ok_or(Refusal::Opaque)?;
            return Ok((introspection.claims(token, now).await?, None));
        }
        let kid = Verifier::key_id(token.expose()).map_err(Refusal::Refused)?;
        let keys = self.keys.holding(&kid).await?;
        let verify = || self.verifier.verify(token.expose(), &keys, now);
        let claims = self.verified.claims(token, &keys, verify).map_err(Refusal::Refused)?;
        self.verifier.judge(&claims, now).map_err(Refusal::Refused)?;
        Ok((claims, Some(kid)))
    }
}

/// Whose token it is, as it says itself; its keys then tell whether that is true. A token of a
/// stranger costs no fetch. An opaque one, and one that names no issuer, is the first's to judge.
pub(crate) fn of<'a>(issuers: &'a [Issuer], token: &BearerToken) -> Result<&'a Issuer, Refusal> {
    let named = match token.is_jwt() {
        true => Verifier::issuer_named_in(token.expose()),
        false => None,
    };
    let found = match named {
        Some(named) => issuers.iter().find(|issuer| issuer.identifier == named),
        None => issuers.first(),
    };
    found.ok_or(Refusal::Refused(VerifyError::WrongIssuer))
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
