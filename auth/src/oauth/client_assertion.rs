//! `private_key_jwt`: the assertion by which a client authenticates (RFC 7523 §3, OpenID Connect Core
//! §9).

use std::borrow::Cow;

use keys::{
    Audience, PublishedKeys, UnverifiedToken, VerifyError, numeric_date, optional_numeric_date,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    error::{ErrorCode, OAuthError},
    restrictions::{is_descriptive, present},
};

/// The only `client_assertion_type` (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// In seconds. The `jti` of an assertion is remembered as long.
const MAX_LIFETIME: i64 = 3600;
/// Seconds by which clocks may differ.
const LEEWAY: i64 = 10;
/// Longest `jti`, in bytes.
const MAX_ID: usize = 256;

/// The claims of an assertion. Claims that may restrict its use are refused.
#[derive(Debug, Deserialize)]
pub(crate) struct ClientAssertion {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(deserialize_with = "numeric_date")]
    exp: i64,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<i64>,
    /// Its identifier, which is accepted once.
    pub(crate) jti: String,
    client_id: Option<String>,
    #[serde(flatten)]
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

impl ClientAssertion {
    /// The client that the assertion names, to find the keys that verify it.
    pub(crate) fn unverified_client_id(assertion: &str) -> Result<String, OAuthError> {
        let claims = UnverifiedToken::parse(assertion).and_then(|token| token.claims::<Subject>());
        claims.map(|claims| claims.sub).map_err(|error| {
            refused(
                "client_assertion_malformed",
                "The client_assertion is not a JWT with the claim sub.",
            )
            .because(error)
        })
    }

    /// Checks the signature and every claim, but not whether the assertion was used before. `audiences` are
    /// the names of this server.
    pub(crate) fn verify(
        assertion: &str,
        keys: &PublishedKeys,
        client_id: &str,
        audiences: &[String],
        now: i64,
    ) -> Result<Self, OAuthError> {
        let claims: Self = keys.verify(assertion, is_expected_type).map_err(unverified)?;
        claims.check(client_id, audiences, now)?;
        Ok(claims)
    }

    /// How long the identifier must be remembered.
    pub(crate) fn remembered_until(&self) -> i64 {
        self.exp.saturating_add(LEEWAY)
    }

    fn check(&self, client_id: &str, audiences: &[String], now: i64) -> Result<(), OAuthError> {
        let names = [Some(&self.iss), Some(&self.sub), self.client_id.as_ref()];
        if names.into_iter().flatten().any(|name| name != client_id) {
            return Err(refused(
                "client_assertion_subject",
                "The claims iss and sub of the client_assertion must both be the client_id.",
            ));
        }
        if let Some(name) = present(&self.claims).find(|name| !is_descriptive(name)) {
            return Err(refused(
                "client_assertion_restricted",
                format!(
                    "The client_assertion has the claim {name:?}, which this server cannot enforce. \
                     Send an assertion without it."
                ),
            ));
        }
        // Only one audience: an assertion that other servers accept too could be stolen there.
        let audience = match &self.aud {
            Audience::One(one) => Some(one),
            Audience::Many(many) => many.first().filter(|_| many.len() == 1),
        };
        if !audience.is_some_and(|audience| audiences.contains(audience)) {
            return Err(refused(
                "client_assertion_audience",
                "The claim aud of the client_assertion must be the issuer identifier of this \
                 server, and nothing else.",
            ));
        }
        if self.exp.saturating_add(LEEWAY) <= now {
            return Err(refused(
                "client_assertion_expired",
                "The client_assertion has expired. Make a fresh one for each request.",
            ));
        }
        if self.exp > now.saturating_add(MAX_LIFETIME) {
            return Err(refused(
                "client_assertion_lifetime",
                "The claim exp of the client_assertion must be at most an hour away.",
            ));
        }
        let begins = self.nbf.unwrap_or(i64::MIN).max(self.iat.unwrap_or(i64::MIN));
        if begins > now.saturating_add(LEEWAY) {
            return Err(refused(
                "client_assertion_early",
                "The client_assertion is not valid yet. Check the clock of the client.",
            ));
        }
        if self.jti.is_empty() || self.jti.len() > MAX_ID {
            return Err(refused(
                "client_assertion_id",
                "The claim jti of the client_assertion must hold 1 to 256 bytes.",
            ));
        }
        Ok(())
    }
}

fn is_expected_type(typ: Option<&str>) -> bool {
    matches!(typ, None | Some("jwt" | "client-authentication+jwt"))
}

/// The refusal of an assertion that was used before.
pub(crate) fn replayed() -> OAuthError {
    refused(
        "client_assertion_replayed",
        "The client_assertion was used before. Make a fresh one, with its own jti, for each request.",
    )
}

fn unverified(error: VerifyError) -> OAuthError {
    let (reason, description) = match error {
        VerifyError::UnknownKey | VerifyError::NoKeyId => (
            "client_assertion_key",
            "No registered key of the client fits the kid and alg of the client_assertion.",
        ),
        VerifyError::BadSignature | VerifyError::WrongAlgorithm => (
            "client_assertion_signature",
            "The signature of the client_assertion does not match the client's registered key.",
        ),
        VerifyError::WrongType => (
            "client_assertion_typ",
            "The typ of the client_assertion must be JWT or client-authentication+jwt.",
        ),
        VerifyError::BadClaims => (
            "client_assertion_claims",
            "The client_assertion must have the claims iss, sub, aud, exp and jti.",
        ),
        _ => (
            "client_assertion_malformed",
            "The client_assertion is not a signed JWT that this server accepts.",
        ),
    };
    refused(reason, description).because(error)
}

fn refused(reason: &'static str, description: impl Into<Cow<'static, str>>) -> OAuthError {
    ErrorCode::InvalidClient.error(reason, description)
}
