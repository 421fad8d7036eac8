//! `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5)

use super::{
    TokenResponse,
    issue::{self, Issue, TokenExtras},
    redeem::{Code, First, redeem},
    replay,
};
use crate::{
    extract::FromParameters,
    oauth::{
        Client, OAuthError, Parameters,
        pkce::{CodeChallenge, check_verifier},
        resource, secret,
    },
    state::AppState,
    storage::{authorization_codes, grants},
};

pub(crate) struct Request {
    code_hash: String,
    code_verifier: String,
    redirect_uri: Option<String>,
    resources: Vec<String>,
}

impl FromParameters for Request {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        let code_verifier = parameters.required("code_verifier")?;
        check_verifier(code_verifier)?;
        Ok(Self {
            code_hash: secret::hash(parameters.required("code")?),
            code_verifier: code_verifier.into(),
            redirect_uri: parameters.optional("redirect_uri")?.map(Into::into),
            resources: parameters.all("resource").to_vec(),
        })
    }
}

/// Judges the request, then redeems the code: nothing is consumed by a request that is wrong.
pub(super) async fn serve(
    state: &AppState,
    client: &Client,
    key_thumbprint: Option<&str>,
    request: Request,
) -> Result<TokenResponse, OAuthError> {
    let (code, grants::Found { grant, user, .. }) = load(state, &request.code_hash).await?;
    tracing::debug!(grant = %grant.id, "code found");
    check(&request, client, key_thumbprint, &code)?;
    // A code that comes twice was stolen once: what it gave is taken back (RFC 6749 §4.1.2).
    if code.redeemed_at.is_some() {
        replay::end(state, &grant).await?;
        return Err(unusable("code_replayed"));
    }
    if code.expires_at <= state.clock.now() {
        return Err(unusable("code_unusable"));
    }
    let issue = Issue::of_grant(state, client, &grant, user, None)?;
    // Only now, so that its refusal does not reveal which codes of other clients exist.
    resource::check_granted(&state.resources, &request.resources, &grant.resource)?;

    let first = First::of_grant(grant.id, client, key_thumbprint)?;
    if !redeem(state, Code::Authorization(&code.code_hash), &grant, first.as_ref()).await? {
        replay::end(state, &grant).await?;
        return Err(unusable("code_replayed"));
    }
    let extras = TokenExtras {
        refresh_token: first.map(|first| first.token.expose(&state.seals.refresh_token)),
        id_token: true,
        nonce: code.nonce,
    };
    issue::tokens(state, issue, key_thumbprint, extras).await
}

async fn load(
    state: &AppState,
    code_hash: &str,
) -> Result<(authorization_codes::Model, grants::Found), OAuthError> {
    let db = state.db.connection();
    let code = authorization_codes::find(db, code_hash).await?;
    let code = code.ok_or_else(|| unusable("code_unusable"))?;
    let found = grants::find_with_user(db, code.grant_id, None).await?;
    match found {
        Some(found) if found.grant.is_live(state.clock.now()) => Ok((code, found)),
        _ => Err(unusable("code_unusable")),
    }
}

/// Everything but whether the code still counts.
fn check(
    request: &Request,
    client: &Client,
    key_thumbprint: Option<&str>,
    code: &authorization_codes::Model,
) -> Result<(), OAuthError> {
    if code.client_id != client.id {
        return Err(unusable("code_unusable"));
    }
    let challenge = CodeChallenge::parse(&code.code_challenge);
    let challenge = challenge.ok_or_else(|| unusable("code_unusable"))?;
    if !challenge.is_met_by(&request.code_verifier) {
        return Err(OAuthError::invalid_grant(
            "pkce_mismatch",
            "The code_verifier does not match the code_challenge.",
        ));
    }
    if code.key_thumbprint.is_some() && code.key_thumbprint.as_deref() != key_thumbprint {
        return Err(OAuthError::invalid_grant(
            "code_key_differs",
            "The code is bound to a key. Send a DPoP proof made with that key.",
        ));
    }
    // OAuth 2.1 drops the parameter from this message; one that is sent must be right.
    if request.redirect_uri.as_ref().is_some_and(|uri| *uri != code.redirect_uri) {
        return Err(OAuthError::invalid_grant(
            "redirect_uri_differs",
            "The redirect_uri is not that of the authorization request.",
        ));
    }
    Ok(())
}

/// Unknown, expired, used and another client's: indistinguishable on purpose.
fn unusable(reason: &'static str) -> OAuthError {
    let description = "The code is unknown, expired or not this client's. Start a new sign-in.";
    OAuthError::invalid_grant(reason, description)
}
