//! Who this client is and how it gets its tokens, as its person chose.

use crate::connection::Protocol;

/// The choices; the default ones fit every server that lets clients register themselves.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Which revision of MCP is spoken.
    pub protocol: Protocol,
}
