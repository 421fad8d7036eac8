//! The gate in front of servers that know nothing of tokens.

mod audit;
mod failures;
mod forward_auth;
mod identity;
mod passing;
mod rules;
mod stdio;
mod streams;
mod verifiers;
