//! Access tokens and ID tokens: what every grant ends in.

use keys::{
    AccessTokenClaims, Actor, Audience, Confirmation, IdTokenClaims, KeyError, TokenType,
    UserClaims,
};
use serde::Serialize;
use uuid::Uuid;

use super::TokenResponse;
use crate::{
    access::GroupsClaim,
    admission::{Admitted, nothing_permitted},
    oauth::{
        Client, ErrorCode, OAuthError, Resource, ScopeSet, Secret, SecretKind,
        resource::{self, TokenFormat},
    },
    state::AppState,
    storage::{grants, opaque_tokens, users},
};

pub(super) struct Issue<'a> {
    pub(super) client: &'a Client,
    /// Whom they speak of; the client itself where there is no one.
    pub(super) person: Option<Person>,
    /// The grant they come of, whose end is theirs too.
    pub(super) grant: Option<&'a grants::Model>,
    pub(super) resource: &'a Resource,
    pub(super) scope: ScopeSet,
    /// When they end at the latest, whatever their usual lifetime.
    pub(super) expires_by: Option<i64>,
    pub(super) actor: Option<Actor>,
}

/// Claims as they are signed. Introspection and userinfo look up the groups when they are asked.
#[derive(Serialize)]
struct WithGroups<T> {
    #[serde(flatten)]
    claims: T,
    #[serde(flatten)]
    groups: GroupsClaim,
}

/// A person who may come in, and how they proved who they are (RFC 9068 §2.2.1).
pub(super) struct Person {
    pub(super) admitted: Admitted,
    /// When they last did (`auth_time`).
    pub(super) authenticated_at: Option<i64>,
    /// How strongly, where the issuer of an assertion says so (`acr`).
    pub(super) acr: Option<String>,
}

/// What the client gets with the access token.
#[derive(Default)]
pub(super) struct TokenExtras {
    pub(super) refresh_token: Option<String>,
    /// Whether it gets an ID token, if the scope `openid` was granted.
    pub(super) id_token: bool,
    pub(super) nonce: Option<String>,
}

impl<'a> Issue<'a> {
    /// Tokens that come of no grant, with the scopes that the person may have.
    pub(super) fn new(
        client: &'a Client,
        person: Option<Person>,
        resource: &'a Resource,
        scope: ScopeSet,
    ) -> Result<Self, OAuthError> {
        let scope = match &person {
            Some(person) => person.admitted.permitted(resource, &scope),
            None => Some(scope),
        };
        let scope = scope.ok_or_else(|| nothing_permitted(ErrorCode::InvalidGrant))?;
        Ok(Self { client, person, grant: None, resource, scope, expires_by: None, actor: None })
    }

    /// Tokens of a grant: all that it still allows, or what of it is `wanted`. Made before the code
    /// or refresh token is used up, because a grant of which nothing can come must leave no trace.
    pub(super) fn of_grant(
        state: &'a AppState,
        client: &'a Client,
        grant: &'a grants::Model,
        user: Option<users::Model>,
        wanted: Option<&ScopeSet>,
    ) -> Result<Self, OAuthError> {
        let resource = resource::of_grant(&state.resources, &grant.resource)?;
        let granted = ScopeSet::parse(&grant.scope)?;
        let wanted = wanted.unwrap_or(&granted);
        let scope = resource.remaining(wanted, client.max_scopes());
        if scope.is_empty() && !wanted.is_empty() {
            return Err(OAuthError::invalid_grant(
                "scope_gone",
                "None of the granted scopes exists any more for the resource and client. Sign in \
                 again.",
            ));
        }
        let user = user.ok_or_else(|| {
            OAuthError::invalid_grant("user_gone", "The person no longer has an account here.")
        })?;
        let person = Person {
            admitted: Admitted::judge(state, user)?,
            authenticated_at: Some(grant.authenticated_at),
            acr: None,
        };
        let issue = Self::new(client, Some(person), resource, scope)?;
        Ok(Self { grant: Some(grant), expires_by: Some(grant.expires_at), ..issue })
    }

    fn sub(&self) -> String {
        match &self.person {
            Some(person) => person.admitted.user().id.to_string(),
            None => self.client.id.clone(),
        }
    }

    fn revealed(&self) -> UserClaims {
        let person = self.person.as_ref();
        person.map(|person| person.admitted.revealed(&self.scope)).unwrap_or_default()
    }

    fn groups(&self) -> GroupsClaim {
        let person = self.person.as_ref();
        person.map(|it| it.admitted.groups_claim(self.resource)).unwrap_or_default()
    }

    fn authenticated_at(&self) -> Option<i64> {
        self.person.as_ref()?.authenticated_at
    }

    /// Starts with the grant id, so that revoking the grant also revokes this token.
    fn jti(&self) -> String {
        match self.grant {
            Some(grant) => format!("{}.{}", grant.id, Uuid::new_v4()),
            None => Uuid::new_v4().to_string(),
        }
    }
}

/// Makes the answer to a served grant.
pub(super) async fn tokens(
    state: &AppState,
    issue: Issue<'_>,
    key_thumbprint: Option<&str>,
    extras: TokenExtras,
) -> Result<TokenResponse, OAuthError> {
    let now = state.clock.now();
    let expires_in = lifetime(state, &issue, now)?;
    let claims = access_claims(state, &issue, key_thumbprint, now, expires_in);
    let format =
        issue.client.metadata.operator.access_token_format.unwrap_or(issue.resource.token_format);
    let access_token = match format {
        TokenFormat::Jwt => {
            let key = match issue.resource.signing_algorithm {
                Some(algorithm) => state.keys.current_for(algorithm, now),
                None => state.keys.current(now),
            };
            let key = key.map_err(not_signed)?;
            let claims = WithGroups { claims, groups: issue.groups() };
            key.sign(TokenType::AccessToken, &claims).map_err(not_signed)?
        }
        TokenFormat::Opaque => opaque(state, &claims).await?,
    };
    let id_token = if extras.id_token && issue.scope.contains("openid") {
        Some(id_token(state, &issue, &access_token, extras.nonce).map_err(not_signed)?)
    } else {
        None
    };
    tracing::debug!(
        grant = issue.grant.map(|grant| tracing::field::display(grant.id)),
        subject = issue.sub(),
        resource = issue.resource.resource,
        scope = %issue.scope,
        refreshes = extras.refresh_token.is_some(),
        "tokens issued"
    );
    Ok(TokenResponse {
        access_token,
        issued_token_type: None,
        token_type: if key_thumbprint.is_some() { "DPoP" } else { "Bearer" },
        expires_in,
        refresh_token: extras.refresh_token,
        scope: issue.scope.to_string(),
        id_token,
    })
}

/// Seconds until the token expires. No token outlives what it comes of, and an expired one is never
/// issued.
fn lifetime(state: &AppState, issue: &Issue<'_>, now: i64) -> Result<i64, OAuthError> {
    let usual = issue.resource.access_token_lifetime.unwrap_or(state.config.access_token_lifetime);
    match issue.expires_by.map_or(usual, |end| usual.min(end - now)) {
        seconds if seconds > 0 => Ok(seconds),
        _ => {
            Err(OAuthError::invalid_grant("grant_expired", "The grant has expired. Sign in again."))
        }
    }
}

fn access_claims(
    state: &AppState,
    issue: &Issue<'_>,
    key_thumbprint: Option<&str>,
    now: i64,
    expires_in: i64,
) -> AccessTokenClaims {
    let user = issue.revealed();
    AccessTokenClaims {
        iss: state.config.issuer.clone(),
        sub: issue.sub(),
        aud: Audience::One(issue.resource.resource.clone()),
        client_id: issue.client.id.clone(),
        scope: issue.scope.to_string(),
        exp: now + expires_in,
        iat: now,
        nbf: None,
        jti: issue.jti(),
        auth_time: issue.authenticated_at(),
        acr: issue.person.as_ref().and_then(|person| person.acr.clone()),
        cnf: key_thumbprint.map(|jkt| Confirmation { jkt: jkt.into() }),
        act: issue.actor.clone(),
        name: user.name,
        preferred_username: user.preferred_username,
        picture: user.picture,
        email: user.email,
        email_verified: user.email_verified,
        groups: Vec::new(),
    }
}

async fn opaque(state: &AppState, claims: &AccessTokenClaims) -> Result<String, OAuthError> {
    let secret = Secret::generate(SecretKind::AccessToken)?;
    let token = opaque_tokens::Model {
        token_hash: secret.hash(),
        claims: serde_json::to_string(claims)
            .map_err(|error| OAuthError::server_error("tokens_not_stored", error))?,
        expires_at: claims.exp,
    };
    opaque_tokens::issue(state.db.connection(), token).await?;
    Ok(secret.expose().into())
}

fn id_token(
    state: &AppState,
    issue: &Issue<'_>,
    access_token: &str,
    nonce: Option<String>,
) -> Result<String, KeyError> {
    let now = state.clock.now();
    let key = state.keys.current(now)?;
    let claims = IdTokenClaims {
        iss: state.config.issuer.clone(),
        sub: issue.sub(),
        aud: issue.client.id.clone(),
        azp: issue.client.id.clone(),
        exp: now + state.config.access_token_lifetime,
        iat: now,
        auth_time: issue.authenticated_at().unwrap_or(now),
        nonce,
        at_hash: key.algorithm().at_hash(access_token),
        sid: issue.grant.and_then(|grant| grant.session_id).map(|id| id.to_string()),
        user: issue.revealed(),
    };
    key.sign(TokenType::IdToken, &WithGroups { claims, groups: issue.groups() })
}

fn not_signed(error: KeyError) -> OAuthError {
    OAuthError::server_error("tokens_not_signed", error)
}
