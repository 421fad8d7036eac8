//! The answer to a refused request (RFC 6750 §3, RFC 9728 §5.1).

use axum::{
    Json,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    bearer::Scheme,
    declaration::group_of,
    possession::ALGORITHMS,
    refusal::{Body, Delivery, Refusal},
};

/// Seconds after which a client may repeat a request that was refused for now.
const RETRY_INTERVAL: HeaderValue = HeaderValue::from_static("5");

/// What every challenge of this resource says.
#[derive(Debug)]
pub(crate) struct Challenge<'a> {
    /// URL of the resource metadata.
    pub(crate) resource_metadata: &'a str,
    pub(crate) scopes: &'a [String],
    /// The scheme of the request, which the answer uses too.
    pub(crate) scheme: Scheme,
    /// Whether tokens must be bound to a key.
    pub(crate) bound_only: bool,
    /// The nonce for the next proof, if nonces are required and the client sends proofs.
    pub(crate) nonce: Option<String>,
    /// Whether errors of the protocol are JSON-RPC messages. Routes that are not MCP servers answer
    /// with OAuth errors only.
    pub(crate) is_json_rpc: bool,
}

impl Challenge<'_> {
    /// Refuses, with the status and the parameters that tell a client what to do next.
    pub(crate) fn refuse(&self, refusal: &Refusal) -> Response {
        let Delivery { status, body: kind, reason } = refusal.delivery();
        tracing::info!(reason, status = status.as_u16(), "refused");
        let description = refusal.description();
        let body = match kind {
            Body::JsonRpc(code) if self.is_json_rpc => json_rpc_error(code, refusal),
            kind => json!({"error": kind.oauth_error(), "error_description": description}),
        };
        let mut response = (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        let headers = response.headers_mut();
        if let Body::Challenge(code) = kind {
            for challenge in self.challenges(refusal, code, &description) {
                if let Ok(value) = HeaderValue::try_from(challenge) {
                    headers.append(WWW_AUTHENTICATE, value);
                }
            }
        }
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, RETRY_INTERVAL);
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
            }
            _ => {}
        }
        self.add_nonce(headers);
        response
    }

    /// Gives a client that sends proofs the nonce for the next one.
    pub(crate) fn add_nonce(&self, headers: &mut HeaderMap) {
        let nonce = self.nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok());
        if let Some(nonce) = nonce {
            headers.insert("dpop-nonce", nonce);
        }
    }

    /// One challenge for each scheme that the client may try. Bearer comes first, because some
    /// clients read no further. A client that uses DPoP gets DPoP alone (RFC 9449 §7.1).
    fn challenges(&self, refusal: &Refusal, code: &str, description: &str) -> Vec<String> {
        let parameters = self.parameters(refusal, code, description);
        let algorithms = format!("algs=\"{}\"", ALGORITHMS.join(" "));
        let is_dpop_only =
            self.bound_only || self.scheme == Scheme::Dpop || *refusal == Refusal::BoundAsBearer;
        if is_dpop_only {
            vec![format!("DPoP {parameters}, {algorithms}")]
        } else {
            vec![format!("Bearer {parameters}"), format!("DPoP {algorithms}")]
        }
    }

    /// Without credentials there is no `error`, because nothing was wrong yet (RFC 6750 §3.1).
    fn parameters(&self, refusal: &Refusal, code: &str, description: &str) -> String {
        let mut parameters = Vec::new();
        if *refusal != Refusal::Missing {
            parameters.push(format!("error=\"{code}\""));
            parameters.push(format!("error_description=\"{description}\""));
        }
        let scopes = match refusal {
            Refusal::InsufficientScope(needed) => needed.join(" "),
            _ => {
                let scopes = self.scopes.iter().filter(|scope| group_of(scope).is_none());
                scopes.map(String::as_str).collect::<Vec<_>>().join(" ")
            }
        };
        if !scopes.is_empty() {
            parameters.push(format!("scope=\"{scopes}\""));
        }
        parameters.push(format!("resource_metadata=\"{}\"", self.resource_metadata));
        parameters.join(", ")
    }
}

fn json_rpc_error(code: i32, refusal: &Refusal) -> Value {
    let error = json!({"code": code, "message": refusal.to_string()});
    match refusal.request_id() {
        Some(id) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        None => json!({"jsonrpc": "2.0", "error": error}),
    }
}
