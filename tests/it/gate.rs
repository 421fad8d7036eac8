//! The gate in front of servers that know nothing of tokens.

mod failures;
mod identity;
mod passing;
mod streams;
