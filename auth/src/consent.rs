//! What follows when a person allows or denies what a client asks for, and the memory of it.

pub(crate) mod answer;
pub(crate) mod memory;
