//! Claims that restrict what a token may be used for. A token with a restriction that is not enforced
//! here is refused, because it would be accepted for more than its issuer meant.

use super::{VerifyError, unique_json::Object};

/// Restricting claims that nothing here enforces: RFC 9396 §9.1, RFC 8693 §4.4, and the tenant in
/// which `sub` is unique (draft-ietf-oauth-identity-assertion-authz-grant §3.1). `cnf` is not among
/// them, because its only accepted form, `jkt`, is enforced.
pub const UNENFORCED_CLAIMS: [&str; 4] =
    ["authorization_details", "may_act", "tenant", "aud_tenant"];

/// Refuses the claims of a token if one of them is such a restriction.
pub(crate) fn check(claims: &Object<'_>) -> Result<(), VerifyError> {
    let is_restricted = UNENFORCED_CLAIMS.iter().any(|name| claims.get(name).is_some());
    if is_restricted { Err(VerifyError::Restricted) } else { Ok(()) }
}
