//! Aside: tokens that are bound to a private key of this client (RFC 9449).
//!
//! Each grant has its own key. Every request carries a fresh proof for its method and URL. A nonce
//! from a server goes into later proofs for that origin only.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use keys::{Algorithm, DpopRequest, SigningKey};
use net::clock::Clock;
use url::Url;

use super::OAuthError;
use crate::secret::Secret;

/// The header that carries a proof (RFC 9449 §4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header in which a server sends a nonce (RFC 9449 §8).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// The error that asks for a nonce, at both kinds of server (RFC 9449 §8 and §9).
pub(crate) const USE_DPOP_NONCE: &str = "use_dpop_nonce";
/// Longest nonce that is sent back, in bytes.
const MAX_NONCE: usize = 1024;

/// The key of one grant, and the nonces that servers have sent.
#[derive(Clone)]
pub(crate) struct DpopKey {
    key: Arc<SigningKey>,
    clock: Clock,
    /// By origin: a nonce of one server means nothing to another.
    nonces: Arc<Mutex<BTreeMap<String, String>>>,
}

impl DpopKey {
    pub(crate) fn generate(clock: &Clock) -> Result<Self, OAuthError> {
        let key = SigningKey::generate(Algorithm::ES256).map_err(|_| OAuthError::Random)?;
        Ok(Self::from_key(key, clock))
    }

    /// The key that [`Self::stored`] wrote.
    pub(crate) fn restore(stored: &Secret, clock: &Clock) -> Result<Self, OAuthError> {
        let key =
            SigningKey::from_json(stored.reveal().as_bytes()).map_err(OAuthError::unusable_key)?;
        Ok(Self::from_key(key, clock))
    }

    fn from_key(key: SigningKey, clock: &Clock) -> Self {
        Self { key: Arc::new(key), clock: clock.clone(), nonces: Arc::default() }
    }

    /// The private key, to be stored with the tokens that are bound to it.
    pub(crate) fn stored(&self) -> Secret {
        Secret::new(self.key.private_jwk())
    }

    /// The thumbprint of the key, which the authorization request announces (RFC 9449 §10).
    pub(crate) fn thumbprint(&self) -> String {
        self.key.thumbprint().to_owned()
    }

    /// The header with a fresh proof for one request, bound to the access token it carries.
    pub(crate) fn proof(
        &self,
        method: &str,
        url: &Url,
        access_token: Option<&Secret>,
    ) -> Result<HeaderValue, OAuthError> {
        let nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = nonces.get(&url.origin().ascii_serialization());
        let request = DpopRequest {
            method,
            url: url.as_str(),
            access_token: access_token.map(Secret::reveal),
            nonce: nonce.map(String::as_str),
            now: self.clock.now(),
        };
        let proof = self.key.dpop_proof(&request).map_err(OAuthError::unusable_key)?;
        HeaderValue::from_str(&proof).map_err(OAuthError::unusable_key)
    }

    /// Keeps the nonce of a response for later proofs to the same origin. Returns whether it is
    /// new, so that the request is worth repeating.
    pub(crate) fn learn(&self, url: &Url, answer: &HeaderMap) -> bool {
        let nonce = answer.get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok());
        let Some(nonce) = nonce.filter(|nonce| nonce.len() <= MAX_NONCE) else { return false };
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = url.origin().ascii_serialization();
        nonces.insert(origin, nonce.to_owned()).as_deref() != Some(nonce)
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[key]")
    }
}

/// An access token and, if it is bound to one, its key.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) token: Secret,
    /// The key it is bound to.
    pub(crate) key: Option<DpopKey>,
}

impl AccessToken {
    /// The headers that carry the token in one request (RFC 6750 §2.1, RFC 9449 §7.1).
    pub(crate) fn headers(&self, method: &str, url: &Url) -> Result<HeaderMap, OAuthError> {
        let scheme = if self.key.is_some() { "DPoP" } else { "Bearer" };
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("{scheme} {}", self.token.reveal()));
        let mut value = value.map_err(OAuthError::unusable_key)?;
        value.set_sensitive(true);
        headers.insert(http::header::AUTHORIZATION, value);
        if let Some(key) = &self.key {
            headers.insert(DPOP, key.proof(method, url, Some(&self.token))?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_kept_for_the_origin_that_gave_it() {
        let url = |text| Url::parse(text).expect("a URL");
        let key = DpopKey::generate(&Clock::system()).expect("a key");
        let answer = HeaderMap::from_iter([(DPOP_NONCE, HeaderValue::from_static("n1"))]);
        assert!(key.learn(&url("https://as.example/token"), &answer));
        assert!(!key.learn(&url("https://as.example/other"), &answer), "it is known already");
        assert!(key.learn(&url("https://mcp.example/mcp"), &answer));
    }
}
