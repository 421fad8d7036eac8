//! What is asked of the authorization server's endpoints: valid requests, each with one thing
//! changed.

use http::header::{ACCEPT, AUTHORIZATION, ORIGIN};
use url::Url;

use super::Prober;
use crate::{
    doctor::{
        authorization::opens,
        evidence::{Exchange, Probe, text},
        requests::{BROWSER_ORIGIN, FOREIGN_REDIRECT, OTHER_PORT_REDIRECT, STATE},
    },
    oauth::{pkce::CodeVerifier, registration::ClientProof},
};

/// A client that no server knows.
const UNKNOWN_CLIENT: &str = "portcullis-doctor-unknown-client";
/// A code and a token that no server has issued.
const MADE_UP: &str = "doctor-made-this-up";

type Parameters = Vec<(&'static str, String)>;

impl Prober<'_> {
    /// Opens the authorization endpoint as a browser without cookies does.
    pub(super) async fn authorize(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("authorization_endpoint") else { return };
        let unknown = self.authorization_request(UNKNOWN_CLIENT);
        self.open(Probe::AuthorizeUnknownClient, &endpoint, &unknown).await;
        self.open(Probe::AuthorizeCrossOrigin, &endpoint, &unknown).await;
        let Some(client) = &self.evidence.client else { return };
        let valid = self.authorization_request(&client.client_id);
        self.open(Probe::Authorize, &endpoint, &valid).await;
        let base = self.accepted_request(&endpoint, valid).await;
        let changed = |name, value: &str| changed(&base, name, Some(value));
        let requests = [
            (Probe::AuthorizeOtherPort, changed("redirect_uri", OTHER_PORT_REDIRECT)),
            (Probe::AuthorizeForeignRedirect, changed("redirect_uri", FOREIGN_REDIRECT)),
            (Probe::AuthorizeWithoutPkce, without_pkce(&base)),
            (Probe::AuthorizePlain, changed("code_challenge_method", "plain")),
            (Probe::AuthorizeUnknownMethod, changed("code_challenge_method", "doctor")),
            (Probe::AuthorizeImplicit, changed("response_type", "token")),
        ];
        for (probe, request) in requests {
            self.open(probe, &endpoint, &request).await;
        }
        self.follow(&endpoint).await;
    }

    /// The valid request, or the part of it that the server accepts: what it refuses is then known,
    /// and the other requests can still be judged.
    async fn accepted_request(&mut self, endpoint: &Url, valid: Parameters) -> Parameters {
        if opens(&self.evidence, Probe::Authorize).is_ok() {
            return valid;
        }
        for (probe, name) in
            [(Probe::AuthorizeWithoutResource, "resource"), (Probe::AuthorizeWithoutScope, "scope")]
        {
            let without = changed(&valid, name, None);
            self.open(probe, endpoint, &without).await;
            if opens(&self.evidence, probe).is_ok() {
                return without;
            }
        }
        valid
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
        self.ask(probe, &url, |http| {
            let request = http.get(url.clone()).header(ACCEPT, accept);
            match probe {
                // No browser sends an Origin when a user opens a page; a script does.
                Probe::AuthorizeCrossOrigin => request.header(ORIGIN, BROWSER_ORIGIN),
                _ => request,
            }
        })
        .await;
    }

    fn authorization_request(&self, client_id: &str) -> Parameters {
        let challenge = CodeVerifier::generate().map(|verifier| verifier.challenge());
        let resource = self.evidence.resource().ok();
        let identifier = resource.and_then(|resource| text(resource, "resource"));
        let scope = self.evidence.scope();
        let asks_for_refresh = scope.iter().any(|one| one == "offline_access");
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", client_id.to_owned()),
            ("redirect_uri", self.evidence.redirect_uri.clone()),
            ("code_challenge", challenge.unwrap_or_default()),
            ("code_challenge_method", "S256".to_owned()),
            ("resource", identifier.unwrap_or(self.evidence.server.as_str()).to_owned()),
            ("scope", scope.to_string()),
            ("state", STATE.to_owned()),
            ("prompt", if asks_for_refresh { "consent" } else { "" }.to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// Asks for tokens that must be refused, and revokes one that does not exist.
    pub(super) async fn ask_for_tokens(&mut self) {
        let Some(endpoint) = self.evidence.endpoint("token_endpoint") else { return };
        let code = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", MADE_UP.to_owned()),
            ("redirect_uri", self.evidence.redirect_uri.clone()),
            ("code_verifier", "a-verifier-of-sufficient-length-0123456789abc".to_owned()),
        ];
        let nobody = ClientProof {
            form: vec![("client_id", UNKNOWN_CLIENT.to_owned())],
            ..Default::default()
        };
        self.post(Probe::TokenUnknownClient, &endpoint, &code, nobody.clone()).await;
        self.post(Probe::TokenCrossOrigin, &endpoint, &code, nobody).await;
        self.preflight(Probe::TokenPreflight, &endpoint, "content-type").await;
        let Some(proof) = self.client_proof() else { return };
        let refresh =
            vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", MADE_UP.to_owned())];
        let requests = [
            (Probe::TokenBadCode, code.clone()),
            (Probe::TokenBadRefresh, refresh),
            (Probe::TokenUnknownGrant, changed(&code, "grant_type", Some("urn:doctor:none"))),
            (Probe::TokenWithoutGrant, changed(&code, "grant_type", None)),
        ];
        for (probe, form) in requests {
            self.post(probe, &endpoint, &form, proof.clone()).await;
        }
        if let Some(endpoint) = self.evidence.endpoint("revocation_endpoint") {
            let form = [("token", MADE_UP.to_owned())];
            self.post(Probe::RevokeUnknown, &endpoint, &form, proof).await;
        }
    }

    /// What the registered client proves itself with.
    pub(in crate::doctor) fn client_proof(&self) -> Option<ClientProof> {
        let issuer = self.evidence.issuer().unwrap_or_default();
        // A client that registered itself signs no assertions, so the time does not matter.
        self.evidence.client.as_ref()?.proof(issuer, 0).ok()
    }

    /// Sends a form as the client that `proof` proves.
    pub(in crate::doctor) async fn post(
        &mut self,
        probe: Probe,
        endpoint: &Url,
        form: &[(&'static str, String)],
        proof: ClientProof,
    ) {
        let form: Vec<_> = form.iter().chain(&proof.form).collect();
        self.ask(probe, endpoint, |http| {
            let mut request =
                http.post(endpoint.clone()).header(ACCEPT, "application/json").form(&form);
            if let Some(header) = proof.authorization {
                request = request.header(AUTHORIZATION, header);
            }
            if probe == Probe::TokenCrossOrigin {
                request = request.header(ORIGIN, BROWSER_ORIGIN);
            }
            request
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
