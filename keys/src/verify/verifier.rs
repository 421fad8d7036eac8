//! Verification of access tokens without a request to their issuer (RFC 9068 §4).

use super::{
    AccessTokenClaims, Audience, Lifetime, Profile, PublishedKeys, UnverifiedToken, VerifyError,
    groups, restrictions,
};

/// The `typ` of an access token (RFC 9068 §2.1).
#[cfg(feature = "sign")]
pub(crate) const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// Seconds that clocks may differ, unless the caller says otherwise.
const DEFAULT_LEEWAY: i64 = 5;

/// Verifies access tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    audiences: Vec<String>,
    leeway: i64,
    groups_claim: Option<String>,
    profile: Profile,
}

/// An access token that would be accepted if its signature were good. Its claims come out only with
/// the signature verified.
pub struct Candidate<'a> {
    token: UnverifiedToken<'a>,
    claims: AccessTokenClaims,
}

impl Verifier {
    /// Accepts tokens of `issuer` for any of `audiences`, both compared byte for byte.
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences,
            leeway: DEFAULT_LEEWAY,
            groups_claim: None,
            profile: Profile::default(),
        }
    }

    /// Reads the groups of the user from the claim `name`.
    pub fn with_groups_claim(self, name: impl Into<String>) -> Self {
        Self { groups_claim: Some(name.into()), ..self }
    }

    /// Allows clocks to differ by this many seconds; the default is 5.
    pub fn with_leeway(self, leeway: i64) -> Self {
        Self { leeway, ..self }
    }

    /// Accepts the tokens of a provider that writes them differently from RFC 9068.
    pub fn with_profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// The issuer whose tokens are accepted.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The profile of the issuer.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Seconds for which a token is still accepted after it expired.
    pub fn leeway(&self) -> i64 {
        self.leeway
    }

    /// Verifies a token completely and returns its claims. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// The first check that failed, in this order: form, type, critical headers, algorithm, claims,
    /// restrictions, issuer, audience, times, key and its algorithm, signature.
    pub fn verify(
        &self,
        token: &str,
        keys: &PublishedKeys,
        now: i64,
    ) -> Result<AccessTokenClaims, VerifyError> {
        self.check_unverified(UnverifiedToken::parse(token)?, now)?.verify_signature(keys)
    }

    /// Checks all that needs no key. Most tokens that are refused have expired or are for others, and
    /// a signature costs more than everything else. An unverified claim can only lead to a refusal.
    ///
    /// # Errors
    /// The first check that failed. Its reason says nothing that the sender of the token does not
    /// know.
    pub fn check_unverified<'a>(
        &self,
        token: UnverifiedToken<'a>,
        now: i64,
    ) -> Result<Candidate<'a>, VerifyError> {
        token.check_media_type(|typ| self.profile.accepts_type(typ))?;
        if self.profile.is_strict() {
            token.key_id()?;
        }
        if !self.profile.accepts_algorithm(&token.header.alg) {
            token.algorithm()?;
        }
        let members = token.members()?;
        restrictions::check(&members)?;
        let mut claims = self.read_claims(&token)?;
        self.check_claims(&claims, now)?;
        if let Some(name) = &self.groups_claim {
            claims.groups = groups(&members, name);
        }
        drop(members);
        Ok(Candidate { token, claims })
    }

    /// Checks that a token is valid at `now`. Nothing else of a verified token changes with time, so
    /// callers that remember one check only this again.
    ///
    /// # Errors
    /// [`VerifyError::Expired`] or [`VerifyError::NotYetValid`].
    pub fn check_lifetime(&self, lifetime: Lifetime, now: i64) -> Result<(), VerifyError> {
        if lifetime.expires_at.saturating_add(self.leeway) <= now {
            Err(VerifyError::Expired)
        } else if lifetime.starts_at > now.saturating_add(self.leeway) {
            Err(VerifyError::NotYetValid)
        } else {
            Ok(())
        }
    }

    /// The claims in the places of RFC 9068.
    fn read_claims(&self, token: &UnverifiedToken<'_>) -> Result<AccessTokenClaims, VerifyError> {
        if self.profile.is_strict() {
            return token.claims();
        }
        let mut claims = token.claims()?;
        self.profile.normalize(&mut claims)?;
        serde_json::from_value(claims.into()).map_err(|_| VerifyError::BadClaims)
    }

    /// Whether the audience is ours, and nothing else that matters to the profile.
    fn is_ours(&self, audience: &Audience) -> bool {
        let Audience::Many(names) = audience else {
            return audience.is_for(&self.audiences, &self.issuer);
        };
        let counts =
            |name: &&String| self.audiences.contains(name) || !self.profile.ignores_audience(name);
        let names = names.iter().filter(counts).cloned().collect();
        Audience::Many(names).is_for(&self.audiences, &self.issuer)
    }

    /// Checks issuer, audience and times of claims.
    fn check_claims(&self, claims: &AccessTokenClaims, now: i64) -> Result<(), VerifyError> {
        if claims.iss != self.issuer {
            return Err(VerifyError::WrongIssuer);
        }
        // Required by RFC 9068 §2.2: user, client, and the name by which the token is revoked.
        let is_anonymous = claims.jti.is_empty() && self.profile.is_strict();
        if is_anonymous || claims.sub.is_empty() || claims.client_id.is_empty() {
            return Err(VerifyError::BadClaims);
        }
        if !self.is_ours(&claims.aud) {
            return Err(VerifyError::WrongAudience);
        }
        self.check_lifetime(claims.lifetime(), now)?;
        if claims.exp.saturating_sub(claims.iat) > self.profile.max_lifetime() {
            return Err(VerifyError::TooLongLived);
        }
        Ok(())
    }
}

impl Candidate<'_> {
    /// The `kid` of the key that the token claims to be signed with.
    pub fn key_id(&self) -> &str {
        self.token.header.kid.as_deref().unwrap_or_default()
    }

    /// Verifies the signature with the keys of the issuer and gives out the claims.
    ///
    /// # Errors
    /// [`VerifyError::UnknownKey`], [`VerifyError::WrongAlgorithm`] or [`VerifyError::BadSignature`].
    pub fn verify_signature(self, keys: &PublishedKeys) -> Result<AccessTokenClaims, VerifyError> {
        keys.verify_signature(&self.token).map_err(|error| match error {
            VerifyError::UnknownKey if keys.contains(self.key_id()) => VerifyError::WrongAlgorithm,
            _ => error,
        })?;
        Ok(self.claims)
    }
}

#[cfg(test)]
mod tests;
