//! Registers as few clients as possible at the authorization server, and deletes them again.
//!
//! Servers store registrations and limit how many they take. A server that accepts what every kind
//! of client registers is asked once for a client to work with; only what it refuses is tried one
//! by one. Two registrations that must be refused come last.

use http::{
    StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use serde_json::{Value, json};
use url::Url;

use super::Prober;
use crate::{
    doctor::{
        evidence::{Exchange, Probe, Registration},
        registration::{is_accepted, is_refusal, registers},
        requests::{PLAIN_HTTP_REDIRECT, SCRIPT_REDIRECT},
    },
    oauth::registration::{ClientAuthenticationMethod, ClientRegistration},
    secret::Secret,
};

const PRIVATE_SCHEME: &str = "cursor://anysphere.cursor-mcp/oauth/callback";
/// Every registration that can succeed, the most useful first.
const REGISTRATIONS: [Probe; 7] = [
    Probe::RegisterPublic,
    Probe::Register,
    Probe::RegisterMinimal,
    Probe::RegisterLocalhost,
    Probe::RegisterPrivateScheme,
    Probe::RegisterPlainHttp,
    Probe::RegisterScript,
];

impl Prober<'_> {
    /// Registers a client to work with. That the server then has a registration is said even if
    /// stderr is not a terminal.
    pub(in crate::doctor) async fn register(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("registration_endpoint") else { return };
        self.output.say(&format!(
            "… registering a client at {endpoint}, and deleting it at the end, if the server \
             allows that"
        ));
        let loopback = self.evidence.redirect_uri.clone();
        let localhost = loopback.replace("127.0.0.1", "localhost");
        let all = [loopback.as_str(), &localhost, PRIVATE_SCHEME];
        self.send_registration(Probe::Register, &endpoint, &metadata(&all)).await;
        let Ok(first) = self.evidence.answer(Probe::Register) else { return };
        let method = first.text("token_endpoint_auth_method").unwrap_or("none");
        let wants_secret = method != "none" || first.text("client_secret").is_some();
        if is_accepted(first) {
            // Real clients of MCP ask to be public; the default of RFC 7591 is a secret.
            if wants_secret && self.may_be_public() {
                let client = self.public(&loopback);
                self.send_registration(Probe::RegisterPublic, &endpoint, &client).await;
            }
        } else if is_refusal(first) {
            self.register_one_by_one(&endpoint, &loopback, &localhost).await;
        } else {
            return;
        }
        self.preflight(Probe::RegisterPreflight, &endpoint, "content-type").await;
        self.evidence.client = self.choose_client();
    }

    /// Finds out what the server disliked in the first registration.
    async fn register_one_by_one(&mut self, endpoint: &Url, loopback: &str, localhost: &str) {
        let alone = [
            (Probe::RegisterPublic, loopback),
            (Probe::RegisterLocalhost, localhost),
            (Probe::RegisterPrivateScheme, PRIVATE_SCHEME),
        ];
        for (probe, redirect_uri) in alone {
            let client = self.public(redirect_uri);
            self.send_registration(probe, endpoint, &client).await;
        }
        // If each is welcome with an authentication method, it may have missed that.
        if alone.iter().all(|(probe, _)| self.evidence.answer(*probe).is_ok_and(is_accepted)) {
            let client = metadata(&[loopback]);
            self.send_registration(Probe::RegisterMinimal, endpoint, &client).await;
        }
    }

    /// Tries what no server should register.
    pub(in crate::doctor) async fn register_wrongly(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("registration_endpoint") else { return };
        // A refusal means something only where a good client is not refused.
        if self.evidence.client.is_none() {
            return;
        }
        let wrong = [
            (Probe::RegisterPlainHttp, PLAIN_HTTP_REDIRECT),
            (Probe::RegisterScript, SCRIPT_REDIRECT),
        ];
        for (probe, redirect_uri) in wrong {
            let client = self.public(redirect_uri);
            self.send_registration(probe, &endpoint, &client).await;
        }
    }

    /// Deletes every client that was registered, where the server allows it (RFC 7592 §2.3).
    pub(in crate::doctor) async fn unregister(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("registration_endpoint") else { return };
        for probe in REGISTRATIONS {
            let Some((client_id, management)) =
                self.evidence.answer(probe).ok().and_then(registered)
            else {
                continue;
            };
            let deletion = match management {
                Some((url, token)) => self.delete(&url, &token).await,
                None => Err("the server offers no way to delete it (RFC 7592)".to_owned()),
            };
            let registration = Registration { client_id, endpoint: endpoint.clone(), deletion };
            self.evidence.registrations.push(registration);
        }
    }

    async fn delete(&self, url: &Url, token: &Secret) -> Result<(), String> {
        let bearer = format!("Bearer {}", token.reveal());
        let answer = self
            .send(url, |http| http.delete(url.clone()).header(AUTHORIZATION, bearer))
            .await
            .map_err(|error| error.to_string())?;
        match answer.status {
            status if status.is_success() => Ok(()),
            // It is gone, for whatever reason.
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
            _ => Err(format!("the server answered {} to its deletion", answer.in_words())),
        }
    }

    async fn send_registration(&mut self, probe: Probe, endpoint: &Url, client: &Value) {
        self.ask(probe, endpoint, |http| {
            http.post(endpoint.clone()).header(ACCEPT, "application/json").json(client)
        })
        .await;
    }

    /// Whether the token endpoint takes clients without a secret, as far as the metadata says.
    fn may_be_public(&self) -> bool {
        let methods = self.evidence.server_list("token_endpoint_auth_methods_supported");
        let methods = methods.unwrap_or_default();
        methods.is_empty() || methods.contains(&"none")
    }

    /// The metadata of a client that is public if the server has such clients.
    fn public(&self, redirect_uri: &str) -> Value {
        let mut client = metadata(&[redirect_uri]);
        if self.may_be_public() {
            client["token_endpoint_auth_method"] = "none".into();
        }
        client
    }

    /// The client for all later requests: one whose answers can come to the loopback address.
    fn choose_client(&self) -> Option<ClientRegistration> {
        let redirect_uri = &self.evidence.redirect_uri;
        let probes = [Probe::RegisterPublic, Probe::Register, Probe::RegisterMinimal];
        let mut answers = self.evidence.answers_to(&probes);
        answers.find_map(|answer| {
            client(answer, redirect_uri).filter(|_| registers(answer, redirect_uri))
        })
    }
}

/// What a native client registers. Everything optional that may be left out is left out, as in the
/// Python SDK.
fn metadata(redirect_uris: &[&str]) -> Value {
    json!({
        "client_name": "Portcullis doctor",
        "redirect_uris": redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "native",
    })
}

/// The identifier of a client that was registered, and how to delete it.
fn registered(answer: &Exchange) -> Option<(String, Option<(Url, Secret)>)> {
    let client_id = answer.text("client_id").filter(|_| is_accepted(answer))?.to_owned();
    let url = answer.text("registration_client_uri").and_then(|url| answer.url.join(url).ok());
    let token = answer.text("registration_access_token").map(Secret::new);
    Some((client_id, url.zip(token)))
}

/// The client that an answer describes; `None` if it authenticates in a way that needs a key.
fn client(answer: &Exchange, redirect_uri: &str) -> Option<ClientRegistration> {
    use ClientAuthenticationMethod as Method;
    let secret = answer.text("client_secret").filter(|secret| !secret.is_empty());
    let authentication_method = match (answer.text("token_endpoint_auth_method"), secret) {
        (Some("none"), _) | (_, None) => Method::None,
        // RFC 7591 §2: the default.
        (Some("client_secret_basic") | None, Some(_)) => Method::ClientSecretBasic,
        (Some("client_secret_post"), Some(_)) => Method::ClientSecretPost,
        _ => return None,
    };
    let client_id = answer.text("client_id")?.to_owned();
    Some(ClientRegistration {
        client_secret: secret.map(Secret::new),
        authentication_method,
        ..ClientRegistration::public(client_id, redirect_uri.to_owned())
    })
}
