//! Network rules and limits that several crates of Portcullis share. Nothing in it knows OAuth.

pub mod addresses;
pub mod clock;
#[cfg(feature = "server")]
pub mod connections;
pub mod host;
pub mod loopback;
#[cfg(feature = "middleware")]
pub mod unread_body;
