//! Network rules and limits that several crates of Portcullis share. Nothing in it knows OAuth.

pub mod addresses;
#[cfg(feature = "client")]
pub mod body;
pub mod clock;
#[cfg(feature = "server")]
pub mod connections;
pub mod host;
pub mod loopback;
#[cfg(feature = "client")]
pub mod resolver;
#[cfg(feature = "server")]
pub mod shutdown;
#[cfg(feature = "middleware")]
pub mod unread_body;
