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
    /// own authorization server. It is never fallen back to, only asked for.
    pub fn predates_resource_metadata(&self) -> bool {
        *self == Self::Only(ProtocolVersion::V_2025_03_26)
    }

    /// The revision offered in `initialize`.
    pub(crate) fn offered(&self) -> ProtocolVersion {
        match self {
            Self::Newest => ProtocolVersion::LATEST_WITH_INITIALIZE,
            Self::Only(version) => version.clone(),
        }
    }

    /// How a connection is opened.
    pub(crate) fn lifecycle(&self) -> ClientLifecycleMode {
        match self {
            Self::Newest => ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
            },
            Self::Only(version) if *version >= ProtocolVersion::NO_INITIALIZE => {
                ClientLifecycleMode::Discover { preferred_versions: vec![version.clone()] }
            }
            Self::Only(_) => ClientLifecycleMode::Initialize,
        }
    }
}
