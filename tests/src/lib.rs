//! What the tests stand on: a whole stack on free ports, people, programs, and other people's
//! servers.
//!
//! - [`stack::Stack`] starts everything and moves its clock; [`stack::github`] is the stand-in for
//!   GitHub that `make dev` uses too, [`stack::postgres`] makes databases of the other engine.
//! - [`people`] use a browser, with a screen or without, or sit at a terminal.
//! - [`programs`] ask for tokens, call the MCP server or run a command, one message at a time.
//! - [`servers`] are other people's: they do things differently, wrongly or with bad intentions.
//! - [`walkthroughs`] are what people do with the client; [`pictures`] draws them and every page.
//! - [`mod@reference`] makes the pages of docs/reference from the sources.
//! - [`company`] is the company of `docs/company.md`.
//! - [`conformance`] is the server that the official suite expects.
//! - [`torture`] proves what must hold under races and crashes.
//! - [`waiting`] is the only place where time passes by itself.
//!
//! Tests talk to servers over HTTP and compare the raw JSON that clients would see.
#![expect(clippy::expect_used, clippy::panic, reason = "the harness fails the test it serves")]
#![expect(missing_docs, reason = "only tests read it, and most names say enough")]

pub mod company;
pub mod conformance;
pub mod people;
pub mod pictures;
pub mod programs;
pub mod reference;
pub mod servers;
pub mod stack;
pub mod torture;
pub mod waiting;
pub mod walkthroughs;
