//! The guard in front of the MCP server, on both wires.

mod challenge;
mod facade;
mod features;
mod layering;
mod metadata;
mod opaque;
mod operation;
mod possession;
mod profiles;
mod revocation;
mod sessions;
mod site;
mod verification;
