//! Who may come in: what upstreams say of a person.

pub(crate) mod facts;
