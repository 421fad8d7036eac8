//! The secrets from which the keys of every seal and tag are derived.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Authenticator, Sealer, SealingLine, SecretError, authenticator::sign};

/// One or more 32-byte secrets, one on each line. Every line opens; one of them, the sealing line,
/// seals and tags. It is the first line until [`Self::seal_with`] changes it, because a line may seal
/// only once every replica has it.
#[derive(Clone)]
pub struct MasterSecrets {
    lines: Vec<[u8; 32]>,
    sealing_line: SealingLine,
}

impl MasterSecrets {
    /// Generates a secret as a line of text.
    ///
    /// # Errors
    /// [`SecretError::Empty`] if the operating system provides no random numbers.
    pub fn generate() -> Result<String, SecretError> {
        let mut secret = [0; 32];
        rand::fill(&mut secret).map_err(|_| SecretError::Empty)?;
        Ok(URL_SAFE_NO_PAD.encode(secret))
    }

    /// Reads one secret from each line. Empty lines and lines that start with `#` are ignored.
    ///
    /// # Errors
    /// [`SecretError`] if there is no secret, or a line is not one.
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
        if secrets.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self { lines: secrets, sealing_line: SealingLine::default() })
    }

    /// Makes this the sealing line, for everything that was derived from the secrets.
    pub fn seal_with(&self, line: usize) {
        self.sealing_line.set(line);
    }

    /// An identifier for each line, by which replicas compare them. It reveals nothing of the secret.
    pub fn fingerprints(&self) -> Vec<String> {
        self.derive("name", "fingerprint").iter().map(|tag| URL_SAFE_NO_PAD.encode(tag)).collect()
    }

    /// A sealer for one purpose. What it seals does not open for another purpose.
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        Sealer::new(self.derive("seal", purpose), self.sealing_line.clone())
    }

    /// An authenticator for one purpose.
    pub fn authenticator(&self, purpose: &'static str) -> Authenticator {
        Authenticator::new(&self.derive("authenticate", purpose), self.sealing_line.clone())
    }

    fn derive(&self, operation: &str, purpose: &str) -> Vec<[u8; 32]> {
        let label = format!("portcullis/{operation}/{purpose}");
        let keys = self.lines.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret));
        keys.map(|key| sign(&key, label.as_bytes())).collect()
    }
}

impl fmt::Debug for MasterSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterSecrets({} redacted)", self.lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_order_and_comments_passed_over() {
        let text = format!("# newest first\n{}\n\n", MasterSecrets::generate().unwrap());
        assert_eq!(MasterSecrets::parse(&text).unwrap().lines.len(), 1);
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
    fn a_fingerprint_names_a_line_wherever_it_stands() {
        let (one, other) = (MasterSecrets::generate().unwrap(), MasterSecrets::generate().unwrap());
        let fingerprints =
            |lines: &[&str]| MasterSecrets::parse(&lines.join("\n")).unwrap().fingerprints();
        let both = fingerprints(&[&one, &other]);
        assert_eq!(fingerprints(&[&other, &one]), [both[1].clone(), both[0].clone()]);
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn another_line_seals_and_tags_when_told_and_everything_opens() {
        let (new, old) = (MasterSecrets::generate().unwrap(), MasterSecrets::generate().unwrap());
        let only_old = MasterSecrets::parse(&old).unwrap();
        let both = MasterSecrets::parse(&format!("{new}\n{old}")).unwrap();
        let (sealer, authenticator) = (both.sealer("test"), both.authenticator("test"));
        let first = (sealer.seal(&1).unwrap(), authenticator.tag(b"m"));
        both.seal_with(1);
        let second = (sealer.seal(&1).unwrap(), authenticator.tag(b"m"));
        assert_eq!((sealer.line_of(&first.0), sealer.line_of(&second.0)), (Some(0), Some(1)));
        for (sealed, tag) in [first, second.clone()] {
            assert_eq!(sealer.open::<u8>(&sealed).unwrap(), 1);
            assert!(authenticator.verify(b"m", &tag));
        }
        assert_eq!(only_old.sealer("test").open::<u8>(&second.0).unwrap(), 1);
        assert!(only_old.authenticator("test").verify(b"m", &second.1));
        assert_eq!(authenticator.tags(b"m").next(), Some(second.1));
    }

    #[test]
    fn debug_shows_no_secret() {
        let line = MasterSecrets::generate().unwrap();
        let shown = format!("{:?}", MasterSecrets::parse(&line).unwrap());
        assert_eq!(shown, "MasterSecrets(1 redacted)");
    }
}
