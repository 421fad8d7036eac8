//! Tokens that are no JWT: the authorization server is asked (RFC 7662), then `/userinfo` for the
//! person's claims (OpenID Connect Core §5.3).

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{AccessTokenClaims, Audience};
use moka::future::Cache;
use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    authorization_server::{AuthorizationServer, FetchError, bounded},
    bearer::BearerToken,
    caller::Caller,
    error::BearerError,
};

/// How long an answer counts. Revocation takes effect after this at the latest.
const CACHED_FOR: Duration = Duration::from_secs(15);
const MOST_CACHED: u64 = 10_000;

/// Asks the authorization server about opaque tokens.
pub(super) struct Introspection {
    server: Arc<AuthorizationServer>,
    client_id: String,
    client_secret: String,
    audiences: Vec<String>,
    answers: Cache<String, Arc<AccessTokenClaims>>,
}

#[derive(Deserialize)]
struct Answer {
    active: bool,
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    client_id: Option<String>,
    #[serde(default)]
    scope: String,
    exp: Option<i64>,
    iat: Option<i64>,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    name: Option<String>,
    preferred_username: Option<String>,
    picture: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
}

impl Introspection {
    pub(super) fn new(
        server: Arc<AuthorizationServer>,
        (client_id, client_secret): (String, String),
        audiences: Vec<String>,
    ) -> Self {
        let answers = Cache::builder().max_capacity(MOST_CACHED).time_to_live(CACHED_FOR).build();
        Self { server, client_id, client_secret, audiences, answers }
    }

    /// Who sends `token`. Simultaneous calls with one token ask once.
    pub(super) async fn caller(
        &self,
        token: &BearerToken,
        now: i64,
    ) -> Result<Caller, BearerError> {
        let claims = self.answers.try_get_with(cache_key(token), self.ask(token, now)).await;
        let claims = claims.map_err(|error| BearerError::clone(&error))?;
        match claims.exp <= now {
            true => Err(BearerError::Inactive),
            false => Ok(Caller::from_claims(claims.as_ref().clone())),
        }
    }

    async fn ask(
        &self,
        token: &BearerToken,
        now: i64,
    ) -> Result<Arc<AccessTokenClaims>, BearerError> {
        let answer = self.introspect(token).await.map_err(unreachable)?;
        let mut claims = self.judge(answer, now).ok_or(BearerError::Inactive)?;
        if let Some(user) = self.user_info(token).await.map_err(unreachable)? {
            if user.sub != claims.sub {
                return Err(BearerError::Inactive);
            }
            claims.name = user.name;
            claims.preferred_username = user.preferred_username;
            claims.picture = user.picture;
            claims.email = user.email;
            claims.email_verified = user.email_verified;
        }
        Ok(Arc::new(claims))
    }

    async fn introspect(&self, token: &BearerToken) -> Result<Answer, FetchError> {
        let endpoint = self.server.metadata().await?.introspection_endpoint.as_ref();
        let endpoint =
            endpoint.ok_or(FetchError::Unusable("there is no introspection endpoint"))?;
        let request = self
            .server
            .http
            .post(endpoint)
            .basic_auth(&self.client_id, Some(&self.client_secret))
            .form(&[("token", token.expose())]);
        read(request.send().await?).await
    }

    /// The claims of an answer that is active, for this resource, of this issuer and not over.
    fn judge(&self, answer: Answer, now: i64) -> Option<AccessTokenClaims> {
        let audience = answer.aud?;
        let good = answer.active
            && answer.iss.as_ref().is_none_or(|issuer| *issuer == self.server.issuer)
            && self.audiences.iter().any(|known| audience.contains(known));
        let exp = answer.exp.filter(|exp| good && now < *exp)?;
        Some(AccessTokenClaims {
            iss: self.server.issuer.clone(),
            sub: answer.sub?,
            aud: audience,
            client_id: answer.client_id?,
            scope: answer.scope,
            exp,
            iat: answer.iat.unwrap_or(now),
            nbf: None,
            jti: String::new(),
            auth_time: None,
            name: None,
            preferred_username: None,
            picture: None,
            email: None,
            email_verified: None,
        })
    }

    /// The person's claims; `None` where there is no such endpoint, or it does not know the token.
    async fn user_info(&self, token: &BearerToken) -> Result<Option<UserInfo>, FetchError> {
        let Some(endpoint) = &self.server.metadata().await?.userinfo_endpoint else {
            return Ok(None);
        };
        let answer = self.server.http.get(endpoint).bearer_auth(token.expose()).send().await?;
        match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
            _ => read(answer).await.map(Some),
        }
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Introspection").field("client_id", &self.client_id).finish()
    }
}

async fn read<T: DeserializeOwned>(answer: reqwest::Response) -> Result<T, FetchError> {
    if !answer.status().is_success() {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    serde_json::from_slice(&bounded(answer).await?)
        .map_err(|_| FetchError::Unusable("the answer is not usable"))
}

fn unreachable(error: FetchError) -> BearerError {
    tracing::warn!(cause = %error, "the authorization server cannot be asked about a token");
    BearerError::Unreachable
}

/// Tokens themselves are not kept in memory longer than their request.
fn cache_key(token: &BearerToken) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}
