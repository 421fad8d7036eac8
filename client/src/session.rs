//! The connection to one server: MCP over HTTP, and the access token that it takes.
//!
//! [`client`] repeats a request that was refused, [`access`] gets the token that it needs, and
//! [`connection`] and [`wire`] carry MCP on top of rmcp.

pub(crate) mod access;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod conversation;
pub(crate) mod options;
pub(crate) mod person;
pub(crate) mod recovery;
pub(crate) mod renewal;
pub(crate) mod token_slot;
pub(crate) mod wire;
