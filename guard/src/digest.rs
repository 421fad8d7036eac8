//! SHA-256, by which tokens and proofs are remembered: they themselves are not kept in memory longer
//! than their request.

use aws_lc_rs::digest::{SHA256, digest};

/// The hash of a text.
pub(crate) type Digest = [u8; 32];

/// The hash of `text`.
pub(crate) fn sha256(text: &str) -> Digest {
    let mut hash = Digest::default();
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}
