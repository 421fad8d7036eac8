//! Programs that speak to a server, one message or one process at a time.

pub mod client;
pub mod command_line;
pub mod foreign_key;
pub mod guide;
pub mod mcp_client;
pub mod operator;
pub mod process;
pub mod raw_http;
pub mod raw_jws;
pub mod reverse_proxy;
pub mod scim;
