//! The secrets from which every seal and tag is derived.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Authenticator, Sealer, SecretError};

/// One or more 32-byte secrets. The first closes, all of them open: to rotate, put a fresh line
/// on top, and take the old one away once nothing is sealed under it.
#[derive(Clone)]
pub struct MasterSecrets(Vec<[u8; 32]>);

impl MasterSecrets {
    /// A fresh secret as a line of text.
    pub fn generate() -> Result<String, SecretError> {
        let mut secret = [0; 32];
        rand::fill(&mut secret).map_err(|_| SecretError::Empty)?;
        Ok(URL_SAFE_NO_PAD.encode(secret))
    }

    /// Reads one secret a line. Empty lines and lines that start with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let mut secrets = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bytes = URL_SAFE_NO_PAD.decode(line).unwrap_or_default();
            secrets.push(bytes.try_into().map_err(|_| SecretError::Malformed(index + 1))?);
        }
        match secrets.is_empty() {
            true => Err(SecretError::Empty),
            false => Ok(Self(secrets)),
        }
    }

    /// Encryption for one purpose. What is sealed for one purpose does not open for another.
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        Sealer::new(self.derive("seal", purpose))
    }

    /// Tags for one purpose.
    pub fn authenticator(&self, purpose: &'static str) -> Authenticator {
        Authenticator::new(&self.derive("authenticate", purpose))
    }

    fn derive(&self, operation: &str, purpose: &str) -> Vec<[u8; 32]> {
        let label = format!("portcullis/{operation}/{purpose}");
        self.0
            .iter()
            .map(|secret| {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), label.as_bytes());
                let mut key = [0; 32];
                key.copy_from_slice(tag.as_ref());
                key
            })
            .collect()
    }
}

impl fmt::Debug for MasterSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterSecrets({} redacted)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_order_and_comments_passed_over() {
        let text = format!("# newest first\n{}\n\n", MasterSecrets::generate().unwrap());
        assert_eq!(MasterSecrets::parse(&text).unwrap().0.len(), 1);
    }

    #[test]
    fn a_bad_line_is_named_by_number_and_never_repeated() {
        let text = format!("{}\nhunter2", MasterSecrets::generate().unwrap());
        let error = MasterSecrets::parse(&text).unwrap_err();
        assert_eq!(error, SecretError::Malformed(2));
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(MasterSecrets::parse(" \n#\n").unwrap_err(), SecretError::Empty);
    }

    #[test]
    fn debug_shows_no_secret() {
        let line = MasterSecrets::generate().unwrap();
        let shown = format!("{:?}", MasterSecrets::parse(&line).unwrap());
        assert_eq!(shown, "MasterSecrets(1 redacted)");
    }
}
