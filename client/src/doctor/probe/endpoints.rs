//! What is asked of the authorization server's endpoints: valid requests, each with one thing changed.

use http::header::ACCEPT;
use serde_json::{Value, json};
use url::Url;

use super::Prober;
use crate::{
    doctor::evidence::{Exchange, Probe, text, texts},
    oauth::pkce::CodeVerifier,
};

/// Where the doctor's client says that it listens. Nothing is ever sent there.
pub(in crate::doctor) const REDIRECT_URI: &str = "http://127.0.0.1:53682/callback";
const OTHER_PORT: &str = "http://127.0.0.1:53683/callback";
const FOREIGN: &str = "https://attacker.example/callback";
/// What must come back with every answer.
pub(in crate::doctor) const STATE: &str = "the doctors state";
/// A client that no server knows.
const UNKNOWN_CLIENT: &str = "portcullis-doctor-unknown-client";

type Parameters = Vec<(&'static str, String)>;

impl Prober<'_> {
    /// Registers clients, as real ones do and as no server should allow.
    pub(super) async fn register(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("registration_endpoint") else { return };
        let minimal = json!({
            "client_name": "Portcullis doctor",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        });
        let with = |redirect_uri: &str| {
            let mut client = minimal.clone();
            client["redirect_uris"] = json!([redirect_uri]);
            client["token_endpoint_auth_method"] = "none".into();
            client["application_type"] = "native".into();
            client
        };
        let clients = [
            (Probe::RegisterNative, with(REDIRECT_URI)),
            (Probe::RegisterLocalhost, with("http://localhost:53682/callback")),
            (Probe::RegisterMinimal, minimal.clone()),
            (Probe::RegisterPrivateScheme, with("cursor://anysphere.cursor-mcp/oauth/callback")),
            (Probe::RegisterPlainHttp, with("http://attacker.example/callback")),
            (Probe::RegisterScript, with("javascript:alert(1)")),
        ];
        for (probe, client) in clients {
            self.send_registration(probe, &endpoint, &client).await;
        }
        self.preflight(Probe::RegisterPreflight, &endpoint, "content-type").await;
    }

    async fn send_registration(&mut self, probe: Probe, endpoint: &Url, client: &Value) {
        self.ask(probe, endpoint, |http| {
            http.post(endpoint.clone()).header(ACCEPT, "application/json").json(client)
        })
        .await;
    }

    /// The client that was registered first.
    fn client_id(&self) -> Option<String> {
        let answer = self.evidence.answer(Probe::RegisterNative).ok()?;
        answer.text("client_id").map(str::to_owned)
    }

    /// Opens the authorization endpoint as a browser without cookies does.
    pub(super) async fn authorize(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("authorization_endpoint") else { return };
        let unknown = self.authorization_request(UNKNOWN_CLIENT);
        self.open(Probe::AuthorizeUnknownClient, &endpoint, &unknown).await;
        let Some(client_id) = self.client_id() else { return };
        let valid = self.authorization_request(&client_id);
        let changed = |name, value: &str| changed(&valid, name, Some(value));
        let requests = [
            (Probe::Authorize, valid.clone()),
            (Probe::AuthorizeOtherPort, changed("redirect_uri", OTHER_PORT)),
            (Probe::AuthorizeForeignRedirect, changed("redirect_uri", FOREIGN)),
            (Probe::AuthorizeWithoutPkce, without_pkce(&valid)),
            (Probe::AuthorizePlain, changed("code_challenge_method", "plain")),
            (Probe::AuthorizeImplicit, changed("response_type", "token")),
        ];
        for (probe, request) in requests {
            self.open(probe, &endpoint, &request).await;
        }
        self.follow(&endpoint).await;
    }

    /// Reads the page that a valid request leads to, as long as that is on the same server.
    async fn follow(&mut self, endpoint: &Url) {
        let location = self.evidence.answer(Probe::Authorize).ok().and_then(Exchange::location);
        let Some(page) = location.filter(|page| page.origin() == endpoint.origin()) else { return };
        self.ask(Probe::AuthorizePage, &page, |http| http.get(page.clone())).await;
    }

    async fn open(&mut self, probe: Probe, endpoint: &Url, parameters: &Parameters) {
        let mut url = endpoint.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        // A program looks for the error; a browser wants the page.
        let accept = match probe {
            Probe::AuthorizeUnknownClient => "application/json",
            _ => "text/html",
        };
        self.ask(probe, &url, |http| http.get(url.clone()).header(ACCEPT, accept)).await;
    }

    fn authorization_request(&self, client_id: &str) -> Parameters {
        let challenge = CodeVerifier::generate().map(|verifier| verifier.challenge());
        let resource = self.evidence.resource().ok();
        let identifier = resource.and_then(|resource| text(resource, "resource"));
        let scopes = resource.and_then(|resource| texts(resource, "scopes_supported"));
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", client_id.to_owned()),
            ("redirect_uri", REDIRECT_URI.to_owned()),
            ("code_challenge", challenge.unwrap_or_default()),
            ("code_challenge_method", "S256".to_owned()),
            ("resource", identifier.unwrap_or(self.evidence.server.as_str()).to_owned()),
            ("scope", scopes.unwrap_or_default().join(" ")),
            ("state", STATE.to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// Asks for tokens that nobody may have, and revokes one that does not exist.
    pub(super) async fn ask_for_tokens(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("token_endpoint") else { return };
        let code = |client_id: &str| -> Parameters {
            vec![
                ("grant_type", "authorization_code".to_owned()),
                ("client_id", client_id.to_owned()),
                ("code", "doctor-made-this-up".to_owned()),
                ("redirect_uri", REDIRECT_URI.to_owned()),
                ("code_verifier", "a-verifier-of-sufficient-length-0123456789abc".to_owned()),
            ]
        };
        self.post(Probe::TokenUnknownClient, &endpoint, &code(UNKNOWN_CLIENT)).await;
        let headers = "authorization, content-type";
        self.preflight(Probe::TokenPreflight, &endpoint, headers).await;
        let Some(client_id) = self.client_id() else { return };
        let valid = code(&client_id);
        let refresh = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client_id.clone()),
            ("refresh_token", "doctor-made-this-up".to_owned()),
        ];
        let requests = [
            (Probe::TokenBadCode, valid.clone()),
            (Probe::TokenBadRefresh, refresh),
            (Probe::TokenUnknownGrant, changed(&valid, "grant_type", Some("urn:doctor:none"))),
            (Probe::TokenWithoutGrant, changed(&valid, "grant_type", None)),
        ];
        for (probe, form) in requests {
            self.post(probe, &endpoint, &form).await;
        }
        if let Some(endpoint) = self.evidence.endpoint("revocation_endpoint") {
            let form = vec![("token", "doctor-made-this-up".to_owned()), ("client_id", client_id)];
            self.post(Probe::RevokeUnknown, &endpoint, &form).await;
        }
    }

    /// Sends a form.
    pub(in crate::doctor) async fn post(
        &mut self,
        probe: Probe,
        endpoint: &Url,
        form: &[(&'static str, String)],
    ) {
        self.ask(probe, endpoint, |http| {
            http.post(endpoint.clone()).header(ACCEPT, "application/json").form(form)
        })
        .await;
    }
}

/// The request with `name` replaced, or without it.
fn changed(request: &Parameters, name: &'static str, value: Option<&str>) -> Parameters {
    let others = request.iter().filter(|(known, _)| *known != name).cloned();
    others.chain(value.map(|value| (name, value.to_owned()))).collect()
}

fn without_pkce(request: &Parameters) -> Parameters {
    let without = changed(request, "code_challenge", None);
    changed(&without, "code_challenge_method", None)
}
