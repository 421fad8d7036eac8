//! The connection to one server: MCP over HTTP, and the access token that it takes.
//!
//! [`client`] repeats a request that was refused, [`access`] gets the token that it needs, and
//! [`connection`] and [`wire`] carry MCP on top of rmcp.

pub mod access;
pub mod client;
pub mod connection;
pub mod conversation;
pub mod person;
pub mod renewal;
pub mod setup;
pub mod wire;
