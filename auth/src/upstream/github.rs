//! Sign-in with GitHub: an OAuth app, on github.com or on a GitHub Enterprise server.
//!
//! The numeric id is the identity. Names and addresses change hands; only verified e-mail
//! addresses are believed.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, header::ACCEPT, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;
use url::Url;

use crate::{config::Config, oauth::resource::is_loopback, storage::users::Profile};

/// The provider's name in `identities`.
pub const PROVIDER: &str = "github";

/// A GitHub OAuth app.
#[derive(Clone, Debug)]
pub struct Github {
    base_url: Url,
    api_url: Url,
    client_id: String,
    client_secret: SecretString,
    redirect_uri: String,
    http: Client,
}

/// GitHub could not, or would not, say who the person is.
#[derive(Debug, Error)]
pub enum GithubError {
    /// No answer, or one that makes no sense.
    #[error("GitHub could not be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// GitHub answered with its error code.
    #[error("GitHub refused: {0}")]
    Refused(String),
}

/// A person as GitHub knows them.
#[derive(Clone, Debug)]
pub struct Person {
    /// The numeric id.
    pub subject: String,
    /// Everything else.
    pub profile: Profile,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
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
    /// The app that the settings describe.
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let mut http = Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10));
        if is_loopback(&config.github_base_url) {
            http = http.no_proxy();
        }
        Ok(Self {
            base_url: config.github_base_url.clone(),
            api_url: config.github_api_url.clone(),
            client_id: config.github_client_id.clone(),
            client_secret: config.github_client_secret.clone(),
            redirect_uri: format!("{}/sign-in/github/callback", config.issuer),
            http: http.build()?,
        })
    }

    /// Where the browser goes to sign in.
    pub fn authorize_url(&self, state: &str, code_challenge: &str) -> String {
        let mut url = below(&self.base_url, "login/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "read:user user:email")
            .append_pair("state", state)
            .append_pair("code_challenge", code_challenge)
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    /// Exchanges the code for the person behind it. The upstream token is used here and dropped.
    pub async fn person(&self, code: &str, code_verifier: &str) -> Result<Person, GithubError> {
        let token = self.token(code, code_verifier).await?;
        let user: User = self.get("user", &token).await?;
        let emails: Vec<Email> = self.get("user/emails", &token).await?;
        let verified = |email: &&Email| email.verified;
        let email = emails.iter().filter(verified).max_by_key(|email| email.primary);
        Ok(Person {
            subject: user.id.to_string(),
            profile: Profile {
                name: user.name.filter(|name| !name.trim().is_empty()),
                preferred_username: Some(user.login),
                picture: user.avatar_url,
                verified_email: email.map(|email| email.email.clone()),
            },
        })
    }

    async fn token(&self, code: &str, code_verifier: &str) -> Result<String, GithubError> {
        let form = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose_secret()),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", code_verifier),
        ];
        let url = below(&self.base_url, "login/oauth/access_token");
        let answer: TokenAnswer = fetch(self.http.post(url).form(&form)).await?;
        let refused = || GithubError::Refused(answer.error.unwrap_or("no access token".into()));
        answer.access_token.ok_or_else(refused)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, GithubError> {
        Ok(fetch(self.http.get(below(&self.api_url, path)).bearer_auth(token)).await?)
    }
}

async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, reqwest::Error> {
    let answer = request.header(ACCEPT, "application/json").send().await?.error_for_status()?;
    answer.json().await
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    url
}
