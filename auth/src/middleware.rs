//! Layers around the routes, one per file.

pub(crate) mod deadline;
pub(crate) mod fetch_loop;
pub(crate) mod host;
pub(crate) mod pages;
pub(crate) mod report;
pub(crate) mod request_id;
pub(crate) mod same_origin;
