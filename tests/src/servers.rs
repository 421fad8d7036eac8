//! Other people's servers: MCP servers, authorization servers, and hosts of documents.

pub mod document_server;
pub mod hostile_server;
pub mod mcp_server;
pub mod open_server;
pub mod openid_provider;
pub mod seeded;
pub mod tls;
pub mod trusted_issuer;
pub mod zoo;
