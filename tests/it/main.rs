//! Every test that crosses a crate: the endpoints of `auth` one by one, guard and gate, the client, whole
//! flows, attacks, and the house itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attacks;
mod client;
mod commands;
mod endpoints;
mod flows;
mod gate;
mod guard;
mod house;
mod rules;
mod storage;
