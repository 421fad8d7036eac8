//! The name of a claim that an operator chooses.

/// Written instead of a name where there is to be no such claim.
pub(crate) const OFF: &str = "off";
/// Longest name, in bytes. Some are URLs.
const MAX_NAME: usize = 128;
/// Claims that mean something already, in tokens, introspection or userinfo.
const TAKEN: [&str; 31] = [
    "acr",
    "act",
    "active",
    "amr",
    "at_hash",
    "aud",
    "aud_tenant",
    "auth_time",
    "authorization_details",
    "azp",
    "client_id",
    "cnf",
    "email",
    "email_verified",
    "events",
    "exp",
    "iat",
    "iss",
    "jti",
    "may_act",
    "name",
    "nbf",
    "nonce",
    "picture",
    "preferred_username",
    "scope",
    "sid",
    "sub",
    "tenant",
    "token_type",
    "username",
];

/// Refuses a name that could not be told from another claim, in a sentence that says what to write.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    if TAKEN.contains(&name) {
        return Err(format!(
            "the claim {name:?} means something else; write groups_claim = \"groups\""
        ));
    }
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_plain) {
        return Err(format!(
            "the claim {name:?} must have 1 to {MAX_NAME} printable bytes and no blank, as in \
             groups_claim = \"groups\", or be \"off\""
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_has_a_name_of_its_own() {
        for name in ["groups", "roles", OFF, "https://acme.example/groups"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in TAKEN.into_iter().chain(["", "a b", "a\"", "größe", &"a".repeat(129)]) {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
