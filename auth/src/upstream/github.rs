//! Sign-in with GitHub: an OAuth app, on github.com or on a GitHub Enterprise server.
//!
//! The numeric id is the identity. Names and addresses change hands; only verified e-mail
//! addresses are believed.

mod memberships;

use std::{collections::BTreeSet, sync::Arc};

use keys::lenient;
use reqwest::{Client, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Answer, Credential, Person, Request, UpstreamError,
    http::{self, object, objects},
    subject,
};
use crate::{
    access::facts::{Facts, Questions},
    config::{Config, GITHUB},
    oauth::foreign_text::{clean_address, is_identifier},
    storage::users::Profile,
};

/// What sign-in asks for.
const SCOPE: &str = "read:user user:email";
/// The same where a rule needs to know organisations or teams.
const SCOPE_WITH_MEMBERSHIPS: &str = "read:user user:email read:org";

#[derive(Clone, Debug)]
pub(crate) struct Github {
    base_url: Url,
    api_url: Url,
    client_id: String,
    client_secret: SecretString,
    redirect_uri: String,
    http: Client,
    /// Organisations, and teams as `organisation/team`, that rules ask about.
    asked: Arc<BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    /// A GitHub App whose tokens expire gets one, an OAuth app does not.
    #[serde(default, deserialize_with = "lenient")]
    refresh_token: Option<String>,
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
    pub(crate) fn new(
        config: &Config,
        questions: &Questions,
    ) -> Result<Option<Self>, reqwest::Error> {
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
            asked: Arc::new(&questions.organisations | &questions.teams),
        }))
    }

    pub(super) fn authorize_url(&self, request: Request<'_>) -> String {
        let scope = if self.asked.is_empty() { SCOPE } else { SCOPE_WITH_MEMBERSHIPS };
        let mut url = below(&self.base_url, &["login", "oauth", "authorize"]);
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", scope)
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

    /// Exchanges the code for the person behind it.
    pub(super) async fn person(&self, answer: Answer<'_>) -> Result<Person, UpstreamError> {
        let form = [
            ("code", answer.code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", answer.code_verifier),
        ];
        self.person_of(self.tokens(&form).await?, answer.now).await
    }

    /// Whether rules ask what may change while a person is away.
    pub(super) fn is_asked_again(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(super) async fn ask_again(
        &self,
        credential: &Credential,
        now: i64,
    ) -> Result<Person, UpstreamError> {
        let tokens = match credential {
            Credential::AccessToken(token) => {
                Tokens { access_token: token.clone(), refresh_token: None }
            }
            Credential::RefreshToken(token) => {
                let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
                self.tokens(&form).await?
            }
        };
        self.person_of(tokens, now).await
    }

    /// The person whom the tokens speak for. They are dropped here, unless rules need them again.
    async fn person_of(&self, tokens: Tokens, now: i64) -> Result<Person, UpstreamError> {
        let token = tokens.access_token;
        let user: User = object(self.get(&["user"], &token)).await?;
        if user.id < 1 {
            let why = format!("the id {} of a user is not positive", user.id);
            return Err(UpstreamError::Unusable(why));
        }
        let mut emails = self.emails(&token).await?;
        emails.retain(|email| email.verified);
        let email = emails.iter().max_by_key(|email| email.primary);
        let memberships = self.memberships(&token, &user.login).await?;
        let (teams, organisations) = memberships.into_iter().partition(|it| it.contains('/'));
        let facts = Facts {
            login: Some(user.login.to_lowercase()).filter(|login| is_identifier(login)),
            verified_emails: emails.iter().filter_map(Email::address).collect(),
            organisations,
            teams,
            asked_at: now,
            ..Facts::default()
        };
        let credential = match tokens.refresh_token {
            Some(token) => Credential::RefreshToken(token),
            None => Credential::AccessToken(token),
        };
        Ok(Person {
            subject: subject(&user.id.to_string())?,
            facts,
            credential: self.is_asked_again().then_some(credential),
            profile: Profile {
                name: user.name.filter(|name| !name.trim().is_empty()),
                preferred_username: Some(user.login),
                picture: user.avatar_url,
                verified_email: email.map(|email| email.email.clone()),
            },
        })
    }

    async fn tokens(&self, grant: &[(&str, &str)]) -> Result<Tokens, UpstreamError> {
        let client = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose_secret()),
        ];
        let url = below(&self.base_url, &["login", "oauth", "access_token"]);
        object(self.http.post(url).form(&[&client[..], grant].concat())).await
    }

    /// The addresses of the user. A GitHub App that was not given the permission to read them gets 403
    /// or 404; people can sign in all the same, without an address.
    async fn emails(&self, token: &str) -> Result<Vec<Email>, UpstreamError> {
        // More than anyone has verified; GitHub sends only 30 unless it is asked for more.
        let request = self.get(&["user", "emails"], token).query(&[("per_page", "100")]);
        let emails = objects(request).await;
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

    fn get(&self, path: &[&str], token: &str) -> RequestBuilder {
        self.http.get(below(&self.api_url, path)).bearer_auth(token)
    }
}

impl Email {
    /// The address as rules know it.
    fn address(&self) -> Option<String> {
        clean_address(self.email.to_lowercase())
    }
}

/// A URL below `base`. Each segment is encoded, so that a name cannot lead elsewhere.
fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
