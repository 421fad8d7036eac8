//! What hostile servers, networks and moments do to the client, and what forgers try at the
//! server: one file for each kind.

mod exhaustion;
mod forgery;
mod processes;
mod transport;
