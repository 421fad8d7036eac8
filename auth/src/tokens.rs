//! A presented token of any kind, and what this server knows of it.

use std::sync::Arc;

use keys::AccessTokenClaims;

use crate::{
    access::GroupsClaim,
    admission::Admitted,
    oauth::{ErrorCode, OAuthError, RefreshToken, ScopeSet, secret},
    state::AppState,
    storage::{StorageError, grants, opaque_tokens, revocations, users},
};

/// A token that is good now.
#[derive(Clone, Debug)]
pub(crate) enum LiveToken {
    Access(Box<AccessToken>),
    /// A refresh token, known by its grant.
    Refresh(Box<grants::Model>),
}

/// An access token. What it says does not depend on its format.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) claims: Arc<AccessTokenClaims>,
    /// The grant it came of; `None` where a client got it for itself, or by an assertion.
    pub(crate) grant: Option<grants::Model>,
    /// Of whom it speaks; `None` where a client got it for itself.
    pub(crate) person: Option<Admitted>,
    /// The groups of that person, as its resource is told them.
    pub(crate) groups: GroupsClaim,
}

impl LiveToken {
    /// Finds out what `token` is. `None` for anything that is not, or no longer, good.
    pub(crate) async fn find(state: &AppState, token: &str) -> Result<Option<Self>, OAuthError> {
        if let Some(refresh) = RefreshToken::parse(token, &state.seals.refresh_token) {
            let grant = find_refresh(state, &refresh).await?;
            return Ok(grant.map(|grant| Self::Refresh(Box::new(grant))));
        }
        let token = AccessToken::find(state, token).await?;
        Ok(token.map(|token| Self::Access(Box::new(token))))
    }
}

/// A token that is good now, as far as it does not depend on who its person is.
struct Unjudged {
    claims: Arc<AccessTokenClaims>,
    grant: Option<grants::Model>,
    user: Option<users::Model>,
}

impl AccessToken {
    /// The access token behind this text, with the scopes that its person may still have. `None` for
    /// anything that is not, or no longer, good, and for tokens of people who are kept out.
    pub(crate) async fn find(state: &AppState, token: &str) -> Result<Option<Self>, OAuthError> {
        let found = Unjudged::find(state, token).await?;
        Ok(found.and_then(|found| found.judge(state)))
    }

    /// The claims of an access token that is good as long as its person may come in. To revoke it, that
    /// does not matter: they may be let in again.
    pub(crate) async fn claims_to_revoke(
        state: &AppState,
        token: &str,
    ) -> Result<Option<Arc<AccessTokenClaims>>, OAuthError> {
        Ok(Unjudged::find(state, token).await?.map(|found| found.claims))
    }

    pub(crate) fn scope(&self) -> ScopeSet {
        self.claims.scopes().collect()
    }
}

impl Unjudged {
    async fn find(state: &AppState, token: &str) -> Result<Option<Self>, OAuthError> {
        let claims = if token.contains('.') {
            let now = state.clock.now();
            state.verified_tokens.verify(token, state.keys.verification_keys(now), now)
        } else {
            stored(state, token).await?.map(Arc::new)
        };
        let Some(claims) = claims.filter(|claims| state.clock.now() < claims.exp) else {
            return Ok(None);
        };
        let db = state.db.connection();
        let grant_id = claims.jti.split_once('.').and_then(|(id, _)| id.parse().ok());
        let Some(grant_id) = grant_id else {
            return Self::without_grant(state, claims).await;
        };
        let found = grants::find_with_user(db, grant_id, Some(&claims.jti)).await?;
        let now = state.clock.now();
        let live = found.filter(|found| !found.is_token_revoked && found.grant.is_live(now));
        Ok(live.map(|found| Self { claims, grant: Some(found.grant), user: found.user }))
    }

    /// Without a grant, the token is valid as long as its client and its subject are.
    async fn without_grant(
        state: &AppState,
        claims: Arc<AccessTokenClaims>,
    ) -> Result<Option<Self>, OAuthError> {
        let is_revoked = revocations::is_listed(state.db.connection(), &claims.jti).await?;
        let user = match claims.sub.parse() {
            Ok(id) => users::find(state.db.connection(), id).await?,
            Err(_) => None,
        };
        if is_revoked || !(is_clients_own(&claims) || user.is_some()) {
            return Ok(None);
        }
        match state.clients.find(&claims.client_id).await {
            Ok(_) => Ok(Some(Self { claims, grant: None, user })),
            Err(error) if is_client_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn judge(self, state: &AppState) -> Option<AccessToken> {
        let Self { mut claims, grant, user } = self;
        if is_clients_own(&claims) {
            let groups = GroupsClaim::default();
            return Some(AccessToken { claims, grant, person: None, groups });
        }
        let user = user.filter(|user| user.id.to_string() == claims.sub)?;
        let person = Admitted::judge(state, user).ok()?;
        let mut resources = state.resources.iter();
        let resource = resources.find(|resource| claims.aud.contains(&resource.resource))?;
        let granted = claims.scopes().collect();
        let permitted = person.permitted(resource, &granted)?;
        if permitted != granted {
            Arc::make_mut(&mut claims).scope = permitted.to_string();
        }
        let groups = person.groups_claim(resource);
        Some(AccessToken { claims, grant, person: Some(person), groups })
    }
}

/// Whether a client is not known here any more, or blocked. Anything else may be different next time.
pub(crate) fn is_client_gone(error: &OAuthError) -> bool {
    matches!(error.code, ErrorCode::InvalidClient | ErrorCode::AccessDenied)
}

/// Whether a client got the token for itself, so that it speaks of no person.
fn is_clients_own(claims: &AccessTokenClaims) -> bool {
    claims.sub == claims.client_id
}

async fn stored(state: &AppState, token: &str) -> Result<Option<AccessTokenClaims>, StorageError> {
    let found = opaque_tokens::find(state.db.connection(), &secret::hash(token)).await?;
    let claims = found.and_then(|token| serde_json::from_str(&token.claims).ok());
    Ok(claims.filter(|claims: &AccessTokenClaims| {
        state.resources.iter().any(|resource| claims.aud.contains(&resource.resource))
    }))
}

/// The grant of a current refresh token, with the scopes that its person may still have.
async fn find_refresh(
    state: &AppState,
    token: &RefreshToken,
) -> Result<Option<grants::Model>, StorageError> {
    let now = state.clock.now();
    let found = grants::find_with_user(state.db.connection(), token.grant_id(), None).await?;
    Ok(found.and_then(|grants::Found { mut grant, user, .. }| {
        let hash = grant.refresh_token_hash.as_deref().unwrap_or_default();
        let is_current = secret::same_hash(hash, &token.hash());
        if !is_current || !grant.is_live(now) || grant.refresh_expires_at <= now {
            return None;
        }
        let person = Admitted::judge(state, user?).ok()?;
        let mut resources = state.resources.iter();
        let resource = resources.find(|resource| resource.resource == grant.resource)?;
        grant.scope = person.permitted(resource, &grant.scope.split(' ').collect())?.to_string();
        Some(grant)
    }))
}
