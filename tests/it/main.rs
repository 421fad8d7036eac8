//! Every test that crosses a crate: the endpoints of `auth` one by one, the guard, whole flows, and
//! the house itself.

mod endpoints;
mod flows;
mod guard;
mod settings;
mod tidy;
