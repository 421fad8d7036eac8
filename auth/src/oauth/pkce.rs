//! Proof Key for Code Exchange, S256 only (RFC 7636, OAuth 2.1 §7.5).

use super::{error::OAuthError, secret};

/// A well-formed S256 challenge: 43 base64url characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeChallenge(String);

impl CodeChallenge {
    /// Judges `code_challenge` and `code_challenge_method` (RFC 7636 §4.3). A method that was
    /// left out would mean `plain`, which is not accepted.
    pub(crate) fn from_request(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Self, OAuthError> {
        let Some(challenge) = challenge else {
            return Err(OAuthError::invalid_request(
                "pkce_missing",
                "The parameter code_challenge is missing. PKCE with S256 is required.",
            ));
        };
        if method != Some("S256") {
            return Err(OAuthError::invalid_request(
                "pkce_method",
                "The parameter code_challenge_method must be S256.",
            ));
        }
        Self::parse(challenge).ok_or_else(|| {
            OAuthError::invalid_request(
                "pkce_malformed",
                "The parameter code_challenge must be 43 base64url characters.",
            )
        })
    }

    /// A challenge as it was stored.
    pub(crate) fn parse(challenge: &str) -> Option<Self> {
        secret::is_sha256(challenge).then(|| Self(challenge.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one that the challenge was made from (RFC 7636 §4.6).
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        secret::same_hash(&secret::sha256(verifier.as_bytes()), &self.0)
    }
}

/// Checks the form of a `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
pub(crate) fn check_verifier(verifier: &str) -> Result<(), OAuthError> {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved) {
        Ok(())
    } else {
        Err(OAuthError::invalid_request(
            "pkce_verifier_malformed",
            "The parameter code_verifier must be 43 to 128 unreserved characters.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636_is_met_by_its_verifier_alone() {
        let challenge = CodeChallenge::from_request(Some(CHALLENGE), Some("S256")).unwrap();
        assert!(challenge.is_met_by(VERIFIER));
        assert!(!challenge.is_met_by(CHALLENGE));
        assert!(!challenge.is_met_by(""));
    }

    #[test]
    fn only_s256_is_accepted() {
        for method in [None, Some("plain"), Some("s256"), Some("S256 "), Some("none")] {
            let error = CodeChallenge::from_request(Some(CHALLENGE), method).unwrap_err();
            assert_eq!(error.reason, "pkce_method");
        }
        assert_eq!(CodeChallenge::from_request(None, None).unwrap_err().reason, "pkce_missing");
    }

    #[test]
    fn a_malformed_challenge_or_verifier_is_refused() {
        for text in [&CHALLENGE[1..], &format!("{CHALLENGE}A"), &CHALLENGE.replace('-', "+")] {
            assert_eq!(CodeChallenge::parse(text), None);
        }
        for text in [&VERIFIER[1..], &format!("{VERIFIER}="), &"a".repeat(129)] {
            assert_eq!(check_verifier(text).unwrap_err().reason, "pkce_verifier_malformed");
        }
        assert!(check_verifier(&"a".repeat(128)).is_ok());
    }

    #[test]
    fn a_challenge_has_one_spelling_and_one_verifier() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        for place in 0..VERIFIER.len() {
            for byte in (0..=127).filter(|byte| *byte != VERIFIER.as_bytes()[place]) {
                let mut changed = VERIFIER.to_owned().into_bytes();
                changed[place] = byte;
                assert!(!challenge.is_met_by(&String::from_utf8(changed).unwrap()));
            }
        }
        // The last character has two unused bits: three more characters decode to the same hash.
        for last in ['N', 'O', 'P'] {
            let respelled = format!("{}{last}", &CHALLENGE[..42]);
            let met = CodeChallenge::parse(&respelled).is_some_and(|one| one.is_met_by(VERIFIER));
            assert!(!met, "{respelled}");
        }
    }

    #[test]
    fn a_verifier_holds_unreserved_characters_only() {
        for byte in 0..=127_u8 {
            let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            let verifier = format!("{VERIFIER}{}", char::from(byte));
            assert_eq!(check_verifier(&verifier).is_ok(), unreserved, "{verifier:?}");
        }
        assert!(check_verifier(&VERIFIER.replace('d', "é")).is_err());
    }
}
