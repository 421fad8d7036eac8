//! Claims that restrict what a token may be used for. A token with a restriction that is not enforced
//! here is refused, because it would be accepted for more than its issuer meant.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::{UnverifiedToken, VerifyError};

/// Restricting claims that nothing here enforces: RFC 9396 §9.1, RFC 8693 §4.4, and the tenant in
/// which `sub` is unique (draft-ietf-oauth-identity-assertion-authz-grant §3.1). `cnf` is not among
/// them, because its only accepted form, `jkt`, is enforced.
pub const UNENFORCED_CLAIMS: [&str; 4] =
    ["authorization_details", "may_act", "tenant", "aud_tenant"];

/// Refuses a token with such a claim. The caller has verified its signature.
pub(crate) fn check(token: &UnverifiedToken<'_>) -> Result<(), VerifyError> {
    let claims: BTreeMap<String, IgnoredAny> = token.claims()?;
    let is_restricted = UNENFORCED_CLAIMS.iter().any(|name| claims.contains_key(*name));
    if is_restricted { Err(VerifyError::Restricted) } else { Ok(()) }
}
