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

#[derive(Debug)]
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
    let (code, grant) = load(state, &request.code_hash).await?;
    tracing::debug!(grant = %grant.id, "code found");
    if let Err(refused) = judge(&request, client, key_thumbprint, &code, state.clock.now()) {
        // A code that comes twice was stolen once: what it gave is taken back (RFC 6749 §4.1.2).
        if matches!(refused, Refused::Replayed) {
            replay::end(state, &grant).await?;
        }
        return Err(refused.into());
    }
    let issue = Issue::of_grant(state, client, &grant, None).await?;
    // Only now, so that its refusal does not reveal which codes of other clients exist.
    resource::check_granted(&state.resources, &request.resources, &grant.resource)?;

    let first = First::of_grant(grant.id, client, key_thumbprint)?;
    if !redeem(state, Code::Authorization(&code.code_hash), grant.id, first.as_ref()).await? {
        replay::end(state, &grant).await?;
        return Err(Refused::Replayed.into());
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
) -> Result<(authorization_codes::Model, grants::Model), OAuthError> {
    let db = state.db.connection();
    let code = authorization_codes::find(db, code_hash).await?;
    let code = code.ok_or(Refused::Unusable)?;
    let grant = grants::find(db, code.grant_id).await?;
    match grant {
        Some(grant) if grant.is_live(state.clock.now()) => Ok((code, grant)),
        _ => Err(Refused::Unusable.into()),
    }
}

enum Refused {
    /// Unknown, expired, or another client's: indistinguishable on purpose.
    Unusable,
    RedirectUri,
    Verifier,
    Key,
    Replayed,
}

fn judge(
    request: &Request,
    client: &Client,
    key_thumbprint: Option<&str>,
    code: &authorization_codes::Model,
    now: i64,
) -> Result<(), Refused> {
    if code.client_id != client.id {
        return Err(Refused::Unusable);
    }
    let challenge = CodeChallenge::parse(&code.code_challenge).ok_or(Refused::Unusable)?;
    if !challenge.is_met_by(&request.code_verifier) {
        return Err(Refused::Verifier);
    }
    if code.key_thumbprint.is_some() && code.key_thumbprint.as_deref() != key_thumbprint {
        return Err(Refused::Key);
    }
    // OAuth 2.1 drops the parameter from this message; one that is sent must be right.
    if request.redirect_uri.as_ref().is_some_and(|uri| *uri != code.redirect_uri) {
        return Err(Refused::RedirectUri);
    }
    if code.redeemed_at.is_some() {
        return Err(Refused::Replayed);
    }
    if code.expires_at <= now { Err(Refused::Unusable) } else { Ok(()) }
}

impl From<Refused> for OAuthError {
    fn from(refused: Refused) -> Self {
        let unusable = "The code is unknown, expired or not this client's. Start a new sign-in.";
        match refused {
            Refused::Unusable => Self::invalid_grant("code_unusable", unusable),
            Refused::Replayed => Self::invalid_grant("code_replayed", unusable),
            Refused::RedirectUri => Self::invalid_grant(
                "redirect_uri_differs",
                "The redirect_uri is not that of the authorization request.",
            ),
            Refused::Key => Self::invalid_grant(
                "code_key_differs",
                "The code is bound to a key. Send a DPoP proof made with that key.",
            ),
            Refused::Verifier => Self::invalid_grant(
                "pkce_mismatch",
                "The code_verifier does not match the code_challenge.",
            ),
        }
    }
}
