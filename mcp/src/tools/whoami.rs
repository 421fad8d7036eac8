//! `whoami`: describes the caller, as structured content.

use guard::{Caller, needs};
use rmcp::{Json, schemars, tool, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use crate::server::DemoServer;

/// The caller.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whoami {
    /// The person's identifier at the issuer.
    subject: String,
    /// Full name, if the token reveals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Login name, if the token reveals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    /// E-mail address, if the token reveals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Who issued the token.
    issuer: String,
    /// The program that calls.
    client_id: String,
    /// What the token may be used for.
    scopes: Vec<String>,
    /// The groups that the issuer says the person is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    /// When the token expires, in seconds since 1970.
    expires_at: i64,
}

#[tool_router(router = whoami_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Tells who you are to this server",
        annotations(read_only_hint = true),
        meta = needs(["mcp:tools"])
    )]
    async fn whoami(&self, caller: Caller) -> Json<Whoami> {
        Json(Whoami {
            subject: caller.subject.clone(),
            name: caller.name.clone(),
            preferred_username: caller.preferred_username.clone(),
            email: caller.email.clone(),
            issuer: caller.issuer.clone(),
            client_id: caller.client_id.clone(),
            scopes: caller.scopes.clone(),
            groups: caller.groups().to_vec(),
            expires_at: caller.expires_at,
        })
    }
}
