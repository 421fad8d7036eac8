//! How a guard is put together.

use std::sync::Arc;

use net::clock::Clock;
use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use url::Url;

use crate::{
    Guard, GuardError, Inner,
    deny_list::Revocations,
    issuer::Issuer,
    opaque::{Credentials, Introspection},
    possession::Possession,
    protected_resource::ProtectedResource,
    requirement::Requirements,
    scope_hierarchy::ScopeHierarchy,
    sessions::Sessions,
    site::Site,
    under_way::UnderWay,
};

/// What a guard is made of. Start with [`Guard::new`].
#[derive(Clone, Debug)]
pub struct GuardBuilder {
    resource: String,
    issuers: Vec<String>,
    name: Option<String>,
    requirements: Requirements,
    hierarchy: ScopeHierarchy,
    hosts: Vec<String>,
    origins: Vec<String>,
    introspection: Option<Credentials>,
    revocations: Revocations,
    bound_only: bool,
    nonces: bool,
    facade: bool,
    clock: Clock,
}

impl GuardBuilder {
    pub(crate) fn new(resource: String, issuers: Vec<String>) -> Self {
        Self {
            resource,
            issuers,
            name: None,
            requirements: Requirements::default(),
            hierarchy: ScopeHierarchy::default(),
            hosts: Vec::new(),
            origins: Vec::new(),
            introspection: None,
            revocations: Revocations::default(),
            bound_only: false,
            nonces: false,
            facade: false,
            clock: Clock::system(),
        }
    }

    /// What people call the server (`resource_name`, RFC 9728 §2).
    pub fn with_name(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The basic scopes: those that the first challenge and the metadata name, and that
    /// everything needs which declares nothing.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.requirements.basic = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Whoever has `scope` has `implied`, too.
    pub fn with_scope_above<const N: usize>(mut self, scope: &str, implied: [&str; N]) -> Self {
        self.hierarchy.add(scope, implied.map(str::to_owned).to_vec());
        self
    }

    /// Checks the scopes that these tools declare with [`needs`].
    pub fn with_tools(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        tools.into_iter().for_each(|tool| self.requirements.add_tool(&tool));
        self
    }

    /// The same for prompts.
    pub fn with_prompts(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        prompts.into_iter().for_each(|prompt| self.requirements.add_prompt(&prompt));
        self
    }

    /// The same for resources.
    pub fn with_resources(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        resources.into_iter().for_each(|resource| self.requirements.add_resource(&resource));
        self
    }

    /// The same for templates: a resource without a declaration of its own needs what the
    /// template does whose text before the first variable is the longest that fits.
    pub fn with_templates(mut self, all: impl IntoIterator<Item = ResourceTemplate>) -> Self {
        all.into_iter().for_each(|template| self.requirements.add_template(&template));
        self
    }

    /// Further names by which requests may call the server, without port: for a proxy that puts
    /// another name into `Host`. The resource's own is always one.
    pub fn with_hosts(self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { hosts: hosts.into_iter().map(Into::into).collect(), ..self }
    }

    /// Further origins whose pages may call the server, as `https://app.example.com`. The
    /// resource's own is always one; on loopback all of this machine are.
    pub fn with_origins(self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { origins: origins.into_iter().map(Into::into).collect(), ..self }
    }

    /// Accepts opaque tokens of the first issuer too, asking it about each (RFC 7662).
    pub fn with_introspection(self, client_id: &str, client_secret: &str) -> Self {
        let (client_id, client_secret) = (client_id.into(), client_secret.into());
        Self { introspection: Some(Credentials { client_id, client_secret }), ..self }
    }

    /// What to make of the issuers' lists of revoked tokens; [`Revocations::FailOpen`] unless told
    /// otherwise.
    pub fn with_revocations(self, revocations: Revocations) -> Self {
        Self { revocations, ..self }
    }

    /// Takes only tokens that are bound to a key (DPoP, RFC 9449). Bound ones are always taken,
    /// with a proof.
    pub fn with_bound_tokens_only(self) -> Self {
        Self { bound_only: true, ..self }
    }

    /// Asks for a nonce of this process in each proof (RFC 9449 §9): a proof made in advance is
    /// then worth nothing, and none made for another replica.
    pub fn with_nonces(self) -> Self {
        Self { nonces: true, ..self }
    }

    /// Lets clients of 2025-03-26 sign in, which look for the authorization server at the origin
    /// of the MCP server: its metadata and four endpoints that hand everything on to the first
    /// issuer.
    pub fn with_facade(self) -> Self {
        Self { facade: true, ..self }
    }

    /// Uses another clock than the machine's.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Builds the guard. Nothing is fetched until the first token comes, so the server starts
    /// even while its authorization server is down.
    pub fn build(self) -> Result<Guard, GuardError> {
        let url =
            Url::parse(&self.resource).map_err(|_| GuardError::Resource(self.resource.clone()))?;
        let site = Site::new(url.clone(), self.hosts, &self.origins);
        let resource = ProtectedResource {
            identifier: self.resource,
            url,
            issuers: self.issuers.clone(),
            name: self.name,
            scopes: self.requirements.basic.clone(),
        };
        let mut issuers = Vec::new();
        for identifier in self.issuers {
            let (audiences, clock) = (resource.audiences(), self.clock.clone());
            issuers.push(Issuer::new(identifier, audiences, self.revocations, clock)?);
        }
        let first = issuers.first_mut().ok_or(GuardError::NoIssuer)?;
        first.introspection = self.introspection.map(|credentials| {
            Introspection::new(first.server.clone(), credentials, resource.audiences())
        });
        let authorization_server = first.server.clone();
        Ok(Guard(Arc::new(Inner {
            authorization_server,
            resource,
            site,
            issuers,
            possession: Possession::new(self.bound_only, self.nonces)?,
            requirements: self.requirements,
            hierarchy: self.hierarchy,
            sessions: Sessions::default(),
            under_way: UnderWay::default(),
            facade: self.facade,
            clock: self.clock,
        })))
    }
}
