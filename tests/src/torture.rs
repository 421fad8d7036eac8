//! What must hold under races, crashes and rotations, proved against running programs.
//!
//! `make torture` runs all of it at length, `make test` a short form. Every run is bounded and prints
//! the seed of its random choices; the same seed makes the same choices again.
//!
//! - [`model`] compares random interleavings with a small model of grants.
//! - [`races`] lets many callers present one code or one refresh token.
//! - [`crashes`] kills `auth` at random moments under load.
//! - [`full_disk`] fills the disk under the database and makes space again.
//! - [`rotation`] rotates signing keys while tokens are issued and verified.
//! - [`secrets`] rolls a new master secret over replicas under load.

pub mod crashes;
pub mod full_disk;
pub mod model;
pub mod races;
pub mod replicas;
pub mod rotation;
pub mod secrets;
pub mod seeded;
pub mod small_disk;

use std::io::Write;

/// Shows how far it is.
pub fn report(line: &str) {
    // There is no other place to report to when stderr is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}
