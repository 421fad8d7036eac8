//! Sign-in with an OpenID provider: discovery, code with PKCE and nonce, a verified ID token
//! (OpenID Connect Core §3.1, Discovery §4, RFC 9207).

use std::sync::Arc;

use keys::{PublishedKeys, UnverifiedToken, lenient};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::{
    Answer, Credential, Person, Request, UpstreamError,
    claims::AskedClaims,
    http::{self, object},
    id_token::{Claims, ProfileClaims},
    subject,
};
use crate::{
    access::facts::{Facts, Questions},
    config::OpenIdSetting,
    oauth::foreign_text::clean_address,
    storage::users::Profile,
};

/// Seconds that metadata and keys are used before they are fetched again.
const CACHE_TTL: i64 = 3600;
/// Fewest seconds between two fetches of keys for the sake of an unknown one.
const KEY_FETCH_INTERVAL: i64 = 10;
const NO_ID_TOKEN: &str = "it sent no ID token";

/// An OpenID provider. Clones share what has been fetched.
#[derive(Clone, Debug)]
pub(crate) struct OpenIdProvider {
    setting: Arc<OpenIdSetting>,
    redirect_uri: String,
    http: Client,
    asked: Arc<AskedClaims>,
    known: Arc<Mutex<Known>>,
}

/// What has been fetched, and when. One fetch at a time: a request that waits finds it done.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(i64, Arc<Metadata>)>,
    keys: Option<(i64, Arc<PublishedKeys>)>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    // What can be done without is absent if it is anything else.
    #[serde(default, deserialize_with = "lenient")]
    userinfo_endpoint: Option<Url>,
    #[serde(default, deserialize_with = "lenient")]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    authorization_response_iss_parameter_supported: Option<bool>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    /// Always there after a sign-in, and at the provider's choice after a refresh.
    id_token: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    refresh_token: Option<String>,
}

impl OpenIdProvider {
    pub(crate) fn new(
        setting: OpenIdSetting,
        issuer: &str,
        questions: &Questions,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            redirect_uri: format!("{issuer}/sign-in/{}/callback", setting.name),
            http: http::client_for(&setting.issuer_url)?,
            asked: Arc::new(AskedClaims::new(&setting.name, questions)),
            setting: Arc::new(setting),
            known: Arc::default(),
        })
    }

    pub(super) async fn authorize_url(
        &self,
        request: Request<'_>,
        now: i64,
    ) -> Result<String, UpstreamError> {
        let mut url = self.metadata(now).await?.authorization_endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.setting.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.setting.scope)
            .append_pair("state", request.state)
            .append_pair("nonce", request.nonce)
            .append_pair("code_challenge", request.code_challenge)
            .append_pair("code_challenge_method", "S256");
        if request.reauthenticate {
            query.append_pair("prompt", "login");
        }
        if let Some(hint) = request.login_hint {
            query.append_pair("login_hint", hint);
        }
        drop(query);
        Ok(url.into())
    }

    /// Exchanges the code, and believes the ID token only after every check.
    pub(super) async fn person(&self, answer: Answer<'_>) -> Result<Person, UpstreamError> {
        let metadata = self.metadata(answer.now).await?;
        check_issuer(&metadata, answer.iss)?;
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", answer.code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", answer.code_verifier),
        ];
        let tokens = self.tokens(&metadata, &grant).await?;
        let id_token = tokens.id_token.as_deref();
        let id_token = id_token.ok_or_else(|| UpstreamError::Unusable(NO_ID_TOKEN.into()))?;
        let (members, claims) = self.verified(&metadata, id_token, answer.now).await?;
        let algorithm = UnverifiedToken::parse(id_token)
            .and_then(|token| token.algorithm())
            .map_err(|error| untrusted(&error))?;
        claims
            .judge(&self.setting, &answer, &tokens.access_token, algorithm)
            .map_err(|why| UpstreamError::Untrusted(why.into()))?;
        self.describe(&metadata, tokens, members, answer.now).await
    }

    /// Whether rules ask what may change while a person is away.
    pub(super) fn is_asked_again(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Asks again with a refresh token (OpenID Connect Core §12).
    pub(super) async fn ask_again(
        &self,
        credential: &Credential,
        subject: &str,
        now: i64,
    ) -> Result<Person, UpstreamError> {
        let (Credential::RefreshToken(token) | Credential::AccessToken(token)) = credential;
        let metadata = self.metadata(now).await?;
        let grant = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let mut tokens = self.tokens(&metadata, &grant).await?;
        // Without a new refresh token, the old one goes on.
        tokens.refresh_token.get_or_insert_with(|| token.clone());
        let members = match &tokens.id_token {
            Some(id_token) => {
                let (members, claims) = self.verified(&metadata, id_token, now).await?;
                let judged = claims.judge_party(&self.setting, now);
                judged.map_err(|why| UpstreamError::Untrusted(why.into()))?;
                members
            }
            None if metadata.userinfo_endpoint.is_none() => {
                return Err(UpstreamError::Unusable(NO_ID_TOKEN.into()));
            }
            // Userinfo must name the same person.
            None => Map::from_iter([("sub".to_owned(), subject.into())]),
        };
        self.describe(&metadata, tokens, members, now).await
    }

    /// The members of an ID token whose signature is good, and its claims.
    async fn verified(
        &self,
        metadata: &Metadata,
        id_token: &str,
        now: i64,
    ) -> Result<(Map<String, Value>, Claims), UpstreamError> {
        let keys = self.keys(metadata, id_token, now).await?;
        let members: Map<String, Value> = keys
            .verify(id_token, |typ| matches!(typ, None | Some("jwt")))
            .map_err(|error| untrusted(&error))?;
        let claims = parsed(&members)
            .map_err(|error| untrusted(&format!("the ID token does not parse: {error}")))?;
        Ok((members, claims))
    }

    /// The person of an ID token, and of userinfo where the token lacks something.
    async fn describe(
        &self,
        metadata: &Metadata,
        tokens: Tokens,
        token: Map<String, Value>,
        now: i64,
    ) -> Result<Person, UpstreamError> {
        let sub = token.get("sub").and_then(Value::as_str).unwrap_or_default();
        let has_email = token.get("email").is_some_and(Value::is_string);
        let info = match &metadata.userinfo_endpoint {
            Some(endpoint) if !has_email || self.asked.are_missing_from(&token) => {
                self.user_info(endpoint, &tokens, sub).await?
            }
            _ => Map::new(),
        };
        let source = if has_email || info.is_empty() { &token } else { &info };
        let profile: ProfileClaims =
            parsed(source).map_err(|error| UpstreamError::Unusable(error.to_string()))?;
        let facts = Facts {
            // Elsewhere than at GitHub people may call themselves what they like.
            login: None,
            verified_emails: verified_address(&profile).into_iter().collect(),
            claims: self.asked.read(&[&token, &info]),
            asked_at: now,
            ..Facts::default()
        };
        let verified_email = profile.verified_email();
        let ProfileClaims { name, preferred_username, picture, .. } = profile;
        let name = name.filter(|name| !name.trim().is_empty());
        let profile = Profile { name, preferred_username, picture, verified_email };
        let credential = tokens.refresh_token.filter(|_| self.is_asked_again());
        let credential = credential.map(Credential::RefreshToken);
        Ok(Person { subject: subject(sub)?, profile, facts, credential })
    }

    async fn tokens(
        &self,
        metadata: &Metadata,
        grant: &[(&str, &str)],
    ) -> Result<Tokens, UpstreamError> {
        let secret = self.setting.client_secret.expose_secret();
        let client_id = self.setting.client_id.as_str();
        let mut form = grant.to_vec();
        let request = self.http.post(metadata.token_endpoint.clone());
        let request = if metadata.wants_secret_in_body() {
            form.extend([("client_id", client_id), ("client_secret", secret)]);
            request
        } else {
            // Both parts are form-encoded first (RFC 6749 §2.3.1).
            request.basic_auth(encoded(client_id), Some(encoded(secret)))
        };
        object(request.form(&form)).await
    }

    /// Who is described must be whom the ID token names (OpenID Connect Core §5.3.2).
    async fn user_info(
        &self,
        endpoint: &Url,
        tokens: &Tokens,
        subject: &str,
    ) -> Result<Map<String, Value>, UpstreamError> {
        let request = self.http.get(endpoint.clone()).bearer_auth(&tokens.access_token);
        let info: Map<String, Value> = object(request).await?;
        if info.get("sub").and_then(Value::as_str) == Some(subject) {
            Ok(info)
        } else {
            Err(UpstreamError::Untrusted("userinfo describes somebody else".into()))
        }
    }

    async fn metadata(&self, now: i64) -> Result<Arc<Metadata>, UpstreamError> {
        let mut known = self.known.lock().await;
        if let Some((fetched_at, metadata)) = &known.metadata
            && now < fetched_at + CACHE_TTL
        {
            return Ok(metadata.clone());
        }
        let issuer = self.setting.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let metadata: Metadata = object(self.http.get(url)).await?;
        if metadata.issuer != self.setting.issuer {
            let why = format!("its metadata is of the issuer {:?}", metadata.issuer);
            return Err(UpstreamError::Untrusted(why));
        }
        let metadata = Arc::new(metadata);
        known.metadata = Some((now, metadata.clone()));
        Ok(metadata)
    }

    /// The provider's keys, fetched again when none of them could have signed `token`.
    async fn keys(
        &self,
        metadata: &Metadata,
        token: &str,
        now: i64,
    ) -> Result<Arc<PublishedKeys>, UpstreamError> {
        let mut known = self.known.lock().await;
        if let Some((fetched_at, keys)) = &known.keys {
            let fits = keys.may_verify(token).map_err(|error| untrusted(&error))?;
            let age = now - fetched_at;
            if fits && age < CACHE_TTL || !fits && age < KEY_FETCH_INTERVAL {
                return Ok(keys.clone());
            }
        }
        let response = self.http.get(metadata.jwks_uri.clone()).send().await;
        let response = response.and_then(|response| response.error_for_status());
        let body = http::read(response.map_err(http::unreachable)?).await?;
        let keys = PublishedKeys::from_json(&body).map_err(|error| untrusted(&error))?;
        let keys = Arc::new(keys);
        known.keys = Some((now, keys.clone()));
        Ok(keys)
    }
}

impl Metadata {
    /// `client_secret_basic` is the default, and what is sent unless only the other is accepted.
    fn wants_secret_in_body(&self) -> bool {
        self.token_endpoint_auth_methods_supported.as_ref().is_some_and(|methods| {
            let has = |name: &str| methods.iter().any(|method| method == name);
            has("client_secret_post") && !has("client_secret_basic")
        })
    }
}

/// An answer that another issuer gave must not be taken to this one (RFC 9207 §2.4).
fn check_issuer(metadata: &Metadata, iss: Option<&str>) -> Result<(), UpstreamError> {
    let required = metadata.authorization_response_iss_parameter_supported == Some(true);
    match iss {
        None if required => Err(UpstreamError::Untrusted("its answer names no issuer".into())),
        Some(iss) if iss != metadata.issuer => {
            Err(UpstreamError::Untrusted("the answer is of another issuer".into()))
        }
        _ => Ok(()),
    }
}

fn parsed<T: DeserializeOwned>(claims: &Map<String, Value>) -> serde_json::Result<T> {
    serde_json::from_value(Value::Object(claims.clone()))
}

/// The verified address as rules know it.
fn verified_address(profile: &ProfileClaims) -> Option<String> {
    profile.verified_email().and_then(|address| clean_address(address.to_lowercase()))
}

fn untrusted(error: &dyn std::fmt::Display) -> UpstreamError {
    UpstreamError::Untrusted(error.to_string())
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
