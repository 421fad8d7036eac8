//! What the tests stand on: a whole stack on free ports, a browser, and a stand-in for GitHub.
//!
//! - [`stack::Stack`] starts everything and moves its clock.
//! - [`browser::Browser`] is a person's browser over plain HTTP.
//! - [`client::Client`] is a program that asks for tokens, one message at a time.
//! - [`mcp_client`] calls the MCP server on both wires.
//! - [`conformance`] is the server that the official suite expects.
//! - [`document_server`] serves metadata documents and keys of clients.
//! - [`trusted_issuer`] asserts who people and workloads are.
//! - [`openid_provider`] is an OpenID provider that misbehaves when told to.
//! - [`hostile_server`] wants people to open what they should not.
//! - [`zoo`] is other people's servers, which do right things differently or one thing wrong.
//! - [`tls`] puts TLS in front of a server, with the certificate that a test wants.
//! - [`raw_jws`] signs any header and any claims.
//! - [`operator`] runs the commands of `auth` on the stack's database.
//! - [`postgres`] makes databases of the other engine.
//! - [`raw_http`] writes requests that no HTTP client would send.
//! - [`seeded::Seeded`] is a server with one flaw, for `client doctor` to find.
//! - [`stories`] keeps the stories of requests, for `auth explain`.
//! - [`walkthroughs`] are what people do with the client, at a [`desk`] with a [`terminal`] whose
//!   [`screen`] is kept as a [`picture`].
//! - [`github`] is the stand-in that `make dev` uses too.
//! - [`gallery`] pictures every page in every state.
//!
//! - [`torture`] proves what must hold under races and crashes.
//!
//! Tests talk to servers over HTTP and compare the raw JSON that clients would see.
#![expect(clippy::expect_used, clippy::panic, reason = "the harness fails the test it serves")]

pub mod access_token;
pub mod browser;
pub mod chromium;
pub mod client;
pub mod command_line;
pub mod conformance;
pub mod conformance_client;
pub mod desk;
pub mod document_server;
pub mod gallery;
pub mod github;
pub mod hostile_server;
pub mod mcp_client;
pub mod open_server;
pub mod openid_provider;
pub mod operator;
pub mod picture;
pub mod postgres;
pub mod raw_http;
pub mod raw_jws;
pub mod screen;
pub mod seeded;
pub mod stack;
pub mod stories;
pub mod terminal;
pub mod tls;
pub mod torture;
pub mod trusted_issuer;
pub mod walkthroughs;
pub mod zoo;
