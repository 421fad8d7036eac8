//! The one stylesheet, and an address for it that changes whenever its content does.

/// The rules of every page, before an operator's colour is added.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The path of a stylesheet, named by its content.
pub(crate) fn path(stylesheet: &str) -> String {
    format!("/style.{:08x}.css", content_hash(stylesheet.as_bytes()))
}

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
    fn another_content_has_another_path() {
        assert_eq!(path("foobar"), "/style.bf9cf968.css");
        assert_ne!(path("foobar"), path("foobaz"));
    }

    #[test]
    fn the_stylesheet_is_small_and_asks_for_nothing_else() {
        assert!(STYLE.len() < 12 * 1024, "{} bytes", STYLE.len());
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
