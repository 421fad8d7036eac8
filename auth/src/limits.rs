//! Rate limits for failures, proofs and registrations.
//!
//! Each replica counts in its own memory, so that anonymous callers write nothing into the database.
//! Failures are counted for a client that has authenticated, else for the address that they come
//! from. A request that would succeed is never refused for the failures of others.

use uuid::Uuid;

use crate::{
    config::LimitSetting,
    oauth::{Client, ErrorCode, OAuthError, secret},
    rate_limit::{Limited, RateLimit},
};

/// All limits. Clones share what they count.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    wrong_secrets: RateLimit,
    failed_requests: RateLimit,
    proofs: RateLimit,
    registrations: RateLimit,
    stories: RateLimit,
    approvals: RateLimit,
    revocations: RateLimit,
    provisioning: RateLimit,
}

/// Whose failures are counted together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RateLimitKey<'a> {
    /// Those of a client that has proved itself, wherever it is.
    Client(&'a str),
    /// Those of all others who come from an address.
    Address(&'a str),
}

const MINUTE: u32 = 60;
const DAY: u32 = 86_400;

impl Limits {
    pub(crate) fn new(settings: &LimitSetting) -> Self {
        Self {
            wrong_secrets: RateLimit::new(settings.wrong_secrets, MINUTE),
            failed_requests: RateLimit::new(settings.failed_requests, MINUTE),
            proofs: RateLimit::new(settings.proofs, MINUTE),
            registrations: RateLimit::new(settings.registrations, MINUTE),
            stories: RateLimit::new(settings.stories, MINUTE),
            approvals: RateLimit::new(settings.approvals, DAY),
            revocations: RateLimit::new(settings.revocations, DAY),
            provisioning: RateLimit::new(settings.scim, MINUTE),
        }
    }

    /// Compares a client's secret. After too many wrong ones for this client from this address, not
    /// even the right one is accepted, so that guessing is useless. The client is still served at
    /// other addresses, and other clients at this one.
    pub(crate) fn compare_secret(
        &self,
        client_id: &str,
        address: &str,
        now: i64,
        compare: impl FnOnce() -> Result<(), OAuthError>,
    ) -> Result<(), OAuthError> {
        // Hashed, because a client_id can be long.
        let key = secret::hash(&format!("{address} {client_id}"));
        self.wrong_secrets.attempt(&key, now, compare).unwrap_or_else(|limited| {
            Err(too_many(
                limited,
                "wrong_secrets_too_many",
                "Too many wrong secrets came for this client from this address. Wait as long as \
                 Retry-After says, and send the right one.",
            ))
        })
    }

    /// Returns `error`, or a refusal with 429 after too many. Only errors that a guesser would meet are
    /// counted.
    pub(crate) fn refusal(&self, key: RateLimitKey<'_>, error: OAuthError, now: i64) -> OAuthError {
        let is_guess = matches!(error.code, ErrorCode::InvalidClient | ErrorCode::InvalidGrant);
        if !is_guess {
            return error;
        }
        let key = match key {
            RateLimitKey::Client(id) => secret::hash(id),
            RateLimitKey::Address(address) => address.to_owned(),
        };
        match self.failed_requests.admit(&key, now) {
            Ok(()) => error,
            Err(limited) => too_many(
                limited,
                "failed_requests_too_many",
                "Too many requests were refused. Wait as long as Retry-After says, and send no \
                 code, token or client_id again that was refused.",
            )
            .because(format!("{}: {error}", error.reason)),
        }
    }

    /// Rate-limits DPoP proofs and client assertions of clients that registered themselves, because
    /// each costs a database row until it expires.
    pub(crate) fn check_proof(
        &self,
        client: &Client,
        address: &str,
        now: i64,
    ) -> Result<(), OAuthError> {
        if !client.is_anonymous() {
            return Ok(());
        }
        admit(
            &self.proofs,
            address,
            now,
            "proofs_too_many",
            "Too many proofs and assertions came from this address. Wait as long as Retry-After \
             says, and send fresh ones.",
        )
    }

    pub(crate) fn register(&self, address: &str, now: i64) -> Result<(), OAuthError> {
        admit(
            &self.registrations,
            address,
            now,
            "registrations_too_many",
            "Too many clients were registered from this address. Wait as long as Retry-After \
             says; a client that is registered once need not do so again.",
        )
    }

    /// Rate-limits how often a person lets programs in.
    pub(crate) fn approve(&self, person: Uuid, now: i64) -> Result<(), OAuthError> {
        admit(
            &self.approvals,
            &person.to_string(),
            now,
            "approvals_too_many",
            "You have let programs in too often today. Wait as long as Retry-After says.",
        )
    }

    /// Rate-limits the access tokens of `subject` that self-registered clients revoke, because each
    /// one stays in the deny list until it expires.
    pub(crate) fn revoke(
        &self,
        client: &Client,
        subject: &str,
        now: i64,
    ) -> Result<(), OAuthError> {
        if !client.is_anonymous() {
            return Ok(());
        }
        admit(
            &self.revocations,
            subject,
            now,
            "revocations_too_many",
            "Too many access tokens of this person were revoked today. Revoke the refresh token \
             instead, which ends all of them.",
        )
    }

    /// Rate-limits the provisioning system, so that its synchronisation leaves room for sign-ins.
    pub(crate) fn provision(&self, now: i64) -> Result<(), OAuthError> {
        admit(
            &self.provisioning,
            "scim",
            now,
            "scim_too_many",
            "The provisioning system sends too many requests. Wait as long as Retry-After says.",
        )
    }

    /// Whether the story of a request from this address is kept. The file of stories is bounded, and
    /// one address must not push the stories of all others out of it.
    pub(crate) fn keeps_story(&self, address: &str, now: i64) -> bool {
        self.stories.admit(address, now).is_ok()
    }
}

/// Counts an event of `key` towards `limit`, or refuses it for this reason.
fn admit(
    limit: &RateLimit,
    key: &str,
    now: i64,
    reason: &'static str,
    description: &'static str,
) -> Result<(), OAuthError> {
    limit.admit(key, now).map_err(|limited| too_many(limited, reason, description))
}

fn too_many(limited: Limited, reason: &'static str, description: &'static str) -> OAuthError {
    ErrorCode::TooManyRequests.error(reason, description).retry_after(limited.retry_after)
}
