//! The commands of `client`, run as processes of their own.

mod commands;
mod odd_servers;
mod processes;
