//! Authentication tags (HMAC) under keys derived from the master secrets.

use std::fmt;

use aws_lc_rs::hmac;

use super::SealingLine;

/// HMAC-SHA256 under a list of keys (RFC 2104). The key of the sealing line makes tags; every key
/// verifies them.
#[derive(Clone)]
pub struct Authenticator {
    keys: Vec<hmac::Key>,
    sealing_line: SealingLine,
}

impl Authenticator {
    pub(crate) fn new(keys: &[[u8; 32]], sealing_line: SealingLine) -> Self {
        let keys = keys.iter().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key)).collect();
        Self { keys, sealing_line }
    }

    /// The tag of `message` under the key of the sealing line.
    pub fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.tags(message).next().unwrap_or_default()
    }

    /// The tags of `message` under every key, [`Self::tag`] first. Another replica, or this server at
    /// another time, may have made any of them.
    pub fn tags(&self, message: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        let line = self.sealing_line.index();
        let others = self.keys.iter().enumerate().filter(move |(index, _)| *index != line);
        let keys = self.keys.get(line).into_iter().chain(others.map(|(_, key)| key));
        keys.map(move |key| sign(key, message))
    }

    /// Whether `tag` is that of `message` under any key. Compares in constant time.
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.keys.iter().any(|key| hmac::verify(key, message, tag).is_ok())
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authenticator(redacted)")
    }
}

pub(super) fn sign(key: &hmac::Key, message: &[u8]) -> [u8; 32] {
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(key, message).as_ref());
    tag
}

#[cfg(test)]
mod tests {
    use crate::MasterSecrets;

    #[test]
    fn a_tag_of_an_old_secret_still_verifies_and_a_changed_message_does_not() {
        let (old, new) = (MasterSecrets::generate().unwrap(), MasterSecrets::generate().unwrap());
        let before = MasterSecrets::parse(&old).unwrap().authenticator("test");
        let after = MasterSecrets::parse(&format!("{new}\n{old}")).unwrap().authenticator("test");
        let tag = before.tag(b"message");
        assert!(after.verify(b"message", &tag));
        assert!(!after.verify(b"massage", &tag));
        assert_ne!(after.tag(b"message"), tag);
        assert!(after.tags(b"message").any(|one| one == tag));
    }

    #[test]
    fn a_tag_counts_only_whole_and_unchanged() {
        let secrets = MasterSecrets::parse(&MasterSecrets::generate().unwrap()).unwrap();
        let authenticator = secrets.authenticator("test");
        let tag = authenticator.tag(b"message");
        for length in 0..tag.len() {
            assert!(!authenticator.verify(b"message", &tag[..length]), "{length} bytes");
            assert!(!authenticator.verify(b"message", &tag[length + 1..]), "{length} bytes");
        }
        for added in 1..=32 {
            assert!(!authenticator.verify(b"message", &[&tag[..], &vec![0; added]].concat()));
        }
        for bit in 0..tag.len() * 8 {
            let mut flipped = tag;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!authenticator.verify(b"message", &flipped), "bit {bit}");
        }
        for message in [&b""[..], b"messag", b"message\0", b"Message"] {
            assert!(!authenticator.verify(message, &tag));
        }
        assert!(!secrets.authenticator("other").verify(b"message", &tag));
    }
}
