//! Every test that crosses a crate: the endpoints of `auth` one by one, the guard, whole flows, and
//! the house itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod advertised;
mod attacks;
mod bad_input;
mod client_authentication;
mod commands;
mod connections;
mod endpoints;
mod engines;
mod failing_writes;
mod fetch_loops;
mod flows;
mod foreign_text;
mod guard;
mod key_rotation;
mod limits;
mod master_secrets;
mod metadata_documents;
mod outages;
mod plans;
mod public_issuer;
mod reason_codes;
mod request_ids;
mod resources;
mod retention;
mod secret_settings;
mod secrets;
mod settings;
mod signatures;
mod single_use;
mod sweeps;
mod tidy;
mod torture;
mod unused_grants;
