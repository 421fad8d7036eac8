//! Servers and networks that are hostile to the client.

mod exhaustion;
mod transport;
