//! Configures and builds a guard.

use std::sync::Arc;

use keys::{Profile, Verifier};
use net::clock::Clock;
use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};

use crate::{
    Guard, GuardError, Inner,
    declaration::group_of,
    deny_list::Revocations,
    in_progress::InProgress,
    issuer::{Issuer, Issuers},
    opaque::{Credentials, Introspection},
    possession::Possession,
    protected_resource::ProtectedResource,
    requirement::Requirements,
    scope_hierarchy::ScopeHierarchy,
    sessions::Sessions,
    site::Site,
};

/// Configures a guard. Made by [`Guard::new`].
#[derive(Clone, Debug)]
pub struct GuardBuilder {
    resource: String,
    issuers: Vec<String>,
    name: Option<String>,
    requirements: Requirements,
    hierarchy: ScopeHierarchy,
    hosts: Vec<String>,
    origins: Vec<String>,
    profile: Profile,
    audiences: Vec<String>,
    introspection: Option<Credentials>,
    groups_claim: String,
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
            profile: Profile::default(),
            audiences: Vec::new(),
            introspection: None,
            groups_claim: "groups".into(),
            revocations: Revocations::default(),
            bound_only: false,
            nonces: false,
            facade: false,
            clock: Clock::system(),
        }
    }

    /// Sets the name of the server for people (`resource_name`, RFC 9728 §2).
    pub fn with_name(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets the basic scopes. The first challenge and the metadata name them, and whatever declares no
    /// scopes needs all of them. Groups may be among them, as in [`needs`](crate::needs).
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.requirements.basic = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Makes `scope` imply the scopes `implied`.
    pub fn with_implied_scopes<const N: usize>(mut self, scope: &str, implied: [&str; N]) -> Self {
        self.hierarchy.add(scope, implied.map(str::to_owned).to_vec());
        self
    }

    /// Adds tools whose declared scopes are checked, see [`needs`](crate::needs).
    pub fn with_tools(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        tools.into_iter().for_each(|tool| self.requirements.add_tool(&tool));
        self
    }

    /// Adds prompts in the same way.
    pub fn with_prompts(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        prompts.into_iter().for_each(|prompt| self.requirements.add_prompt(&prompt));
        self
    }

    /// Adds resources in the same way.
    pub fn with_resources(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        resources.into_iter().for_each(|resource| self.requirements.add_resource(&resource));
        self
    }

    /// Adds resource templates in the same way. A resource with no declaration of its own inherits the
    /// scopes of the template with the longest matching literal prefix.
    pub fn with_templates(mut self, all: impl IntoIterator<Item = ResourceTemplate>) -> Self {
        all.into_iter().for_each(|template| self.requirements.add_template(&template));
        self
    }

    /// Adds host names, without port, that `Host` may contain besides that of the resource. Needed
    /// behind a proxy that changes `Host`.
    pub fn with_allowed_hosts(self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { hosts: hosts.into_iter().map(Into::into).collect(), ..self }
    }

    /// Adds origins such as `https://app.example.com` whose pages may call the server, besides that of
    /// the resource. On loopback, every origin of this machine is allowed.
    pub fn with_allowed_origins(
        self,
        origins: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self { origins: origins.into_iter().map(Into::into).collect(), ..self }
    }

    /// Accepts the tokens of an identity provider that writes them differently from RFC 9068, of every issuer. The log
    /// says what the profile relaxes.
    pub fn with_profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// Adds audiences of accepted tokens, for a provider that knows the resource by another name, such as the
    /// identifier of an application. Any server with this audience could use its tokens here.
    pub fn with_audiences(self, audiences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { audiences: audiences.into_iter().map(Into::into).collect(), ..self }
    }

    /// Accepts opaque tokens of the first issuer, which are verified by introspection (RFC 7662).
    pub fn with_introspection(self, client_id: &str, client_secret: &str) -> Self {
        let credentials =
            Credentials { client_id: client_id.into(), client_secret: client_secret.into() };
        Self { introspection: Some(credentials), ..self }
    }

    /// Sets the claim of tokens, introspection and userinfo that holds the groups of the user; `groups`
    /// if this is not called. It is a list of texts, or one text. Anything else, and more than a thousand
    /// groups, counts as none.
    pub fn with_groups_claim(self, name: &str) -> Self {
        Self { groups_claim: name.into(), ..self }
    }

    /// Sets how the deny lists of the issuers are used. The default is [`Revocations::FailOpen`].
    pub fn with_revocations(self, revocations: Revocations) -> Self {
        Self { revocations, ..self }
    }

    /// Accepts only tokens that are bound to a key (DPoP, RFC 9449). Without this, they are accepted
    /// besides others.
    pub fn with_bound_tokens_only(self) -> Self {
        Self { bound_only: true, ..self }
    }

    /// Demands a nonce of this process in each proof (RFC 9449 §9), so that proofs cannot be made in
    /// advance, or used on two replicas.
    pub fn with_dpop_nonces(self) -> Self {
        Self { nonces: true, ..self }
    }

    /// Lets clients of 2025-03-26 sign in. They look for the authorization server at the origin of the
    /// MCP server, which then serves its metadata and four endpoints that forward to the first issuer.
    pub fn with_facade(self) -> Self {
        Self { facade: true, ..self }
    }

    /// Replaces the system clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Builds the guard. Nothing is fetched before the first token comes, so the server can start while
    /// its authorization server is down.
    ///
    /// # Errors
    /// [`GuardError`] if the resource is not a URL, there is no issuer, or the system lacks what the
    /// guard needs.
    pub fn build(self) -> Result<Guard, GuardError> {
        let scopes = self.requirements.basic.iter().filter(|it| group_of(it).is_none());
        let scopes = scopes.cloned().collect();
        let resource = self.resource.clone();
        let resource = ProtectedResource::new(resource, self.issuers.clone(), self.name, scopes)
            .map_err(|_| GuardError::Resource(self.resource))?;
        if self.profile != Profile::default() {
            let (profile, relaxations) = (self.profile, self.profile.relaxations());
            tracing::warn!(%profile, "besides tokens of RFC 9068 accepts {relaxations}");
        }
        let audiences = [resource.audiences(), self.audiences].concat();
        let mut issuers = self.issuers.into_iter().map(|identifier| {
            let verifier = Verifier::new(identifier, audiences.clone())
                .with_groups_claim(&self.groups_claim)
                .with_profile(self.profile);
            Issuer::new(verifier, self.revocations, self.clock.clone())
        });
        let mut first = issuers.next().ok_or(GuardError::NoIssuer)??;
        let others = issuers.collect::<Result<_, _>>()?;
        first.introspection = self.introspection.map(|credentials| {
            let server = first.server.clone();
            Introspection::new(server, credentials, resource.audiences(), self.groups_claim)
        });
        let authorization_server = first.server.clone();
        Ok(Guard(Arc::new(Inner {
            authorization_server,
            site: Site::new(resource.url.clone(), self.hosts, &self.origins),
            resource,
            issuers: Issuers::new(first, others, self.hierarchy),
            possession: Possession::new(self.bound_only, self.nonces)?,
            requirements: self.requirements,
            sessions: Sessions::default(),
            in_progress: InProgress::default(),
            facade: self.facade,
            clock: self.clock,
        })))
    }
}
