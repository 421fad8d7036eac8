//! One sign-in, step by step, with every answer written down; its grant is ended at the end and
//! nothing is kept.

use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use serde_json::Value;

use crate::{
    browser::{self, Browser},
    callback::CallbackListener,
    clock::Clock,
    doctor::{
        evidence::{Evidence, Exchange, Probe},
        probe::{Prober, initialize},
    },
    fetch::Fetch,
    manners::Manners,
    oauth::{
        OAuthError,
        authorization_request::AuthorizationRequest,
        challenge::AuthorizationChallenge,
        discovery::Discovery,
        registration::{GrantTypes, register},
        scope::{ScopeSources, select},
    },
    secret::Secret,
};

const FOREIGN_RESOURCE: &str = "https://other.example/mcp";

type Form = Vec<(&'static str, String)>;

/// Signs in and tries the tokens; what fails is written down like everything else.
pub(in crate::doctor) async fn gather(
    evidence: &mut Evidence,
    fetch: &Fetch,
    clock: &Clock,
    manners: &Manners,
) {
    let Some(discovery) = discovery(evidence) else {
        evidence.callback = Some(Err("the metadata cannot be used to sign in".to_owned()));
        return;
    };
    let answered = answer(evidence, fetch, manners, discovery).await;
    let (request, code) = match answered {
        Ok(answered) => answered,
        Err(error) => {
            evidence.callback = Some(Err(error.to_string()));
            return;
        }
    };
    evidence.callback = Some(Ok(()));
    evidence.now = clock.now();
    let prober = Prober { fetch, evidence };
    Tokens { prober, request: &request }.run(&code).await;
}

/// What a client would work with; `None` if it would give up.
fn discovery(evidence: &Evidence) -> Option<Discovery> {
    let resource = Value::Object(evidence.resource().ok()?.clone());
    let authorization_server = Value::Object(evidence.authorization_server().ok()?.clone());
    Some(Discovery {
        resource: serde_json::from_value(resource).ok()?,
        authorization_server: serde_json::from_value(authorization_server).ok()?,
    })
}

/// Registers, sends the person to the browser and waits for the code.
async fn answer(
    evidence: &Evidence,
    fetch: &Fetch,
    manners: &Manners,
    discovery: Discovery,
) -> Result<(Arc<AuthorizationRequest>, Secret), OAuthError> {
    let header = evidence.answer(Probe::Post).ok().and_then(|post| post.header("www-authenticate"));
    let challenge = AuthorizationChallenge::parse(&header.unwrap_or_default());
    let scope = select(ScopeSources {
        challenge: challenge.scope.as_ref(),
        resource: discovery.resource.scope().as_ref(),
        authorization_server: discovery.authorization_server.scope().as_ref(),
        requested_before: None,
    })?;
    let listener = CallbackListener::bind().await?;
    let metadata = &discovery.authorization_server;
    let client = register(fetch, metadata, &listener.redirect_uri(), GrantTypes::Browser).await?;
    let request = Arc::new(AuthorizationRequest::new(&discovery, client, scope, None)?);
    let output = &manners.output;
    if let Browser::Open(program) = &manners.browser
        && browser::open(program.as_deref(), &request.url).is_ok()
    {
        output.say("Your browser is opening for the examination. If it does not, open:");
    } else {
        output.say("For the examination, open this address in a browser and sign in:");
    }
    output.say(&format!("\n{}\n", request.url));
    let seconds = manners.timeout.as_secs();
    let code = tokio::select! {
        answer = listener.answer(Arc::clone(&request)) => answer?,
        () = tokio::time::sleep(manners.timeout) => return Err(OAuthError::TimedOut { seconds }),
    };
    Ok((request, code))
}

/// Tries what the code and the tokens are good for.
struct Tokens<'a> {
    prober: Prober<'a>,
    request: &'a AuthorizationRequest,
}

impl Tokens<'_> {
    async fn run(&mut self, code: &Secret) {
        let exchange = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.reveal().to_owned()),
            ("redirect_uri", self.request.client.redirect_uri.clone()),
            ("code_verifier", self.request.code_verifier.reveal().to_owned()),
            ("resource", self.request.resource.clone()),
        ];
        self.send(Probe::Exchange, "token_endpoint", exchange.clone()).await;
        self.call(Probe::CallWithToken, Probe::Exchange).await;
        self.call_with_query().await;
        self.refresh_twice().await;
        self.revoke().await;
        self.send(Probe::ExchangeAgain, "token_endpoint", exchange).await;
    }

    async fn refresh_twice(&mut self) {
        let Some(first) = self.token(Probe::Exchange, "refresh_token") else { return };
        self.refresh(Probe::Refresh, first.clone(), None).await;
        self.refresh(Probe::RefreshAgain, first, None).await;
        self.call(Probe::CallAfterRefresh, Probe::Refresh).await;
        if let Some(newest) = self.newest_refresh_token() {
            self.refresh(Probe::RefreshForeignResource, newest, Some(FOREIGN_RESOURCE)).await;
        }
    }

    async fn revoke(&mut self) {
        let Some(newest) = self.newest_refresh_token() else { return };
        if self.prober.evidence.endpoint("revocation_endpoint").is_none() {
            return;
        }
        let form = vec![("token", newest.clone()), ("token_type_hint", "refresh_token".to_owned())];
        self.send(Probe::Revoke, "revocation_endpoint", form).await;
        self.refresh(Probe::RefreshAfterRevoke, newest, None).await;
    }

    async fn refresh(&mut self, probe: Probe, token: String, resource: Option<&str>) {
        let resource = resource.unwrap_or(&self.request.resource).to_owned();
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", token),
            ("resource", resource),
        ];
        self.send(probe, "token_endpoint", form).await;
    }

    /// Sends a form to an endpoint, as the client that signed in.
    async fn send(&mut self, probe: Probe, endpoint: &str, mut form: Form) {
        let Some(endpoint) = self.prober.evidence.endpoint(endpoint) else { return };
        // A client that registered itself signs no assertions, so the time does not matter.
        let Ok(proof) = self.request.client.proof(&self.request.issuer, 0) else { return };
        form.extend(proof.form.iter().cloned());
        self.prober
            .ask(probe, &endpoint, |http| {
                let request =
                    http.post(endpoint.clone()).header(ACCEPT, "application/json").form(&form);
                match proof.authorization {
                    Some(header) => request.header(AUTHORIZATION, header),
                    None => request,
                }
            })
            .await;
    }

    /// Calls the MCP server with the access token that `source` brought.
    async fn call(&mut self, probe: Probe, source: Probe) {
        let Some(token) = self.token(source, "access_token") else { return };
        let Ok(mut header) = HeaderValue::from_str(&format!("Bearer {token}")) else { return };
        header.set_sensitive(true);
        let server = self.prober.evidence.server.clone();
        self.prober
            .ask(probe, &server, |http| initialize(http, &server).header(AUTHORIZATION, header))
            .await;
    }

    async fn call_with_query(&mut self) {
        let Some(token) = self.token(Probe::Exchange, "access_token") else { return };
        let mut server = self.prober.evidence.server.clone();
        server.query_pairs_mut().append_pair("access_token", &token);
        let probe = Probe::CallWithTokenInQuery;
        self.prober.ask(probe, &server, |http| initialize(http, &server)).await;
    }

    /// The refresh token that came last.
    fn newest_refresh_token(&self) -> Option<String> {
        [Probe::RefreshForeignResource, Probe::RefreshAgain, Probe::Refresh, Probe::Exchange]
            .into_iter()
            .find_map(|probe| self.token(probe, "refresh_token"))
    }

    fn token(&self, probe: Probe, member: &str) -> Option<String> {
        let answer: &Exchange = self.prober.evidence.answer(probe).ok()?;
        answer.text(member).map(str::to_owned)
    }
}
