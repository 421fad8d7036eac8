//! `grant_type=refresh_token` (RFC 6749 §6, OAuth 2.1 §4.3)
//!
//! Tokens rotate at every use. A client that sends one twice in a moment, because the answer was
//! lost or two of its calls raced, gets the same successor; a token that comes back later was
//! stolen, and its family ends.

use super::{
    TokenResponse,
    issue::{self, Issue, TokenExtras},
    replay,
};
use crate::{
    extract::FromParameters,
    oauth::{
        Client, ErrorCode, OAuthError, Parameters, RefreshToken, ScopeSet,
        refresh_token::Judgement, resource,
    },
    state::AppState,
    storage::{consents, grants},
};

/// Attempts to rotate, when another caller rotates between our read and our write.
const MAX_ATTEMPTS: usize = 3;

pub(crate) struct Request {
    refresh_token: String,
    scope: Option<ScopeSet>,
    resources: Vec<String>,
}

impl FromParameters for Request {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self {
            refresh_token: parameters.required("refresh_token")?.into(),
            scope: parameters.optional("scope")?.map(ScopeSet::parse).transpose()?,
            resources: parameters.all("resource").to_vec(),
        })
    }
}

/// Judges the request, then rotates.
pub(super) async fn serve(
    state: &AppState,
    client: &Client,
    key_thumbprint: Option<&str>,
    request: Request,
) -> Result<TokenResponse, OAuthError> {
    let authenticator = &state.seals.refresh_token;
    let presented =
        RefreshToken::parse(&request.refresh_token, authenticator).ok_or_else(unusable)?;
    for _ in 0..MAX_ATTEMPTS {
        let grants::Found { grant, user, .. } = load(state, client, &presented).await?;
        check_key(&grant, key_thumbprint)?;
        let scope = scope(state, &grant, request.scope.as_ref()).await?;
        let issue = Issue::of_grant(state, client, &grant, user, Some(&scope))?;
        resource::check_granted(&state.resources, &request.resources, &grant.resource)?;
        if let Some(successor) = rotate(state, &grant, &presented).await? {
            let refresh_token = Some(successor.expose(authenticator));
            let extras = TokenExtras { refresh_token, ..TokenExtras::default() };
            return issue::tokens(state, issue, key_thumbprint, extras).await;
        }
    }
    Err(ErrorCode::TemporarilyUnavailable.error(
        "refresh_contended",
        "Too many requests used this refresh token at once. Try again.",
    ))
}

async fn load(
    state: &AppState,
    client: &Client,
    presented: &RefreshToken,
) -> Result<grants::Found, OAuthError> {
    let db = state.db.connection();
    let found = grants::find_with_user(db, presented.grant_id(), None).await?;
    let is_usable =
        |grant: &grants::Model| grant.client_id == client.id && grant.is_live(state.clock.now());
    found.filter(|found| is_usable(&found.grant)).ok_or_else(unusable)
}

/// A refresh token of a public client is bound to the key it was given with (RFC 9449 §5).
fn check_key(grant: &grants::Model, key_thumbprint: Option<&str>) -> Result<(), OAuthError> {
    match grant.key_thumbprint.as_deref() {
        Some(bound) if key_thumbprint != Some(bound) => Err(OAuthError::invalid_grant(
            "refresh_token_key_differs",
            "The refresh token is bound to a key. Send a DPoP proof made with that key.",
        )),
        _ => Ok(()),
    }
}

/// The token to hand out next; `None` if another caller was quicker, so that it must be judged
/// again.
async fn rotate(
    state: &AppState,
    grant: &grants::Model,
    presented: &RefreshToken,
) -> Result<Option<RefreshToken>, OAuthError> {
    let now = state.clock.now();
    let grace = state.config.refresh_grace;
    let db = state.db.connection();
    let family = grant.family().ok_or_else(unusable)?;
    let judgement = presented.judge(&family, &state.seals.refresh_token, now, grace);
    tracing::debug!(grant = %grant.id, ?judgement, "refresh token judged");
    match judgement {
        Judgement::Current if grant.refresh_expires_at <= now => Err(unusable()),
        Judgement::Current => {
            let successor = presented.successor(&state.seals.refresh_token);
            let rotation = grants::Rotation {
                presented_hash: presented.hash(),
                family: family.rotated(&successor, now, grace),
                expires_at: now.saturating_add(state.config.refresh_token_lifetime),
            };
            let won = grants::rotate(db, grant.id, rotation, now).await?;
            Ok(won.then_some(successor))
        }
        Judgement::Repeated(successor) => Ok(Some(successor)),
        Judgement::Superseded => Err(unusable()),
        Judgement::Replayed => {
            replay::end(state, grant).await?;
            Err(OAuthError::invalid_grant(
                "refresh_token_replayed",
                "The refresh token was used before. Its grant has been revoked; sign in again.",
            ))
        }
    }
}

/// The scope of the new access token. Whether the client repeats a scope that the person did not
/// allow is looked up only where it asks for more than was granted.
async fn scope(
    state: &AppState,
    grant: &grants::Model,
    wanted: Option<&ScopeSet>,
) -> Result<ScopeSet, OAuthError> {
    let granted = ScopeSet::parse(&grant.scope)?;
    let asked = match wanted {
        Some(wanted) if !granted.covers(wanted) => {
            let consent = consents::find(state.db.connection(), grant.id).await?;
            consent.map(|consent| consent.asked_scope.split(' ').collect()).unwrap_or_default()
        }
        _ => ScopeSet::default(),
    };
    narrow(granted, wanted, &asked)
}

/// A narrower scope holds for this access token alone; the grant keeps its own (RFC 6749 §6). Many
/// clients repeat what they asked for at first, whatever came of it: of that, they get what was
/// granted. A refusal would send the person to sign in again at every refresh.
fn narrow(
    granted: ScopeSet,
    wanted: Option<&ScopeSet>,
    asked: &ScopeSet,
) -> Result<ScopeSet, OAuthError> {
    let Some(wanted) = wanted else {
        return Ok(granted);
    };
    let is_known = wanted.iter().all(|scope| granted.contains(scope) || asked.contains(scope));
    let narrowed: ScopeSet = wanted.iter().filter(|scope| granted.contains(scope)).collect();
    if !is_known || narrowed.is_empty() && !wanted.is_empty() {
        Err(ErrorCode::InvalidScope.error(
            "scope_wider_than_grant",
            "The scope goes beyond what was granted. Ask for the same or less, or sign in again.",
        ))
    } else {
        Ok(narrowed)
    }
}

fn unusable() -> OAuthError {
    OAuthError::invalid_grant(
        "refresh_token_unusable",
        "The refresh token is unknown, expired, revoked or not this client's. Sign in again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_asked_for_at_first_the_granted_part_is_given_again() {
        let set = |text: &str| -> ScopeSet { text.split(' ').collect() };
        let narrowed = |wanted: &str| {
            let narrowed = narrow(set("a b"), Some(&set(wanted)), &set("a b c unknown"));
            narrowed.map(|scope| scope.to_string()).map_err(|error| error.reason)
        };
        assert_eq!(narrow(set("a b"), None, &set("")).unwrap(), set("a b"));
        for (wanted, given) in [("a b", "a b"), ("b", "b"), ("a b c", "a b"), ("unknown a", "a")] {
            assert_eq!(narrowed(wanted).as_deref(), Ok(given), "{wanted}");
        }
        for wanted in ["c", "a d", "d", "c unknown"] {
            assert_eq!(narrowed(wanted), Err("scope_wider_than_grant"), "{wanted}");
        }
    }
}
