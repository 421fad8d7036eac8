//! Who may come in, and what they may have: a pure decision over what upstreams say of a person.

pub(crate) mod facts;
mod groups;
mod limit;
mod policy;
mod provisioning;
mod rule;

pub(crate) use self::{
    groups::{Group, Groups, GroupsClaim},
    limit::Limit,
    policy::{AccessPolicy, KeptOut, Recheck},
    provisioning::{MatchedBy, MatchingKeys, Provisioning, SCIM},
    rule::Rule,
};

/// Name of GitHub among the upstreams.
pub(crate) const GITHUB: &str = "github";
