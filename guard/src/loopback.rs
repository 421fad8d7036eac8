//! URLs and host names of this machine.

pub(crate) use net::loopback::is_loopback;

/// The three spellings of this machine. For clients they are different servers.
pub(crate) const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
