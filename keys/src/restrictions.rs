//! Claims that narrow what a token may be used for. A token that carries one which nothing here
//! enforces is refused: without its restriction it would be worth more than its issuer meant.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::{VerifyError, jws::unverified_claims};

/// Claims that nothing here enforces: RFC 9396 §9.1, RFC 8693 §4.4, and the tenant in which `sub`
/// names someone (draft-ietf-oauth-identity-assertion-authz-grant §3.1). `cnf` is not among them,
/// because the one binding that is understood, `jkt`, is enforced.
pub const UNENFORCED_CLAIMS: [&str; 4] =
    ["authorization_details", "may_act", "tenant", "aud_tenant"];

/// Refuses a token with a claim that narrows it and is not enforced here. The caller has checked
/// its signature.
pub(crate) fn check(token: &str) -> Result<(), VerifyError> {
    let claims: BTreeMap<String, IgnoredAny> = unverified_claims(token)?;
    let is_restricted = UNENFORCED_CLAIMS.iter().any(|name| claims.contains_key(*name));
    if is_restricted { Err(VerifyError::Restricted) } else { Ok(()) }
}
