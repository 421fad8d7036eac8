//! Assertions of trusted issuers, presented as a grant (RFC 7523 §2.1): who a person is and what
//! they may use (an ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant §4.4), or what a
//! workload is (SEP-1933).

use keys::{
    Audience, PublishedKeys, TokenType, UnverifiedToken, VerifyError, numeric_date,
    optional_numeric_date,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    error::OAuthError,
    foreign_text::{UpstreamSubject, is_identifier},
};

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 10;
/// Longest that an ID-JAG may be good, in seconds: so long its `jti` is remembered.
const MAX_IDENTITY_LIFETIME: i64 = 3600;
/// Longest that a workload's assertion may be good, in seconds.
const MAX_WORKLOAD_LIFETIME: i64 = 86_400;

/// What every assertion says.
#[derive(Debug, Deserialize)]
pub(crate) struct Assertion {
    pub(crate) iss: String,
    pub(crate) sub: String,
    aud: Audience,
    #[serde(deserialize_with = "numeric_date")]
    pub(crate) exp: i64,
    #[serde(deserialize_with = "numeric_date")]
    iat: i64,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<i64>,
    pub(crate) jti: String,
}

/// What an ID-JAG says.
#[derive(Debug, Deserialize)]
pub(crate) struct IdentityAssertion {
    #[serde(flatten)]
    pub(crate) assertion: Assertion,
    client_id: String,
    /// When the person last proved who they are.
    #[serde(default, deserialize_with = "optional_numeric_date")]
    pub(crate) auth_time: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) preferred_username: Option<String>,
    pub(crate) picture: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    /// All else, which may narrow what the assertion is good for.
    #[serde(flatten)]
    pub(crate) claims: Map<String, Value>,
}

/// What a workload's assertion says; the rules of its issuer may ask for any claim.
#[derive(Debug, Deserialize)]
pub(crate) struct WorkloadAssertion {
    #[serde(flatten)]
    pub(crate) assertion: Assertion,
    #[serde(flatten)]
    pub(crate) claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

/// Who an assertion says it comes from: only to know whose keys to check it with.
pub(crate) fn unverified_issuer(assertion: &str) -> Result<String, OAuthError> {
    let claims = UnverifiedToken::parse(assertion).and_then(|token| token.claims::<Issuer>());
    claims.map(|claims| claims.iss).map_err(unverified)
}

/// Whether the assertion calls itself an ID-JAG.
pub(crate) fn is_identity_assertion(assertion: &str) -> bool {
    let none = PublishedKeys::default();
    // Without keys, all that can be found wrong before the key is the type.
    let verdict = none.verify::<Value>(assertion, is_identity);
    !matches!(verdict, Err(VerifyError::WrongType))
}

impl IdentityAssertion {
    /// The ID-JAG, once its signature and every claim has been checked. `issuer` is this server,
    /// `client_id` the client that has proved itself.
    pub(crate) fn verify(
        assertion: &str,
        keys: &PublishedKeys,
        issuer: &str,
        client_id: &str,
        now: i64,
    ) -> Result<Self, OAuthError> {
        let claims: Self = read(assertion, keys, is_identity)?;
        claims.assertion.judge(&[issuer.to_owned()], MAX_IDENTITY_LIFETIME, now)?;
        if claims.client_id == client_id {
            Ok(claims)
        } else {
            Err(OAuthError::invalid_grant(
                "assertion_client",
                "The claim client_id of the assertion is not the client that presents it.",
            ))
        }
    }

    /// An address that the issuer has verified.
    pub(crate) fn verified_email(&self) -> Option<String> {
        self.email.clone().filter(|_| self.email_verified == Some(true))
    }

    /// Until when its identifier must be remembered.
    pub(crate) fn remembered_until(&self) -> i64 {
        self.assertion.exp.saturating_add(LEEWAY)
    }
}

impl WorkloadAssertion {
    /// The assertion, once its signature and every claim that all have has been checked.
    /// `audiences` are the names of this server.
    pub(crate) fn verify(
        assertion: &str,
        keys: &PublishedKeys,
        audiences: &[String],
        now: i64,
    ) -> Result<Self, OAuthError> {
        let claims: Self = read(assertion, keys, |typ| matches!(typ, None | Some("jwt")))?;
        claims.assertion.judge(audiences, MAX_WORKLOAD_LIFETIME, now)?;
        Ok(claims)
    }
}

impl Assertion {
    fn judge(&self, audiences: &[String], longest: i64, now: i64) -> Result<(), OAuthError> {
        let refused = |reason, description| Err(OAuthError::invalid_grant(reason, description));
        // One audience only: an assertion that others accept too could be used there or here.
        let audience = match &self.aud {
            Audience::One(one) => Some(one),
            Audience::Many(many) => many.first().filter(|_| many.len() == 1),
        };
        if !audience.is_some_and(|audience| audiences.contains(audience)) {
            return refused(
                "assertion_audience",
                "The claim aud of the assertion must be the issuer identifier of this server.",
            );
        }
        if self.exp.saturating_add(LEEWAY) <= now {
            return refused("assertion_expired", "The assertion has expired. Get a fresh one.");
        }
        if self.exp > now.saturating_add(longest) {
            return refused(
                "assertion_lifetime",
                "The assertion is good for longer than is accepted. Get one with an earlier exp.",
            );
        }
        if self.nbf.unwrap_or(self.iat).max(self.iat) > now.saturating_add(LEEWAY) {
            return refused(
                "assertion_early",
                "The assertion is not valid yet. Check the clock of its issuer.",
            );
        }
        if is_identifier(&self.jti) {
            self.subject().map(drop)
        } else {
            Err(unusable_identifiers())
        }
    }

    /// Whom it speaks of, as accounts are linked to it.
    pub(crate) fn subject(&self) -> Result<UpstreamSubject, OAuthError> {
        UpstreamSubject::parse(&self.sub).ok_or_else(unusable_identifiers)
    }
}

fn unusable_identifiers() -> OAuthError {
    OAuthError::invalid_grant(
        "assertion_identifiers",
        "The claims jti and sub of the assertion must hold 1 to 256 bytes and no control \
         characters.",
    )
}

/// The refusal of an assertion that was used before.
pub(crate) fn replayed() -> OAuthError {
    OAuthError::invalid_grant(
        "assertion_replayed",
        "The assertion was used before. Get a fresh one for each request.",
    )
}

/// The refusal of an assertion whose issuer is not trusted for what it asserts.
pub(crate) fn untrusted() -> OAuthError {
    OAuthError::invalid_grant(
        "assertion_untrusted",
        "The issuer of the assertion is not trusted here for what it asserts.",
    )
}

fn is_identity(typ: Option<&str>) -> bool {
    typ == Some(TokenType::IdentityAssertion.as_str())
}

fn read<T: DeserializeOwned>(
    assertion: &str,
    keys: &PublishedKeys,
    is_type: impl Fn(Option<&str>) -> bool,
) -> Result<T, OAuthError> {
    keys.verify(assertion, is_type).map_err(unverified)
}

/// The refusal of an assertion that cannot be read or whose signature does not hold.
pub(crate) fn unverified(error: VerifyError) -> OAuthError {
    let (reason, description) = match error {
        VerifyError::WrongType => (
            "assertion_typ",
            "The header typ of the assertion must be oauth-id-jag+jwt for a person, and JWT or absent for a \
             workload.",
        ),
        VerifyError::UnknownKey | VerifyError::NoKeyId => (
            "assertion_key",
            "No published key of the issuer fits the kid and alg of the assertion.",
        ),
        VerifyError::BadSignature | VerifyError::WrongAlgorithm => (
            "assertion_signature",
            "The signature of the assertion does not match its issuer's key.",
        ),
        VerifyError::BadClaims => (
            "assertion_claims",
            "The assertion lacks a claim: iss, sub, aud, exp, iat and jti must be there, and \
             client_id in an ID-JAG.",
        ),
        _ => (
            "assertion_malformed",
            "The assertion is not a signed JWT that this server can verify. Check its format.",
        ),
    };
    OAuthError::invalid_grant(reason, description).because(error)
}
