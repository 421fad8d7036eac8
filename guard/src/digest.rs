//! SHA-256 of tokens and proofs, which themselves are not kept in memory after their request.

use aws_lc_rs::digest::{SHA256, digest};

pub(crate) type Digest = [u8; 32];

pub(crate) fn sha256(text: &str) -> Digest {
    let mut hash = Digest::default();
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}
