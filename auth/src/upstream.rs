//! Where people prove who they are.

pub mod github;
