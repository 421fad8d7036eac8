//! Sealed values: encrypted and authenticated JSON that only the holder of the secret can read.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::jwe::{Dir, JweHeader, deserialize_compact, serialize_compact};
use serde::{Serialize, de::DeserializeOwned};

use super::{SealError, SealingLine};

/// The header of every sealed value: `{"enc":"A256GCM","alg":"dir"}` in base64url.
const HEADER: &str = "eyJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiZGlyIn0";
/// Lengths in bytes (RFC 7518 §5.3).
const IV_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// Seals values as compact JWE, `dir` with `A256GCM` (RFC 7516 §3.1, RFC 7518 §5.3), with the key of
/// the sealing line, and opens them with any key.
#[derive(Clone)]
pub struct Sealer {
    keys: Vec<[u8; 32]>,
    sealing_line: SealingLine,
}

impl Sealer {
    pub(crate) fn new(keys: Vec<[u8; 32]>, sealing_line: SealingLine) -> Self {
        Self { keys, sealing_line }
    }

    /// Seals `value`. Sealing it again gives a different text.
    ///
    /// # Errors
    /// [`SealError::CannotSeal`] if `value` cannot be serialized, or the library fails.
    pub fn seal(&self, value: &impl Serialize) -> Result<String, SealError> {
        self.seal_under(self.sealing_line.index(), value)
    }

    /// Seals `value` with a certain line of the master secrets.
    ///
    /// # Errors
    /// As for [`Self::seal`].
    pub fn seal_under(&self, line: usize, value: &impl Serialize) -> Result<String, SealError> {
        let plain = serde_json::to_vec(value).map_err(cannot_seal)?;
        let key = self.keys.get(line).or(self.keys.first()).ok_or(SealError::DoesNotOpen)?;
        let mut header = JweHeader::new();
        header.set_content_encryption("A256GCM");
        let encrypter = Dir.encrypter_from_bytes(key).map_err(cannot_seal)?;
        serialize_compact(&plain, &header, &encrypter).map_err(cannot_seal)
    }

    /// Opens a sealed value, in exactly the form that [`Self::seal`] returned.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] if it is not a value sealed with one of the keys,
    /// [`SealError::UnexpectedContent`] if it is not a `T`.
    pub fn open<T: DeserializeOwned>(&self, sealed: &str) -> Result<T, SealError> {
        let sealed = Sealed::parse(sealed).ok_or(SealError::DoesNotOpen)?;
        let plain = self.keys.iter().find_map(|key| sealed.open_under(key));
        let plain = plain.ok_or(SealError::DoesNotOpen)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::UnexpectedContent)
    }

    /// The line of the master secrets that opens a value. `None` if none does.
    pub fn line_of(&self, sealed: &str) -> Option<usize> {
        let sealed = Sealed::parse(sealed)?;
        self.keys.iter().position(|key| sealed.open_under(key).is_some())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sealer(redacted)")
    }
}

/// A sealed value in canonical form, not yet authenticated.
struct Sealed<'a>(&'a str);

impl<'a> Sealed<'a> {
    /// `None` for anything that [`Sealer::seal`] cannot have returned.
    ///
    /// josekit 0.10.3 passes a tag of any length to OpenSSL, which compares only as many bytes as it
    /// gets, and one byte can be guessed. It also lets the header choose other algorithms and `zip`.
    /// So the form is checked before josekit sees the value: the parts are decoded, and must encode
    /// to the same text again.
    fn parse(text: &'a str) -> Option<Self> {
        let mut decoded = text.split('.').skip(2).map(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let iv = decoded.next()??;
        let content = decoded.next()??;
        let tag = decoded.next()??;
        let [iv_text, content_text, tag_text] =
            [&iv, &content, &tag].map(|part| URL_SAFE_NO_PAD.encode(part));
        let canonical = format!("{HEADER}..{iv_text}.{content_text}.{tag_text}");
        let is_canonical = iv.len() == IV_LENGTH && tag.len() == TAG_LENGTH && text == canonical;
        is_canonical.then_some(Self(text))
    }

    fn open_under(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        let decrypter = Dir.decrypter_from_bytes(key).ok()?;
        deserialize_compact(self.0, &decrypter).ok().map(|(plain, _)| plain)
    }
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

    const VALUE: &str = "a value of some length";

    fn sealed_value() -> (Sealer, String) {
        let sealer = secrets(&[&MasterSecrets::generate().unwrap()]).sealer("test");
        let sealed = sealer.seal(&VALUE).unwrap();
        (sealer, sealed)
    }

    /// The five parts of a sealed value.
    fn parts(sealed: &str) -> [String; 5] {
        let parts: Vec<_> = sealed.split('.').map(str::to_owned).collect();
        parts.try_into().unwrap()
    }

    /// Neither opens nor counts as sealed.
    fn assert_refused(sealer: &Sealer, text: &str) {
        let opened = sealer.open::<String>(text);
        assert!(matches!(opened, Err(SealError::DoesNotOpen)), "{opened:?}: {text:?}");
        assert_eq!(sealer.line_of(text), None, "{text:?}");
    }

    #[test]
    fn a_sealed_value_has_the_canonical_form_whatever_its_length() {
        let sealer = sealed_value().0;
        for length in 0..64 {
            let value = "x".repeat(length);
            let sealed = sealer.seal(&value).unwrap();
            let [header, key, iv, _, tag] = parts(&sealed);
            assert_eq!((header.as_str(), key.as_str()), (HEADER, ""));
            assert_eq!((iv.len(), tag.len()), (16, 22));
            assert_eq!(sealer.open::<String>(&sealed).unwrap(), value);
        }
    }

    #[test]
    fn no_truncation_and_no_extension_opens() {
        let (sealer, sealed) = sealed_value();
        for length in 0..sealed.len() {
            assert_refused(&sealer, &sealed[..length]);
            assert_refused(&sealer, &sealed[length + 1..]);
        }
        for added in (0..=127).map(char::from).chain(['é', '\u{feff}', '\u{ff0e}']) {
            for place in 0..=sealed.len() {
                let mut longer = sealed.clone();
                longer.insert(place, added);
                assert_refused(&sealer, &longer);
            }
        }
        for added in ["==", "..", ".AA", "AA", "\r\n", "%3D", "#x", "?x"] {
            assert_refused(&sealer, &format!("{sealed}{added}"));
            assert_refused(&sealer, &format!("{added}{sealed}"));
        }
        assert_refused(&sealer, &format!("{sealed}{sealed}"));
    }

    #[test]
    fn no_flipped_bit_and_no_other_character_opens() {
        let (sealer, sealed) = sealed_value();
        for place in 0..sealed.len() {
            for byte in 0..=127 {
                let mut changed = sealed.clone().into_bytes();
                if changed[place] != byte {
                    changed[place] = byte;
                    assert_refused(&sealer, &String::from_utf8(changed).unwrap());
                }
            }
        }
    }

    #[test]
    fn no_part_opens_when_its_bytes_are_cut_lengthened_or_flipped_and_spelled_well() {
        let (sealer, sealed) = sealed_value();
        for part in 0..5 {
            let bytes = URL_SAFE_NO_PAD.decode(&parts(&sealed)[part]).unwrap();
            let with = |bytes: &[u8]| {
                let mut changed = parts(&sealed);
                changed[part] = URL_SAFE_NO_PAD.encode(bytes);
                changed.join(".")
            };
            for length in 0..bytes.len() {
                assert_refused(&sealer, &with(&bytes[..length]));
                assert_refused(&sealer, &with(&bytes[length + 1..]));
                for bit in 0..8 {
                    let mut flipped = bytes.clone();
                    flipped[length] ^= 1 << bit;
                    assert_refused(&sealer, &with(&flipped));
                }
            }
            for added in 1..=20 {
                assert_refused(&sealer, &with(&[bytes.as_slice(), &vec![0; added]].concat()));
                assert_refused(&sealer, &with(&[&vec![0; added], bytes.as_slice()].concat()));
            }
        }
    }

    #[test]
    fn no_other_encoding_of_the_same_bytes_opens() {
        use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
        let (sealer, sealed) = sealed_value();
        for part in 0..5 {
            let bytes = URL_SAFE_NO_PAD.decode(&parts(&sealed)[part]).unwrap();
            let mut spellings = vec![
                STANDARD.encode(&bytes),
                STANDARD_NO_PAD.encode(&bytes),
                URL_SAFE.encode(&bytes),
            ];
            let own = parts(&sealed)[part].clone();
            spellings.extend([format!("{own}="), format!("{own} "), own.to_lowercase()]);
            for spelling in spellings.into_iter().filter(|spelling| *spelling != own) {
                let mut changed = parts(&sealed);
                changed[part] = spelling;
                assert_refused(&sealer, &changed.join("."));
            }
        }
    }

    #[test]
    fn no_other_header_opens_even_if_the_right_key_authenticates_it() {
        use josekit::jwe::A256GCMKW;
        let key = [7; 32];
        let sealer = Sealer::new(vec![key], SealingLine::default());
        let plain = serde_json::to_vec(VALUE).unwrap();
        let direct = |change: fn(&mut JweHeader)| {
            let mut header = JweHeader::new();
            header.set_content_encryption("A256GCM");
            change(&mut header);
            let encrypter = Dir.encrypter_from_bytes(key).unwrap();
            serialize_compact(&plain, &header, &encrypter).unwrap()
        };
        assert_eq!(sealer.open::<String>(&direct(|_| ())).unwrap(), VALUE);
        assert_refused(&sealer, &direct(|header| header.set_compression("DEF")));
        assert_refused(&sealer, &direct(|header| header.set_key_id("1")));
        assert_refused(&sealer, &direct(|header| header.set_token_type("JWT")));
        assert_refused(&sealer, &direct(|header| header.set_critical(&vec!["x"])));
        let other_order = |header: &mut JweHeader| {
            let members = r#"{"alg":"dir","enc":"A256GCM"}"#;
            *header = JweHeader::from_bytes(members.as_bytes()).unwrap();
        };
        assert_refused(&sealer, &direct(other_order));

        let mut header = JweHeader::new();
        header.set_content_encryption("A256GCM");
        let encrypter = A256GCMKW.encrypter_from_bytes(key).unwrap();
        assert_refused(&sealer, &serialize_compact(&plain, &header, &encrypter).unwrap());

        for text in [
            r#"{"alg":"dir","enc":"A128GCM"}"#,
            r#"{"alg":"dir","enc":"A256CBC-HS512"}"#,
            r#"{"alg":"none","enc":"A256GCM"}"#,
            r#"{"enc":"A256GCM","alg":"dir" }"#,
            r#"{"enc":"A256GCM","alg":"dir","alg":"dir"}"#,
            "{}",
        ] {
            let mut changed = parts(&direct(|_| ()));
            changed[0] = URL_SAFE_NO_PAD.encode(text);
            assert_refused(&sealer, &changed.join("."));
        }
    }

    #[test]
    fn no_tag_of_one_byte_opens_although_josekit_takes_one() {
        let (sealer, sealed) = sealed_value();
        let cut = |byte: u8| {
            let mut changed = parts(&sealed);
            changed[4] = URL_SAFE_NO_PAD.encode([byte]);
            changed.join(".")
        };
        let decrypter = Dir.decrypter_from_bytes(sealer.keys[0]).unwrap();
        let taken =
            (0..=u8::MAX).filter(|byte| deserialize_compact(&cut(*byte), &decrypter).is_ok());
        // Once this is 0, josekit keeps the promise of AES-GCM by itself.
        assert_eq!(taken.count(), 1);
        (0..=u8::MAX).for_each(|byte| assert_refused(&sealer, &cut(byte)));
    }
}
