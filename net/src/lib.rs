//! What several crates of Portcullis need of the network. Nothing in it knows OAuth.
//!
//! - [`clock`] tells the time, or what a test says that it is.
//! - [`addresses`] and [`loopback`] judge where a URL leads; with the feature `client`, `resolver`
//!   applies that to names when reqwest connects, `body` bounds what is read, and `https` shares
//!   what the machine trusts.
//! - With the feature `config`, `config_file` says where a mistake in a TOML file is.
//! - [`host`] checks which server a request is addressed to.
//! - With the feature `middleware`, `document` serves documents that are rendered once, and
//!   `unread_body` keeps connections usable after an early response.
//! - With the feature `server`, `connections` serves a router with limits on every phase of a
//!   connection, and `shutdown` says when to stop.
//! - With the feature `log`, `log` begins the log of a server program.

pub mod addresses;
#[cfg(feature = "client")]
pub mod body;
pub mod clock;
#[cfg(feature = "config")]
pub mod config_file;
#[cfg(feature = "server")]
pub mod connections;
#[cfg(feature = "middleware")]
pub mod document;
pub mod host;
#[cfg(feature = "client")]
pub mod https;
#[cfg(feature = "log")]
pub mod log;
pub mod loopback;
#[cfg(feature = "client")]
pub mod resolver;
#[cfg(feature = "server")]
pub mod shutdown;
#[cfg(feature = "middleware")]
pub mod unread_body;
