//! What attackers try: at `auth` and `mcp`, at connections, and at the client.

mod bad_input;
mod client;
mod connections;
mod fetch_loops;
mod foreign_text;
mod forgery;
mod grants;
mod limits;
mod mixing;
mod paths;
mod redirects;
mod secret_settings;
mod secrets;
mod signatures;
mod single_use;
mod smuggling;
mod sql;
mod streams;
mod tokens;
