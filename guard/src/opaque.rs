//! Verification of opaque tokens by introspection (RFC 7662), with the user's claims from `/userinfo`
//! if need be (OpenID Connect Core §5.3).

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use keys::{
    AccessTokenClaims, Actor, Audience, Confirmation, UNENFORCED_CLAIMS, groups, lenient,
    optional_numeric_date, unique_json,
};
use moka::future::Cache;
use reqwest::StatusCode;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;
use tokio::{sync::Semaphore, time::timeout};
use url::form_urlencoded::byte_serialize;

use crate::{
    authorization_server::{AuthorizationServer, FetchError, body},
    bearer::BearerToken,
    digest::{Digest, sha256},
    refusal::Refusal,
};

/// Seconds for which a result is cached. Without a deny list, a revocation takes effect only then.
const CACHE_TTL: i64 = 15;
const MAX_CACHED: u64 = 10_000;
/// Seconds for which an inactive token is refused without another request.
const INACTIVE_TTL: i64 = 5;
/// Seconds that clocks may differ.
const LEEWAY: i64 = 5;
/// Maximum simultaneous requests, and how long the next one waits. Made-up tokens cannot cause more.
const MAX_REQUESTS: usize = 32;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(1);

/// Introspects opaque tokens at the authorization server.
pub(crate) struct Introspection {
    server: Arc<AuthorizationServer>,
    credentials: Credentials,
    audiences: Vec<String>,
    groups_claim: String,
    active: Cache<Digest, Arc<Active>>,
    /// Inactive tokens, and until when that counts.
    inactive: Cache<Digest, i64>,
    requests: Semaphore,
}

/// What this server authenticates with at the introspection endpoint.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("client_id", &self.client_id).finish()
    }
}

/// A token that was active when it was introspected.
struct Active {
    claims: Arc<AccessTokenClaims>,
    valid_until: i64,
}

/// The introspection response (RFC 7662 §2.2).
#[derive(Default, Deserialize)]
struct IntrospectionResponse {
    active: bool,
    token_type: Option<String>,
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    client_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    scope: Option<String>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    exp: Option<i64>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    jti: Option<String>,
    cnf: Option<Value>,
    act: Option<Actor>,
    #[serde(skip)]
    groups: Vec<String>,
    #[serde(flatten)]
    profile: Profile,
    #[serde(flatten)]
    rest: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(skip)]
    groups: Vec<String>,
    #[serde(flatten)]
    profile: Profile,
}

/// The claims about the user in either response (OpenID Connect Core §5.1).
#[derive(Clone, Default, Deserialize)]
struct Profile {
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    preferred_username: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    picture: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    email: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    email_verified: Option<bool>,
}

impl Profile {
    fn is_known(&self) -> bool {
        self.name.is_some() || self.preferred_username.is_some() || self.email.is_some()
    }
}

impl Introspection {
    pub(crate) fn new(
        server: Arc<AuthorizationServer>,
        credentials: Credentials,
        audiences: Vec<String>,
        groups_claim: String,
    ) -> Self {
        Self {
            server,
            credentials,
            audiences,
            groups_claim,
            active: Cache::new(MAX_CACHED),
            inactive: Cache::new(MAX_CACHED),
            requests: Semaphore::new(MAX_REQUESTS),
        }
    }

    /// The claims of an active token. Simultaneous calls with the same token send one request.
    pub(crate) async fn claims(
        &self,
        token: BearerToken<'_>,
        now: i64,
    ) -> Result<Arc<AccessTokenClaims>, Refusal> {
        let digest = sha256(token.expose());
        if self.inactive.get(&digest).await.is_some_and(|until| now < until) {
            return Err(Refusal::Inactive);
        }
        if self.active.get(&digest).await.is_some_and(|cached| cached.valid_until <= now) {
            self.active.invalidate(&digest).await;
        }
        let active = self.active.try_get_with(digest, self.ask(token, now)).await;
        match active {
            Ok(active) => Ok(active.claims.clone()),
            Err(error) => {
                if *error == Refusal::Inactive {
                    self.inactive.insert(digest, now.saturating_add(INACTIVE_TTL)).await;
                }
                Err(Refusal::clone(&error))
            }
        }
    }

    async fn ask(&self, token: BearerToken<'_>, now: i64) -> Result<Arc<Active>, Refusal> {
        let turn = timeout(QUEUE_TIMEOUT, self.requests.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            tracing::debug!("too many introspection requests are in progress");
            return Err(Refusal::Unreachable);
        };
        let response = self.introspect(token).await.map_err(|error| self.unreachable(error))?;
        let mut profile = response.profile.clone();
        let mut claims = self.check(response, now).ok_or(Refusal::Inactive)?;
        // For a bound token, `/userinfo` demands a proof that only the client can make.
        if !profile.is_known()
            && claims.cnf.is_none()
            && let Some(user) =
                self.user_info(token).await.map_err(|error| self.unreachable(error))?
        {
            if user.sub != claims.sub {
                return Err(Refusal::Inactive);
            }
            profile = user.profile;
            if claims.groups.is_empty() {
                claims.groups = user.groups;
            }
        }
        claims.name = profile.name;
        claims.preferred_username = profile.preferred_username;
        claims.picture = profile.picture;
        claims.email = profile.email;
        claims.email_verified = profile.email_verified;
        let valid_until = claims.exp.min(now.saturating_add(CACHE_TTL));
        Ok(Arc::new(Active { claims: Arc::new(claims), valid_until }))
    }

    async fn introspect(
        &self,
        token: BearerToken<'_>,
    ) -> Result<IntrospectionResponse, FetchError> {
        let metadata = self.server.metadata().await?;
        let endpoint = metadata.introspection_endpoint.as_ref();
        let endpoint =
            endpoint.ok_or(FetchError::Unusable("there is no introspection endpoint"))?;
        let Credentials { client_id, client_secret } = &self.credentials;
        let request = self
            .server
            .http
            .post(endpoint)
            .basic_auth(form_encode(client_id), Some(form_encode(client_secret)))
            .form(&[("token", token.expose()), ("token_type_hint", "access_token")]);
        let (mut answer, groups) =
            self.read::<IntrospectionResponse>(request.send().await?).await?;
        answer.groups = groups;
        Ok(answer)
    }

    /// The claims of an active, unexpired token of this issuer for this resource. A token of another
    /// type, such as a refresh token, is not an access token even if it is active.
    fn check(&self, response: IntrospectionResponse, now: i64) -> Option<AccessTokenClaims> {
        let audience = response.aud?;
        // A restriction that is not enforced here would be lost.
        if UNENFORCED_CLAIMS.iter().any(|name| response.rest.contains_key(*name)) {
            return None;
        }
        let cnf = response.cnf.map(serde_json::from_value::<Confirmation>).transpose().ok()?;
        let expected = if cnf.is_some() { "dpop" } else { "bearer" };
        let starts = response.nbf.into_iter().chain(response.iat).max();
        let is_valid = response.active
            && response
                .token_type
                .is_none_or(|token_type| token_type.eq_ignore_ascii_case(expected))
            && response.iss.as_ref().is_none_or(|issuer| *issuer == self.server.issuer)
            && audience.is_for(&self.audiences, &self.server.issuer)
            && starts.is_none_or(|starts| starts <= now.saturating_add(LEEWAY));
        let exp = response.exp.filter(|exp| is_valid && now < *exp)?;
        Some(AccessTokenClaims {
            iss: self.server.issuer.clone(),
            sub: response.sub.filter(|sub| !sub.is_empty())?,
            aud: audience,
            client_id: response.client_id?,
            scope: response.scope.unwrap_or_default(),
            exp,
            iat: response.iat.unwrap_or(now),
            nbf: response.nbf,
            jti: response.jti.unwrap_or_default(),
            auth_time: None,
            acr: None,
            cnf,
            act: response.act,
            name: None,
            preferred_username: None,
            picture: None,
            email: None,
            email_verified: None,
            groups: response.groups,
        })
    }

    /// The user's claims. `None` if there is no such endpoint, or it does not know the token.
    async fn user_info(&self, token: BearerToken<'_>) -> Result<Option<UserInfo>, FetchError> {
        let metadata = self.server.metadata().await?;
        let Some(endpoint) = &metadata.userinfo_endpoint else {
            return Ok(None);
        };
        let response = self.server.http.get(endpoint).bearer_auth(token.expose()).send().await?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
            _ => {
                let (answer, groups) = self.read::<UserInfo>(response).await?;
                Ok(Some(UserInfo { groups, ..answer }))
            }
        }
    }

    /// An answer, and the groups in it.
    async fn read<T: DeserializeOwned>(
        &self,
        response: reqwest::Response,
    ) -> Result<(T, Vec<String>), FetchError> {
        let unusable = |_| FetchError::Unusable("the response is not usable");
        let text = body(response).await?;
        let answer = serde_json::from_slice(&text).map_err(unusable)?;
        let members = unique_json::parse(&text).unwrap_or_default();
        Ok((answer, groups(&members, &self.groups_claim)))
    }

    fn unreachable(&self, error: FetchError) -> Refusal {
        self.server.forget();
        tracing::warn!(cause = %error, "a token cannot be introspected");
        Refusal::Unreachable
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Introspection").field("credentials", &self.credentials).finish()
    }
}

/// Encodes client id or secret before they are joined (RFC 6749 §2.3.1).
fn form_encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn judged(change: impl FnOnce(&mut IntrospectionResponse)) -> bool {
        let resource = "http://localhost:3001/mcp";
        let server = AuthorizationServer::new(reqwest::Client::default(), "http://a.test".into());
        let credentials = Credentials { client_id: "id".into(), client_secret: "secret".into() };
        let introspection =
            Introspection::new(server.into(), credentials, vec![resource.into()], "groups".into());
        let mut response = IntrospectionResponse {
            active: true,
            token_type: Some("Bearer".into()),
            iss: Some("http://a.test".into()),
            sub: Some("nick".into()),
            aud: Some(Audience::One(resource.into())),
            client_id: Some("c".into()),
            exp: Some(NOW + 60),
            ..IntrospectionResponse::default()
        };
        change(&mut response);
        introspection.check(response, NOW).is_some()
    }

    #[test]
    fn an_answer_counts_only_if_all_of_it_is_good() {
        assert!(judged(|_| ()));
        assert!(judged(|response| response.iss = None));
        assert!(judged(|response| response.token_type = None));
        assert!(!judged(|response| response.active = false));
        assert!(!judged(|response| response.iss = Some("http://b.test".into())));
        assert!(!judged(|response| response.aud = None));
        assert!(!judged(|response| response.aud = Some(Audience::One("http://b.test/mcp".into()))));
        let both = ["http://localhost:3001/mcp", "http://b.test/mcp"].map(str::to_owned);
        assert!(!judged(|response| response.aud = Some(Audience::Many(both.to_vec()))));
        assert!(!judged(|response| response.exp = Some(NOW)));
        assert!(!judged(|response| response.exp = None));
        assert!(judged(|response| response.nbf = Some(NOW + LEEWAY)));
        assert!(!judged(|response| response.nbf = Some(NOW + LEEWAY + 1)));
        assert!(!judged(|response| response.iat = Some(NOW + LEEWAY + 1)));
        assert!(!judged(|response| response.sub = None));
        assert!(!judged(|response| response.sub = Some(String::new())));
    }

    #[test]
    fn members_of_an_answer_are_read_one_by_one() {
        let read = |json: &str| serde_json::from_str::<IntrospectionResponse>(json).ok();
        let response = r#"{"active":true,"exp":7.9,"nbf":null,"scope":null,"jti":7,"name":["a"]}"#;
        assert_eq!(read(response).unwrap().exp, Some(7));
        // What limits the token must be understood.
        for json in [
            r#"{"active":true,"nbf":"soon"}"#,
            r#"{"active":true,"iss":7}"#,
            r#"{"active":true,"act":7}"#,
            r#"{"active":"true"}"#,
            r#"{"active":null}"#,
            r#"{"exp":7}"#,
        ] {
            assert!(read(json).is_none(), "{json}");
        }
    }

    #[test]
    fn an_answer_with_a_restriction_that_is_not_enforced_does_not_count() {
        let with = |name: &str, value: Value| {
            let mut response = json!({"active": true, "token_type": "Bearer", "sub": "nick",
                "aud": "http://localhost:3001/mcp", "client_id": "c", "exp": NOW + 60});
            response[name] = value;
            judged(|default| *default = serde_json::from_value(response).unwrap())
        };
        assert!(with("username", json!("nick")));
        for name in UNENFORCED_CLAIMS {
            assert!(!with(name, json!({"sub": "x"})), "{name}");
        }
        for cnf in [json!({"x5t#S256": "t"}), json!("k"), json!(7)] {
            assert!(!with("cnf", cnf.clone()), "{cnf}");
        }
    }

    #[test]
    fn an_active_refresh_token_is_no_access_token() {
        assert!(!judged(|response| response.token_type = Some("refresh_token".into())));
        assert!(!judged(|response| response.token_type = Some("DPoP".into())));
    }
}
