//! The one stylesheet, and an address for it that changes whenever its content does.

use std::sync::LazyLock;

/// The stylesheet of every page, to be served as `text/css; charset=utf-8`.
pub const STYLE: &str = include_str!("style.css");

/// The path every page links to, `/style.<8 hex digits of the content's hash>.css`.
///
/// Another content has another path, so the answer may be cached for ever.
pub static STYLE_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/style.{:08x}.css", content_hash(STYLE.as_bytes())));

/// 32-bit FNV-1a: equal on every machine and compiler, so replicas agree on the path.
fn content_hash(content: &[u8]) -> u32 {
    content
        .iter()
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(content_hash(b""), 0x811c_9dc5);
        assert_eq!(content_hash(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn the_path_carries_eight_hex_digits() {
        let digits = STYLE_PATH.strip_prefix("/style.").and_then(|rest| rest.strip_suffix(".css"));
        let digits = digits.expect("a path of the promised form");
        assert_eq!(digits.len(), 8);
        assert!(digits.chars().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn the_stylesheet_is_small_and_asks_for_nothing_else() {
        assert!(STYLE.len() < 10 * 1024, "{} bytes", STYLE.len());
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
