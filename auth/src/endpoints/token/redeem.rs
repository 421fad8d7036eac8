//! The end of a code: it is redeemed, and the refresh tokens of its grant begin.

use crate::{
    oauth::{Client, GrantType, OAuthError, RefreshToken},
    state::AppState,
    storage::{StorageError, authorization_codes, device_codes, grants},
};

/// Seconds after which no code of a grant is good any more: a device code lives longest.
const MAX_CODE_LIFETIME: i64 = 600;

/// A code of either kind, known by its hash.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    /// That came with the redirect.
    Authorization(&'a str),
    /// That a device polls with.
    Device(&'a str),
}

/// The refresh token that a code is exchanged for, if its client may have one.
pub(super) struct First {
    pub(super) token: RefreshToken,
    /// Thumbprint of the key that it is bound to.
    key_thumbprint: Option<String>,
}

impl First {
    /// The first refresh token of the grant, bound to the key that the client has proved to hold.
    pub(super) fn of_grant(
        id: uuid::Uuid,
        client: &Client,
        key_thumbprint: Option<&str>,
    ) -> Result<Option<Self>, OAuthError> {
        if client.check_grant(GrantType::RefreshToken).is_err() {
            return Ok(None);
        }
        let key_thumbprint = client.key_of_refresh_tokens(key_thumbprint).map(Into::into);
        Ok(Some(Self { token: RefreshToken::first(id)?, key_thumbprint }))
    }
}

/// Redeems the code, begins the family of refresh tokens and removes what the installation's earlier
/// sign-ins have left behind, in one transaction. Exactly one caller gets `true`, on any replica.
pub(super) async fn redeem(
    state: &AppState,
    code: Code<'_>,
    grant: &grants::Model,
    first: Option<&First>,
) -> Result<bool, StorageError> {
    let now = state.clock.now();
    let transaction = state.db.begin().await?;
    let redeemed = match code {
        Code::Authorization(hash) => authorization_codes::redeem(&transaction, hash, now).await?,
        Code::Device(hash) => device_codes::redeem(&transaction, hash, now).await?,
    };
    if let (true, Some(first)) = (redeemed, first) {
        let token = grants::FirstToken {
            hash: first.token.hash(),
            key_thumbprint: first.key_thumbprint.clone(),
            expires_at: now.saturating_add(state.config.refresh_token_lifetime),
        };
        grants::begin_family(&transaction, first.token.grant_id(), token).await?;
    }
    if redeemed {
        let made_before = now.saturating_sub(MAX_CODE_LIFETIME + state.longest_token());
        let key = first.and_then(|first| first.key_thumbprint.as_deref());
        grants::forget_superseded(&transaction, grant, key, made_before, now).await?;
    }
    transaction.commit().await?;
    Ok(redeemed)
}
