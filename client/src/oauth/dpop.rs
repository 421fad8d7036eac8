//! Aside: tokens that only work together with a key that stays here (RFC 9449).
//!
//! The key is made for one grant. Every request carries a proof of its own, made for its method
//! and address; a nonce that a server hands out goes into the next proofs for that origin only.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use keys::{Algorithm, DpopRequest, SigningKey};
use url::Url;

use super::{
    OAuthError, authorization_server_metadata::AuthorizationServerMetadata,
    challenge::AuthorizationChallenge, protected_resource::ProtectedResourceMetadata,
};
use crate::{clock::Clock, secret::Secret};

/// The header that carries a proof (RFC 9449 §4.1).
pub const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header that hands out a nonce (RFC 9449 §8).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// The error that asks for a nonce, at both kinds of server (RFC 9449 §8 and §9).
pub const USE_DPOP_NONCE: &str = "use_dpop_nonce";
/// Longer nonces are not worth carrying.
const LONGEST_NONCE: usize = 1024;

/// Whether tokens are bound to a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DpopChoice {
    /// If the MCP server takes such tokens and its authorization server issues them
    #[default]
    Auto,
    /// Always; a server that cannot is refused
    Always,
    /// Never; a server that insists is refused by its own answer
    Never,
}

impl DpopChoice {
    /// Whether a key is needed for this sign-in.
    ///
    /// # Errors
    /// [`OAuthError::NoDpop`] when it is needed and the authorization server offers none.
    pub fn applies(
        self,
        challenge: &AuthorizationChallenge,
        resource: &ProtectedResourceMetadata,
        server: &AuthorizationServerMetadata,
    ) -> Result<bool, OAuthError> {
        let is_insisted_on = self == Self::Always || resource.insists_on_dpop();
        let is_welcome = challenge.offers_dpop || resource.offers_dpop();
        match (self, server.offers_dpop()) {
            (Self::Never, _) => Ok(false),
            (_, true) => Ok(is_insisted_on || is_welcome),
            (_, false) if is_insisted_on || challenge.offers_only_dpop => {
                Err(OAuthError::NoDpop { issuer: server.issuer.clone() })
            }
            (_, false) => Ok(false),
        }
    }
}

/// The key of one grant, and the nonces that servers have handed out.
#[derive(Clone)]
pub struct DpopKey {
    key: Arc<SigningKey>,
    clock: Clock,
    /// By origin: what one server hands out means nothing to another.
    nonces: Arc<Mutex<BTreeMap<String, String>>>,
}

impl DpopKey {
    /// A new key.
    ///
    /// # Errors
    /// [`OAuthError::Random`] when the operating system has no randomness to give.
    pub fn generate(clock: &Clock) -> Result<Self, OAuthError> {
        let key = SigningKey::generate(Algorithm::ES256).map_err(|_| OAuthError::Random)?;
        Ok(Self::of(key, clock))
    }

    /// The key that [`Self::stored`] wrote.
    ///
    /// # Errors
    /// [`OAuthError::UnusableKey`] when it is no such key.
    pub fn restore(stored: &Secret, clock: &Clock) -> Result<Self, OAuthError> {
        let key = SigningKey::from_json(stored.reveal().as_bytes())
            .map_err(|error| OAuthError::UnusableKey { reason: error.to_string() })?;
        Ok(Self::of(key, clock))
    }

    fn of(key: SigningKey, clock: &Clock) -> Self {
        Self { key: Arc::new(key), clock: clock.clone(), nonces: Arc::default() }
    }

    /// The private key, to be kept with the tokens that are bound to it.
    pub fn stored(&self) -> Secret {
        Secret::new(self.key.private_jwk())
    }

    /// The name of the key, which the authorization request announces (RFC 9449 §10).
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint().to_owned()
    }

    /// The header with a fresh proof for one request, bound to the access token it carries.
    ///
    /// # Errors
    /// [`OAuthError::UnusableKey`] when signing fails.
    pub fn proof(
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
        let unusable = |reason| OAuthError::UnusableKey { reason };
        let proof = self.key.dpop_proof(&request).map_err(|error| unusable(error.to_string()))?;
        HeaderValue::from_str(&proof).map_err(|error| unusable(error.to_string()))
    }

    /// Keeps the nonce of an answer for later proofs to the same origin. Returns whether there was
    /// a new one, with which the request is worth repeating.
    pub fn learn(&self, url: &Url, answer: &HeaderMap) -> bool {
        let nonce = answer.get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok());
        let Some(nonce) = nonce.filter(|nonce| nonce.len() <= LONGEST_NONCE) else { return false };
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
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// The key it is bound to.
    pub key: Option<DpopKey>,
}

impl AccessToken {
    /// The headers that present it with one request (RFC 6750 §2.1, RFC 9449 §7.1).
    ///
    /// # Errors
    /// [`OAuthError::UnusableKey`] when the proof cannot be made.
    pub fn headers(&self, method: &str, url: &Url) -> Result<HeaderMap, OAuthError> {
        let scheme = if self.key.is_some() { "DPoP" } else { "Bearer" };
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("{scheme} {}", self.token.reveal()));
        let mut value =
            value.map_err(|error| OAuthError::UnusableKey { reason: error.to_string() })?;
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

    fn applies(choice: DpopChoice, header: &str, resource: &str, offered: bool) -> Option<bool> {
        let algorithms: &[&str] = if offered { &["ES256"] } else { &[] };
        let server = serde_json::json!({
            "issuer": "https://as.example",
            "dpop_signing_alg_values_supported": algorithms,
        });
        let server = serde_json::from_value(server).expect("metadata");
        let resource = serde_json::from_str(resource).expect("metadata");
        choice.applies(&AuthorizationChallenge::parse(header), &resource, &server).ok()
    }

    const BEARER: &str = "Bearer scope=a";
    const PLAIN: &str = r#"{"resource":"https://mcp.example"}"#;
    const BOUND: &str =
        r#"{"resource":"https://mcp.example","dpop_bound_access_tokens_required":true}"#;

    #[test]
    fn a_key_is_used_where_both_servers_can() {
        assert_eq!(applies(DpopChoice::Auto, BEARER, PLAIN, true), Some(false));
        assert_eq!(applies(DpopChoice::Auto, "DPoP scope=a", PLAIN, true), Some(true));
        assert_eq!(applies(DpopChoice::Auto, BEARER, BOUND, true), Some(true));
        assert_eq!(applies(DpopChoice::Always, BEARER, PLAIN, true), Some(true));
        assert_eq!(applies(DpopChoice::Never, "DPoP scope=a", BOUND, true), Some(false));
    }

    #[test]
    fn a_key_that_is_insisted_on_is_never_left_out() {
        assert_eq!(applies(DpopChoice::Auto, BEARER, BOUND, false), None);
        assert_eq!(applies(DpopChoice::Auto, "DPoP scope=a", PLAIN, false), None);
        assert_eq!(applies(DpopChoice::Always, BEARER, PLAIN, false), None);
        assert_eq!(applies(DpopChoice::Auto, "Bearer, DPoP", PLAIN, false), Some(false));
    }

    #[test]
    fn a_nonce_is_kept_for_the_origin_that_gave_it() {
        let url = |text| Url::parse(text).expect("a URL");
        let key = DpopKey::generate(&Clock::stopped_at(1)).expect("a key");
        let answer = HeaderMap::from_iter([(DPOP_NONCE, HeaderValue::from_static("n1"))]);
        assert!(key.learn(&url("https://as.example/token"), &answer));
        assert!(!key.learn(&url("https://as.example/other"), &answer), "it is known already");
        assert!(key.learn(&url("https://mcp.example/mcp"), &answer));
    }
}
