//! Who this client is and how it gets its tokens, as the user has chosen.

use std::time::Duration;

use crate::{
    oauth::{dpop_choice::DpopChoice, enterprise::IdentityProvider, identity::Identity},
    protocol::Protocol,
    secret::Secret,
};

/// Who this client is and how it gets its tokens. The default fits every server that lets clients
/// register themselves.
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

/// How long a server may be silent while it works on a request. Every message, such as a progress
/// notification, restarts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTimeout(pub Duration);

impl Default for AnswerTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(300))
    }
}

/// How the client gets its tokens.
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
    /// The platform vouches for this workload, with the assertion that it has signed.
    Workload(Secret),
}

impl SignInMethod {
    /// Whether a user has to do something.
    pub(crate) fn needs_user(&self) -> bool {
        matches!(self, Self::Browser | Self::Device)
    }

    /// The MCP extension that defines this method, if there is one.
    pub(crate) fn extension(&self) -> Option<&'static str> {
        match self {
            Self::ClientCredentials => Some("io.modelcontextprotocol/oauth-client-credentials"),
            Self::Enterprise(_) => Some("io.modelcontextprotocol/enterprise-managed-authorization"),
            Self::Browser | Self::Device | Self::Workload(_) => None,
        }
    }
}
