//! Which revision of MCP is spoken.

use rmcp::{ClientLifecycleMode, model::ProtocolVersion};

/// The revisions that are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The newest both sides know: 2026-07-28 is asked for first, then `initialize`.
    #[default]
    Newest,
    /// This one and no other.
    Only(ProtocolVersion),
}

impl Protocol {
    /// Whether this is the revision before protected resource metadata, in which a server was its
    /// own authorization server. There is no fallback to it: the user has to choose it.
    pub(crate) fn predates_resource_metadata(&self) -> bool {
        *self == Self::Only(ProtocolVersion::V_2025_03_26)
    }

    pub(crate) fn offered(&self) -> ProtocolVersion {
        match self {
            Self::Newest => ProtocolVersion::LATEST_WITH_INITIALIZE,
            Self::Only(version) => version.clone(),
        }
    }

    /// How a connection is opened: each way is for servers that do not know the one before.
    pub(crate) fn lifecycles(&self) -> Vec<ClientLifecycleMode> {
        let discover = |version: &ProtocolVersion| ClientLifecycleMode::Discover {
            preferred_versions: vec![version.clone()],
        };
        match self {
            Self::Newest => {
                vec![discover(&ProtocolVersion::V_2026_07_28), ClientLifecycleMode::Initialize]
            }
            Self::Only(version) if *version >= ProtocolVersion::NO_INITIALIZE => {
                vec![discover(version)]
            }
            Self::Only(_) => vec![ClientLifecycleMode::Initialize],
        }
    }
}
