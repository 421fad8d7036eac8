//! Every test that crosses a crate: the endpoints of `auth` one by one, whole flows, and the house.

mod endpoints;
mod flows;
mod tidy;
