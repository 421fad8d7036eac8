//! Layers around the routes, one per file.

pub(crate) mod deadline;
pub(crate) mod envelope;
pub(crate) mod fetch_loop;
mod host;
pub(crate) mod pages;
pub(crate) mod provisioning_client;
mod report;
mod request_id;
pub(crate) mod same_origin;
