//! Who this client is and how it gets its tokens, as its person chose.

use std::time::Duration;

use crate::{
    oauth::{dpop_choice::DpopChoice, enterprise::IdentityProvider, identity::Identity},
    protocol::Protocol,
    secret::Secret,
};

/// The choices; the default ones fit every server that lets clients register themselves.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Which revision of MCP is spoken.
    pub protocol: Protocol,
    /// Which client this is.
    pub identity: Identity,
    /// How it gets its tokens.
    pub method: SignInMethod,
    /// Whether tokens are bound to a key.
    pub dpop: DpopChoice,
    /// How long a server may be silent while it works on a request.
    pub answer_timeout: AnswerTimeout,
}

/// How long a server may be silent while it works on a request. A message puts the end off, for
/// example one about its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTimeout(pub Duration);

impl Default for AnswerTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(300))
    }
}

/// How tokens are got.
#[derive(Clone, Debug, Default)]
pub enum SignInMethod {
    /// A user signs in with a browser that this machine can be reached from.
    #[default]
    Browser,
    /// A user signs in with a browser elsewhere (RFC 8628).
    Device,
    /// The client is who the token is for (OAuth 2.1 §4.2).
    ClientCredentials,
    /// A company's identity provider vouches for the user.
    Enterprise(IdentityProvider),
    /// The platform vouches for this workload: what it has signed.
    Workload(Secret),
}

impl SignInMethod {
    /// Whether a user has to do something.
    pub(crate) fn needs_user(&self) -> bool {
        matches!(self, Self::Browser | Self::Device)
    }

    /// The extension of the protocol that this is, if it has a name there.
    pub(crate) fn extension(&self) -> Option<&'static str> {
        match self {
            Self::ClientCredentials => Some("io.modelcontextprotocol/oauth-client-credentials"),
            Self::Enterprise(_) => Some("io.modelcontextprotocol/enterprise-managed-authorization"),
            Self::Browser | Self::Device | Self::Workload(_) => None,
        }
    }
}
