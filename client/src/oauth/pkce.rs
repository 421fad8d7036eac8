//! Step 5: proof key for code exchange, so that a stolen code is useless (RFC 7636).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::OAuthError;
use crate::secret::Secret;

/// The secret half, sent with the token request only (RFC 7636 §4.1).
#[derive(Clone, Debug)]
pub(crate) struct CodeVerifier(Secret);

impl CodeVerifier {
    /// A fresh verifier of 256 random bits.
    pub(crate) fn generate() -> Result<Self, OAuthError> {
        random_text().map(|text| Self(Secret::new(text)))
    }

    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The public half, sent with the authorization request: method `S256` (RFC 7636 §4.2).
    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.0.reveal().as_bytes()))
    }
}

/// 256 random bits in 43 characters that need no escaping in a URL.
pub(crate) fn random_text() -> Result<String, OAuthError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| OAuthError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn two_verifiers_differ_and_have_the_length_the_standard_asks_for() {
        let one = CodeVerifier::generate().expect("random");
        let two = CodeVerifier::generate().expect("random");
        assert_ne!(one.reveal(), two.reveal());
        assert_eq!(one.reveal().len(), 43);
    }
}
