//! What the findings mean for the clients of today.
//!
//! Each client is described by the checks that it cannot do without, and by those without which it
//! works worse. Where they come from is said with each: clients that ran against a server with one
//! flaw at a time, the client's own source, or what its users reported.

use net::loopback::is_loopback;

use super::{challenge::asks_for_sign_in, evidence::Evidence};

/// A client, and what it needs of a server.
pub(super) struct KnownClient {
    pub(super) name: &'static str,
    /// The version that this was seen with, or the month.
    pub(super) version: &'static str,
    /// How it is known.
    pub(super) known_by: &'static str,
    /// Whether it calls from the network of its vendor.
    is_hosted: bool,
    /// Without these it cannot sign in or call, besides [`EVERY_CLIENT`].
    needs: &'static [&'static [&'static str]],
    /// Without these it works worse.
    wants: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    LockedOut,
    Hindered,
    Unhindered,
    /// It calls from elsewhere, and the server is on this machine.
    OutOfReach,
}

/// What one client meets.
pub(super) struct Verdict {
    pub(super) client: &'static KnownClient,
    pub(super) standing: Standing,
    /// The checks that lead to it.
    pub(super) because: Vec<&'static str>,
}

const RAN: &str = "ran against flawed servers";
const SOURCE: &str = "its source";
const REPORTS: &str = "reports of its users";

/// What no client can do without.
const EVERY_CLIENT: &[&str] = &[
    "challenge.unauthorized",
    "resource.found",
    "resource.announced_place",
    "resource.origin",
    "resource.authorization_servers",
    "resource.available",
    "issuer.well_formed",
    "server.reachable",
    "server.found",
    "server.available",
    "server.endpoints",
    "server.secure_endpoints",
    "server.pkce",
    "server.code",
    "server.public_clients",
    "server.identity",
    "registration.answers",
    "authorize.answers",
    "authorize.resource",
    "authorize.scope",
    "token.answers",
    "tls.used",
    "sign_in.exchange",
    "sign_in.token_type",
    "sign_in.accepted",
];
/// Readers of JSON that check each member.
const STRICT_JSON: &[&str] = &[
    "resource.no_null",
    "resource.types",
    "server.no_null",
    "server.types",
    "registration.no_null",
    "registration.types",
    "registration.echoes_redirects",
    "token.no_null",
    "sign_in.types",
];
const EXACT_SLASH: &[&str] = &["resource.trailing_slash"];
const OWN_SLASH: &[&str] = &["issuer.same", "issuer.own_slash"];
const ANNOUNCED_SLASH: &[&str] = &["issuer.announced_slash"];
const ISS: &[&str] = &["authorize.error_iss", "sign_in.answer"];
const LOOPBACK: &[&str] = &["registration.loopback"];
const LOCALHOST: &[&str] = &["registration.localhost"];
const BY_GET: &[&str] = &["challenge.get"];

/// The clients, in the order in which people ask for them.
pub(super) const CLIENTS: [KnownClient; 14] = [
    KnownClient {
        name: "Claude Code",
        version: "2.1.330",
        known_by: RAN,
        is_hosted: false,
        needs: &[LOCALHOST, &["challenge.discover", "registration.no_null", "authorize.any_port"]],
        wants: &["sign_in.refresh_twice"],
    },
    KnownClient {
        name: "Claude.ai",
        version: "2026-11",
        known_by: REPORTS,
        is_hosted: true,
        needs: &[],
        wants: &["server.metadata_documents", "token.unknown_client_status"],
    },
    KnownClient {
        name: "ChatGPT",
        version: "2026-11",
        known_by: REPORTS,
        is_hosted: true,
        needs: &[],
        wants: &["server.iss"],
    },
    KnownClient {
        name: "Codex",
        version: "0.153.4",
        known_by: REPORTS,
        is_hosted: false,
        needs: &[
            EXACT_SLASH,
            ISS,
            LOOPBACK,
            BY_GET,
            &["server.endpoint_origin", "sign_in.expires_in"],
        ],
        wants: &["sign_in.winner_lives"],
    },
    KnownClient {
        name: "Gemini CLI",
        version: "2026-05",
        known_by: REPORTS,
        is_hosted: false,
        needs: &[&["resource.exact"]],
        wants: &[],
    },
    KnownClient {
        name: "Cursor",
        version: "2026-07",
        known_by: REPORTS,
        is_hosted: false,
        needs: &[LOCALHOST, &["server.registration", "registration.private_scheme"]],
        wants: &["challenge.bad_token", "resource.scopes"],
    },
    KnownClient {
        name: "VS Code",
        version: "2026-08",
        known_by: SOURCE,
        is_hosted: false,
        needs: &[LOOPBACK, &["resource.exact"]],
        wants: &["challenge.scheme", "challenge.bad_token", "sign_in.lifetime"],
    },
    KnownClient {
        name: "TypeScript SDK",
        version: "1.32.2",
        known_by: RAN,
        is_hosted: false,
        needs: &[EXACT_SLASH, STRICT_JSON],
        wants: &["sign_in.refresh_twice"],
    },
    KnownClient {
        name: "TypeScript SDK",
        version: "2.4.0",
        known_by: RAN,
        is_hosted: false,
        needs: &[EXACT_SLASH, STRICT_JSON, OWN_SLASH, ISS],
        wants: &["sign_in.refresh_twice", "server.offline_access"],
    },
    KnownClient {
        name: "Python SDK",
        version: "2.3.0",
        known_by: RAN,
        is_hosted: false,
        needs: &[ANNOUNCED_SLASH, OWN_SLASH, ISS, &["registration.public_by_default"]],
        wants: &["server.offline_access"],
    },
    KnownClient {
        name: "FastMCP",
        version: "4.1.2",
        known_by: RAN,
        is_hosted: false,
        needs: &[
            ANNOUNCED_SLASH,
            OWN_SLASH,
            ISS,
            LOCALHOST,
            &["challenge.discover", "authorize.opens"],
        ],
        wants: &["server.offline_access"],
    },
    KnownClient {
        name: "Inspector",
        version: "2.12.0",
        known_by: RAN,
        is_hosted: false,
        needs: &[EXACT_SLASH, STRICT_JSON, OWN_SLASH, ISS, LOOPBACK],
        wants: &[
            "cors.mcp",
            "cors.resource",
            "cors.server",
            "cors.register",
            "cors.token",
            "cors.exposed",
        ],
    },
    KnownClient {
        name: "mcp-remote",
        version: "0.15.1",
        known_by: RAN,
        is_hosted: false,
        needs: &[EXACT_SLASH, STRICT_JSON, OWN_SLASH, ISS, LOCALHOST, BY_GET],
        wants: &["authorize.unknown_client_code", "resource.scopes", "sign_in.lifetime"],
    },
    KnownClient {
        name: "rmcp",
        version: "3.11.0",
        known_by: RAN,
        is_hosted: false,
        needs: &[
            EXACT_SLASH,
            ISS,
            BY_GET,
            &["registration.echoes_redirects", "sign_in.expires_in"],
        ],
        wants: &[],
    },
];

impl Standing {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LockedOut => "locked_out",
            Self::Hindered => "hindered",
            Self::Unhindered => "unhindered",
            Self::OutOfReach => "out_of_reach",
        }
    }
}

impl KnownClient {
    pub(super) fn described(&self) -> String {
        // Where no version is known, it is the month in which this was seen.
        if self.version.contains('-') {
            return format!("{} ({})", self.name, self.version);
        }
        format!("{} {}", self.name, self.version)
    }

    fn needs(&self) -> impl Iterator<Item = &'static str> {
        EVERY_CLIENT.iter().chain(self.needs.iter().copied().flatten()).copied()
    }
}

/// What each client meets at a server that fails the checks named in `failed`.
pub(super) fn judge(evidence: &Evidence, failed: &[&str]) -> Vec<Verdict> {
    CLIENTS.iter().map(|client| verdict(client, evidence, failed)).collect()
}

fn verdict(client: &'static KnownClient, evidence: &Evidence, failed: &[&str]) -> Verdict {
    if client.is_hosted && is_loopback(&evidence.server) {
        return Verdict { client, standing: Standing::OutOfReach, because: Vec::new() };
    }
    let is_wrong = |name: &&'static str| failed.contains(name);
    let missing: Vec<_> = client.needs().filter(is_wrong).collect();
    // A server without a sign-in locks out no client by the details of one.
    if !missing.is_empty() && asks_for_sign_in(evidence) {
        return Verdict { client, standing: Standing::LockedOut, because: missing };
    }
    let because: Vec<_> = client.wants.iter().copied().filter(is_wrong).collect();
    let standing = if because.is_empty() { Standing::Unhindered } else { Standing::Hindered };
    Verdict { client, standing, because }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{GROUPS, Severity};

    fn severity(name: &str) -> Option<Severity> {
        let mut checks = GROUPS.iter().flat_map(|(_, checks)| checks.iter());
        checks.find(|check| check.name == name).map(|check| check.severity)
    }

    #[test]
    fn verdicts_follow_from_checks_that_exist_and_no_advice_alone_locks_out_every_client() {
        for client in &CLIENTS {
            for name in client.needs().chain(client.wants.iter().copied()) {
                assert!(severity(name).is_some(), "{}: {name}", client.name);
            }
        }
        for name in EVERY_CLIENT {
            assert_ne!(severity(name), Some(Severity::Advice), "{name}");
        }
    }
}
