//! Sealed values: encrypted and authenticated JSON that only this server can read.

use std::fmt;

use josekit::jwe::{Dir, JweHeader, deserialize_compact, serialize_compact};
use serde::{Serialize, de::DeserializeOwned};

use crate::{SealError, sealing_line::SealingLine};

/// Seals values as compact JWE, `dir` with `A256GCM` (RFC 7516 §3.1, RFC 7518 §5.3), under the
/// key of the sealing line, and opens them under any.
#[derive(Clone)]
pub struct Sealer {
    keys: Vec<[u8; 32]>,
    sealing_line: SealingLine,
}

impl Sealer {
    pub(crate) fn new(keys: Vec<[u8; 32]>, sealing_line: SealingLine) -> Self {
        Self { keys, sealing_line }
    }

    /// Seals `value`. Two seals of one value differ.
    pub fn seal(&self, value: &impl Serialize) -> Result<String, SealError> {
        self.seal_under(self.sealing_line.index(), value)
    }

    /// Seals `value` under a certain line of the master secrets.
    pub fn seal_under(&self, line: usize, value: &impl Serialize) -> Result<String, SealError> {
        let plain = serde_json::to_vec(value).map_err(cannot_seal)?;
        let key = self.keys.get(line).or(self.keys.first()).ok_or(SealError::DoesNotOpen)?;
        let mut header = JweHeader::new();
        header.set_content_encryption("A256GCM");
        let encrypter = Dir.encrypter_from_bytes(key).map_err(cannot_seal)?;
        serialize_compact(&plain, &header, &encrypter).map_err(cannot_seal)
    }

    /// Opens what [`Self::seal`] sealed.
    pub fn open<T: DeserializeOwned>(&self, sealed: &str) -> Result<T, SealError> {
        let plain = self.keys.iter().find_map(|key| open_under(key, sealed));
        let plain = plain.ok_or(SealError::DoesNotOpen)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::UnexpectedContent)
    }

    /// The line of the master secrets that a value is sealed under; `None` if none opens it.
    pub fn line_of(&self, sealed: &str) -> Option<usize> {
        self.keys.iter().position(|key| open_under(key, sealed).is_some())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sealer(redacted)")
    }
}

fn open_under(key: &[u8; 32], sealed: &str) -> Option<Vec<u8>> {
    let decrypter = Dir.decrypter_from_bytes(key).ok()?;
    deserialize_compact(sealed, &decrypter).ok().map(|(plain, _)| plain)
}

fn cannot_seal(error: impl fmt::Display) -> SealError {
    SealError::CannotSeal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterSecrets;

    fn secrets(lines: &[&str]) -> MasterSecrets {
        MasterSecrets::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_again_and_shows_nothing() {
        let line = MasterSecrets::generate().unwrap();
        let sealer = secrets(&[&line]).sealer("test");
        let sealed = sealer.seal(&"nick@example.com").unwrap();
        assert_eq!(sealer.open::<String>(&sealed).unwrap(), "nick@example.com");
        assert_ne!(sealed, sealer.seal(&"nick@example.com").unwrap());
    }

    #[test]
    fn an_old_secret_still_opens_and_a_foreign_one_does_not() {
        let (old, new) = (MasterSecrets::generate().unwrap(), MasterSecrets::generate().unwrap());
        let sealed = secrets(&[&old]).sealer("test").seal(&1).unwrap();
        assert_eq!(secrets(&[&new, &old]).sealer("test").open::<u8>(&sealed).unwrap(), 1);
        assert_eq!(secrets(&[&new, &old]).sealer("test").line_of(&sealed), Some(1));
        assert_eq!(secrets(&[&old, &new]).sealer("test").line_of(&sealed), Some(0));
        let foreign = secrets(&[&new]).sealer("test").open::<u8>(&sealed);
        assert!(matches!(foreign, Err(SealError::DoesNotOpen)));
    }

    #[test]
    fn a_value_sealed_for_one_purpose_does_not_open_for_another() {
        let secrets = secrets(&[&MasterSecrets::generate().unwrap()]);
        let sealed = secrets.sealer("cookie").seal(&1).unwrap();
        assert!(secrets.sealer("client").open::<u8>(&sealed).is_err());
    }

    #[test]
    fn a_changed_character_anywhere_does_not_open() {
        let sealer = secrets(&[&MasterSecrets::generate().unwrap()]).sealer("test");
        let sealed = sealer.seal(&"a value of some length").unwrap();
        for index in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character of a part may carry unused bits that decode to the same bytes.
            if let Ok(opened) = sealer.open::<String>(&changed) {
                assert_eq!(opened, "a value of some length");
            }
        }
        assert!(sealer.open::<String>("").is_err());
        assert!(sealer.open::<String>("....").is_err());
    }
}
