//! Tokens that are no JWT: the authorization server is asked (RFC 7662), then `/userinfo` for the
//! person's claims (OpenID Connect Core §5.3).

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use keys::{
    AccessTokenClaims, Actor, Audience, Confirmation, UNENFORCED_CLAIMS, lenient,
    optional_numeric_date,
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

/// Seconds that an answer counts. The deny list cuts it short; where there is none, a revocation takes
/// effect after this at the latest.
const CACHED_FOR: i64 = 15;
const MOST_CACHED: u64 = 10_000;
/// Seconds that a token stays refused without another question. One that is no good seldom becomes
/// good.
const REFUSED_FOR: i64 = 5;
/// Seconds that clocks may differ.
const LEEWAY: i64 = 5;
/// Most questions under way at once, and how long the next waits for its turn: whoever makes up
/// tokens has no more asked than this.
const MOST_AT_ONCE: usize = 32;
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Asks the authorization server about opaque tokens.
pub(crate) struct Introspection {
    server: Arc<AuthorizationServer>,
    credentials: Credentials,
    audiences: Vec<String>,
    answers: Cache<Digest, Arc<Verdict>>,
    /// Until when a token is refused without asking.
    refused: Cache<Digest, i64>,
    at_once: Semaphore,
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

/// A token that was good when it was asked about.
struct Verdict {
    claims: Arc<AccessTokenClaims>,
    counts_until: i64,
}

/// The answer (RFC 7662 §2.2).
#[derive(Default, Deserialize)]
struct Answer {
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
    #[serde(flatten)]
    person: Person,
    #[serde(flatten)]
    rest: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    person: Person,
}

/// What either answer may say of the person (OpenID Connect Core §5.1).
#[derive(Clone, Default, Deserialize)]
struct Person {
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

impl Person {
    fn is_known(&self) -> bool {
        self.name.is_some() || self.preferred_username.is_some() || self.email.is_some()
    }
}

impl Introspection {
    pub(crate) fn new(
        server: Arc<AuthorizationServer>,
        credentials: Credentials,
        audiences: Vec<String>,
    ) -> Self {
        Self {
            server,
            credentials,
            audiences,
            answers: Cache::new(MOST_CACHED),
            refused: Cache::new(MOST_CACHED),
            at_once: Semaphore::new(MOST_AT_ONCE),
        }
    }

    /// What `token` says, if it is good. Simultaneous calls with one token ask once.
    pub(crate) async fn claims(
        &self,
        token: &BearerToken,
        now: i64,
    ) -> Result<Arc<AccessTokenClaims>, Refusal> {
        let digest = sha256(token.expose());
        if self.refused.get(&digest).await.is_some_and(|until| now < until) {
            return Err(Refusal::Inactive);
        }
        if self.answers.get(&digest).await.is_some_and(|verdict| verdict.counts_until <= now) {
            self.answers.invalidate(&digest).await;
        }
        let verdict = self.answers.try_get_with(digest, self.ask(token, now)).await;
        match verdict {
            Ok(verdict) => Ok(verdict.claims.clone()),
            Err(error) => {
                if *error == Refusal::Inactive {
                    self.refused.insert(digest, now.saturating_add(REFUSED_FOR)).await;
                }
                Err(Refusal::clone(&error))
            }
        }
    }

    async fn ask(&self, token: &BearerToken, now: i64) -> Result<Arc<Verdict>, Refusal> {
        let turn = timeout(LONGEST_WAIT, self.at_once.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            tracing::debug!("too many questions about tokens are under way");
            return Err(Refusal::Unreachable);
        };
        let answer = self.introspect(token).await.map_err(|error| self.unreachable(error))?;
        let mut person = answer.person.clone();
        let mut claims = self.judge(answer, now).ok_or(Refusal::Inactive)?;
        // `/userinfo` would want a proof by the key of a bound token, which only its owner has.
        if !person.is_known()
            && claims.cnf.is_none()
            && let Some(user) =
                self.user_info(token).await.map_err(|error| self.unreachable(error))?
        {
            if user.sub != claims.sub {
                return Err(Refusal::Inactive);
            }
            person = user.person;
        }
        claims.name = person.name;
        claims.preferred_username = person.preferred_username;
        claims.picture = person.picture;
        claims.email = person.email;
        claims.email_verified = person.email_verified;
        let counts_until = claims.exp.min(now.saturating_add(CACHED_FOR));
        Ok(Arc::new(Verdict { claims: Arc::new(claims), counts_until }))
    }

    async fn introspect(&self, token: &BearerToken) -> Result<Answer, FetchError> {
        let metadata = self.server.metadata().await?;
        let endpoint = metadata.introspection_endpoint.as_ref();
        let endpoint =
            endpoint.ok_or(FetchError::Unusable("there is no introspection endpoint"))?;
        // Both halves are form-encoded before they are joined (RFC 6749 §2.3.1).
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let request = self
            .server
            .http
            .post(endpoint)
            .basic_auth(
                encoded(&self.credentials.client_id),
                Some(encoded(&self.credentials.client_secret)),
            )
            .form(&[("token", token.expose()), ("token_type_hint", "access_token")]);
        read(request.send().await?).await
    }

    /// The claims of an answer that is active, for this resource, of this issuer and not over.
    /// A token of another type, a refresh token above all, is no access token however active.
    fn judge(&self, answer: Answer, now: i64) -> Option<AccessTokenClaims> {
        let audience = answer.aud?;
        // A restriction that is not enforced here would be lost.
        if UNENFORCED_CLAIMS.iter().any(|name| answer.rest.contains_key(*name)) {
            return None;
        }
        let cnf = answer.cnf.map(serde_json::from_value::<Confirmation>).transpose().ok()?;
        let expected = if cnf.is_some() { "dpop" } else { "bearer" };
        let is_expected = |kind: &String| kind.eq_ignore_ascii_case(expected);
        let starts = answer.nbf.into_iter().chain(answer.iat).max();
        let good = answer.active
            && answer.token_type.as_ref().is_none_or(is_expected)
            && answer.iss.as_ref().is_none_or(|issuer| *issuer == self.server.issuer)
            && audience.is_for(&self.audiences, &self.server.issuer)
            && starts.is_none_or(|starts| starts <= now.saturating_add(LEEWAY));
        let exp = answer.exp.filter(|exp| good && now < *exp)?;
        Some(AccessTokenClaims {
            iss: self.server.issuer.clone(),
            sub: answer.sub.filter(|sub| !sub.is_empty())?,
            aud: audience,
            client_id: answer.client_id?,
            scope: answer.scope.unwrap_or_default(),
            exp,
            iat: answer.iat.unwrap_or(now),
            nbf: answer.nbf,
            jti: answer.jti.unwrap_or_default(),
            auth_time: None,
            acr: None,
            cnf,
            act: answer.act,
            name: None,
            preferred_username: None,
            picture: None,
            email: None,
            email_verified: None,
        })
    }

    /// The person's claims; `None` where there is no such endpoint, or it does not know the token.
    async fn user_info(&self, token: &BearerToken) -> Result<Option<UserInfo>, FetchError> {
        let metadata = self.server.metadata().await?;
        let Some(endpoint) = &metadata.userinfo_endpoint else {
            return Ok(None);
        };
        let answer = self.server.http.get(endpoint).bearer_auth(token.expose()).send().await?;
        match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
            _ => read(answer).await.map(Some),
        }
    }

    fn unreachable(&self, error: FetchError) -> Refusal {
        self.server.forget();
        tracing::warn!(cause = %error, "the authorization server cannot be asked about a token");
        Refusal::Unreachable
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Introspection").field("credentials", &self.credentials).finish()
    }
}

async fn read<T: DeserializeOwned>(answer: reqwest::Response) -> Result<T, FetchError> {
    serde_json::from_slice(&body(answer).await?)
        .map_err(|_| FetchError::Unusable("the answer is not usable"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn judged(change: impl FnOnce(&mut Answer)) -> bool {
        let resource = "http://localhost:3001/mcp";
        let server = AuthorizationServer::new(reqwest::Client::default(), "http://a.test".into());
        let credentials = Credentials { client_id: "id".into(), client_secret: "secret".into() };
        let introspection = Introspection::new(server.into(), credentials, vec![resource.into()]);
        let mut answer = Answer {
            active: true,
            token_type: Some("Bearer".into()),
            iss: Some("http://a.test".into()),
            sub: Some("nick".into()),
            aud: Some(Audience::One(resource.into())),
            client_id: Some("c".into()),
            exp: Some(NOW + 60),
            ..Answer::default()
        };
        change(&mut answer);
        introspection.judge(answer, NOW).is_some()
    }

    #[test]
    fn an_answer_counts_only_if_all_of_it_is_good() {
        assert!(judged(|_| ()));
        assert!(judged(|answer| answer.iss = None));
        assert!(judged(|answer| answer.token_type = None));
        assert!(!judged(|answer| answer.active = false));
        assert!(!judged(|answer| answer.iss = Some("http://b.test".into())));
        assert!(!judged(|answer| answer.aud = None));
        assert!(!judged(|answer| answer.aud = Some(Audience::One("http://b.test/mcp".into()))));
        let both = ["http://localhost:3001/mcp", "http://b.test/mcp"].map(str::to_owned);
        assert!(!judged(|answer| answer.aud = Some(Audience::Many(both.to_vec()))));
        assert!(!judged(|answer| answer.exp = Some(NOW)));
        assert!(!judged(|answer| answer.exp = None));
        assert!(judged(|answer| answer.nbf = Some(NOW + LEEWAY)));
        assert!(!judged(|answer| answer.nbf = Some(NOW + LEEWAY + 1)));
        assert!(!judged(|answer| answer.iat = Some(NOW + LEEWAY + 1)));
        assert!(!judged(|answer| answer.sub = None));
        assert!(!judged(|answer| answer.sub = Some(String::new())));
    }

    #[test]
    fn members_of_an_answer_are_read_one_by_one() {
        let read = |json: &str| serde_json::from_str::<Answer>(json).ok();
        let answer = r#"{"active":true,"exp":7.9,"nbf":null,"scope":null,"jti":7,"name":["a"]}"#;
        assert_eq!(read(answer).unwrap().exp, Some(7));
        // What limits the token must be understood.
        for json in [
            r#"{"active":true,"nbf":"soon"}"#,
            r#"{"active":true,"iss":7}"#,
            r#"{"active":true,"act":7}"#,
            r#"{"active":"true"}"#,
        ] {
            assert!(read(json).is_none(), "{json}");
        }
    }

    #[test]
    fn an_answer_with_a_restriction_that_is_not_enforced_does_not_count() {
        let with = |name: &str, value: Value| {
            let mut answer = json!({"active": true, "token_type": "Bearer", "sub": "nick",
                "aud": "http://localhost:3001/mcp", "client_id": "c", "exp": NOW + 60});
            answer[name] = value;
            judged(|default| *default = serde_json::from_value(answer).unwrap())
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
        assert!(!judged(|answer| answer.token_type = Some("refresh_token".into())));
        assert!(!judged(|answer| answer.token_type = Some("DPoP".into())));
    }
}
