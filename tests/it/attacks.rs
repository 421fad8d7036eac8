//! What hostile servers, networks and moments do to the client: one file for each kind.

mod exhaustion;
mod processes;
mod transport;
