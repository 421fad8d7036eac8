//! Sign-in with GitHub: an OAuth app, on github.com or on a GitHub Enterprise server.
//!
//! The numeric id is the identity. Names and addresses change hands; only verified e-mail
//! addresses are believed.

use reqwest::{Client, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Answer, Person, Request, UpstreamError,
    http::{self, object, objects},
    subject,
};
use crate::{
    config::{Config, GITHUB},
    storage::users::Profile,
};

#[derive(Clone, Debug)]
pub(crate) struct Github {
    base_url: Url,
    api_url: Url,
    client_id: String,
    client_secret: SecretString,
    redirect_uri: String,
    http: Client,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl Github {
    /// The app that the settings describe, if they do.
    pub(crate) fn new(config: &Config) -> Result<Option<Self>, reqwest::Error> {
        let (Some(client_id), Some(client_secret)) =
            (&config.github_client_id, &config.github_client_secret)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            base_url: config.github_base_url.clone(),
            api_url: config.github_api_url.clone(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            redirect_uri: format!("{}/sign-in/{GITHUB}/callback", config.issuer),
            http: http::client_for(&config.github_base_url)?,
        }))
    }

    pub(super) fn authorize_url(&self, request: Request<'_>) -> String {
        let mut url = below(&self.base_url, "login/oauth/authorize");
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "read:user user:email")
            .append_pair("state", request.state)
            .append_pair("code_challenge", request.code_challenge)
            .append_pair("code_challenge_method", "S256");
        if request.reauthenticate {
            query.append_pair("prompt", "select_account");
        }
        if let Some(hint) = request.login_hint {
            query.append_pair("login", hint);
        }
        drop(query);
        url.into()
    }

    /// Exchanges the code for the person behind it. The upstream token is used here and dropped.
    pub(super) async fn person(&self, answer: Answer<'_>) -> Result<Person, UpstreamError> {
        let token = self.token(answer).await?;
        let user: User = object(self.get("user", &token)).await?;
        if user.id < 1 {
            let why = format!("the id {} of a user is not positive", user.id);
            return Err(UpstreamError::Unusable(why));
        }
        let emails = self.emails(&token).await?;
        let verified = |email: &&Email| email.verified;
        let email = emails.iter().filter(verified).max_by_key(|email| email.primary);
        Ok(Person {
            subject: subject(&user.id.to_string())?,
            profile: Profile {
                name: user.name.filter(|name| !name.trim().is_empty()),
                preferred_username: Some(user.login),
                picture: user.avatar_url,
                verified_email: email.map(|email| email.email.clone()),
            },
        })
    }

    async fn token(&self, answer: Answer<'_>) -> Result<String, UpstreamError> {
        let form = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose_secret()),
            ("code", answer.code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", answer.code_verifier),
        ];
        let url = below(&self.base_url, "login/oauth/access_token");
        let answer: TokenAnswer = object(self.http.post(url).form(&form)).await?;
        Ok(answer.access_token)
    }

    /// The addresses of the user. A GitHub App that was not given the permission to read them gets 403
    /// or 404; people can sign in all the same, without an address.
    async fn emails(&self, token: &str) -> Result<Vec<Email>, UpstreamError> {
        let emails = objects(self.get("user/emails", token)).await;
        match emails {
            Err(UpstreamError::Status(
                status @ (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
            )) => {
                tracing::error!(
                    %status,
                    "GitHub lets this app read no e-mail addresses, so people sign in without one; give \
                     the app the account permission \"Email addresses: read-only\""
                );
                Ok(Vec::new())
            }
            emails => emails,
        }
    }

    fn get(&self, path: &str, token: &str) -> RequestBuilder {
        self.http.get(below(&self.api_url, path)).bearer_auth(token)
    }
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    url
}
