//! One sign-in, step by step, with every answer recorded. The grant is revoked at the end and
//! nothing is stored.

use std::{fmt::Display, sync::Arc};

use http::header::{AUTHORIZATION, HeaderValue};
use serde_json::{Value, json};

use super::claims::forged;
use crate::{
    doctor::{
        evidence::{Evidence, Objection, Probe},
        probe::{Prober, initialize, post},
        requests::FOREIGN_RESOURCE,
    },
    oauth::{OAuthError, authorization_request::AuthorizationRequest, discovery::Discovery},
    secret::Secret,
    sign_in::{
        callback::CallbackListener,
        interaction::Interaction,
        opener::{self, Browser},
    },
};

type Form = Vec<(&'static str, String)>;

/// Signs in as the registered client, whose answers come to `listener`, and tries the tokens; what
/// fails is written down like everything else.
pub(in crate::doctor) async fn gather(
    prober: &mut Prober<'_>,
    listener: CallbackListener,
    interaction: &Interaction,
) {
    match sign_in(&prober.evidence, listener, interaction).await {
        Ok((request, code)) => {
            prober.evidence.callback = Some(Ok(()));
            Tokens { prober, request: &request }.run(&code).await;
        }
        Err(objection) => prober.evidence.callback = Some(Err(objection)),
    }
}

/// Sends the user to the browser. Returns the request and the code that answers it.
async fn sign_in(
    evidence: &Evidence,
    listener: CallbackListener,
    interaction: &Interaction,
) -> Result<(Arc<AuthorizationRequest>, Secret), Objection> {
    let request = Arc::new(request(evidence)?);
    let output = &interaction.output;
    if let Browser::Open(program) = &interaction.browser
        && opener::open(program.as_deref(), &request.url).is_ok()
    {
        output.say("Your browser is opening for the examination. If it does not, open:");
    } else {
        output.say("For the examination, open this address in a browser and sign in:");
    }
    output.say(&format!("\n{}\n", request.url));
    let seconds = interaction.timeout.as_secs();
    let answered = tokio::select! {
        answer = listener.answer(Arc::clone(&request)) => answer,
        () = tokio::time::sleep(interaction.timeout) => Err(OAuthError::TimedOut { seconds }),
    };
    let code = answered.map_err(|error| objection(&error))?;
    Ok((request, code))
}

/// What to say about the server if the sign-in failed: nothing, if the user or this machine did it.
fn objection(error: &OAuthError) -> Objection {
    let words = error.to_string();
    match error {
        OAuthError::TimedOut { .. }
        | OAuthError::Denied
        | OAuthError::Random
        | OAuthError::Listener(_) => Objection::NotAsked(words),
        _ => Objection::Found(words),
    }
}

/// The authorization request of a client that follows the metadata.
fn request(evidence: &Evidence) -> Result<AuthorizationRequest, Objection> {
    let client = evidence.client.clone().ok_or_else(|| unusable("none could be registered"))?;
    let resource = Value::Object(evidence.resource()?.clone());
    let authorization_server = Value::Object(evidence.authorization_server()?.clone());
    let discovery = Discovery {
        resource: serde_json::from_value(resource).map_err(unusable)?,
        authorization_server: serde_json::from_value(authorization_server).map_err(unusable)?,
    };
    AuthorizationRequest::new(&discovery, client, evidence.scope(), None).map_err(unusable)
}

fn unusable(why: impl Display) -> Objection {
    Objection::NotAsked(format!("no client could sign in: {why}"))
}

/// Tries what the code and the tokens are good for.
struct Tokens<'a, 'p> {
    prober: &'a mut Prober<'p>,
    request: &'a AuthorizationRequest,
}

impl Tokens<'_, '_> {
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
        self.call_in_session().await;
        self.call_with_forged_tokens().await;
        self.try_refreshing().await;
        self.revoke().await;
        self.send(Probe::ExchangeAgain, "token_endpoint", exchange).await;
    }

    /// Refreshes, then for another resource, then once more with the token that was used last. A
    /// server that takes the repetition for a theft may end the grant, so it comes last.
    async fn try_refreshing(&mut self) {
        let Some(first) = self.token(Probe::Exchange, "refresh_token") else { return };
        self.refresh(Probe::Refresh, first.clone(), None).await;
        let Some(second) = self.newest_refresh_token() else { return };
        self.refresh(Probe::RefreshForeignResource, second.clone(), Some(FOREIGN_RESOURCE)).await;
        let was_used = self.token(Probe::RefreshForeignResource, "access_token").is_some();
        self.call(Probe::CallWithForeignToken, Probe::RefreshForeignResource).await;
        let used_last = if was_used { second } else { first };
        self.call(Probe::CallWithRefreshed, Probe::Refresh).await;
        self.refresh(Probe::RefreshAgain, used_last, None).await;
        self.call(Probe::CallAfterRefresh, Probe::Refresh).await;
        if self.token(Probe::RefreshAgain, "access_token").is_none()
            && let Some(newest) = self.newest_refresh_token()
        {
            self.refresh(Probe::RefreshNewest, newest, None).await;
        }
    }

    async fn revoke(&mut self) {
        let Some(newest) = self.living_refresh_token() else { return };
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
    async fn send(&mut self, probe: Probe, endpoint: &str, form: Form) {
        let Some(endpoint) = self.prober.evidence.endpoint(endpoint) else { return };
        let Some(proof) = self.prober.client_proof() else { return };
        self.prober.post(probe, &endpoint, &form, proof).await;
    }

    /// Calls the MCP server with the access token that `source` brought.
    async fn call(&mut self, probe: Probe, source: Probe) {
        let Some(token) = self.token(source, "access_token") else { return };
        self.call_with(probe, &token).await;
    }

    /// Asks for something in the session that the first call opened, without a token.
    async fn call_in_session(&mut self) {
        let answer = self.prober.evidence.answer(Probe::CallWithToken).ok();
        let Some(session) = answer.and_then(|answer| answer.header("mcp-session-id")) else {
            return;
        };
        let server = self.prober.evidence.server.clone();
        self.prober
            .ask(Probe::CallWithSessionOnly, &server, |http| {
                post(http, &server, "tools/list", json!({})).header("mcp-session-id", session)
            })
            .await;
    }

    async fn call_with_forged_tokens(&mut self) {
        let Ok(answer) = self.prober.evidence.answer(Probe::Exchange) else { return };
        let Some([changed, unsigned]) = forged(answer) else { return };
        self.call_with(Probe::CallWithChangedToken, &changed).await;
        self.call_with(Probe::CallWithUnsignedToken, &unsigned).await;
    }

    async fn call_with(&mut self, probe: Probe, token: &str) {
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
        [
            Probe::RefreshNewest,
            Probe::RefreshAgain,
            Probe::RefreshForeignResource,
            Probe::Refresh,
            Probe::Exchange,
        ]
        .into_iter()
        .find_map(|probe| self.token(probe, "refresh_token"))
    }

    /// The same, unless the grant seems to have ended.
    fn living_refresh_token(&self) -> Option<String> {
        let brought_tokens = |probe| self.token(probe, "access_token").is_some();
        let has_ended = !brought_tokens(Probe::RefreshAgain)
            && self.prober.evidence.any_answer(Probe::RefreshNewest).is_ok()
            && !brought_tokens(Probe::RefreshNewest);
        self.newest_refresh_token().filter(|_| !has_ended)
    }

    fn token(&self, probe: Probe, member: &str) -> Option<String> {
        self.prober.evidence.answer(probe).ok()?.text(member).map(str::to_owned)
    }
}
