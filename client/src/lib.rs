//! The command line for protected MCP servers, and the client's half of MCP authorization.
