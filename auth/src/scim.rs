//! SCIM 2.0 as pure rules (RFC 7643, RFC 7644): resources, filters and patches, without HTTP and database.

mod attributes;
mod error;
mod filter;
mod group;
mod patch;
mod path;
mod projection;
mod resource;
pub(crate) mod schemas;
mod user;

pub(crate) use self::{
    error::ScimError,
    filter::{group_filter, user_filter},
    group::Group,
    patch::Patch,
    projection::Projection,
    resource::{Meta, etag},
    user::User,
};

/// The parsed body of a request, and the members of a resource.
pub(crate) type Members = serde_json::Map<String, serde_json::Value>;
