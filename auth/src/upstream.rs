//! Where people prove who they are: GitHub, and any number of OpenID providers.
//!
//! An upstream's tokens are used while a person signs in and then dropped, unless a rule of the access
//! policy asks what changes while the person is away. None is ever passed on.

pub(crate) mod claims;
pub(crate) mod github;
pub(crate) mod http;
mod id_token;
pub(crate) mod openid;

use std::{fmt, sync::Arc};

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::{github::Github, openid::OpenIdProvider};
use crate::{
    access::facts::{Facts, Questions},
    config::{Config, ConfigError, GITHUB, OpenIdSetting},
    oauth::UpstreamSubject,
    storage::users::Profile,
};

/// Longest name or e-mail address of a person, in bytes. A longer one is no slip of a person, so the
/// answer is not what it should be.
const MAX_TEXT: usize = 1024;
/// Our code for GitHub's answer about a user whom it has suspended.
const SUSPENDED: &str = "account_suspended";
/// Most characters of an upstream's own words that are logged.
const MAX_LOGGED: usize = 200;

/// A person as an upstream knows them.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The upstream's own immutable identifier.
    pub(crate) subject: UpstreamSubject,
    pub(crate) profile: Profile,
    /// What the rules may ask about the person.
    pub(crate) facts: Facts,
    /// What to ask again with, if rules need that.
    pub(crate) credential: Option<Credential>,
}

/// What an upstream is asked with about a person who is away.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Credential {
    /// An access token without an end.
    AccessToken(String),
    /// A refresh token.
    RefreshToken(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// An upstream could not, or would not, say who the person is.
#[derive(Debug, Error)]
pub(crate) enum UpstreamError {
    /// No answer, or one that makes no sense.
    #[error("the upstream could not be reached: {0}")]
    Unreachable(String),
    /// It answered with a status that says no more.
    #[error("the upstream answered {0}")]
    Status(StatusCode),
    /// It answered with its error code.
    #[error("the upstream refused: {}", cut(.0).escape_debug())]
    Refused(String),
    /// It answered what nothing can be made of.
    #[error("the upstream's answer is not usable: {}", cut(.0))]
    Unusable(String),
    /// It no longer answers for the person: they or it withdrew what this server asks with.
    #[error("the upstream no longer answers for the person: {}", cut(.0).escape_debug())]
    Withdrawn(String),
    /// It answered, and the answer proves nothing.
    #[error("the upstream's answer was not believed: {0}")]
    Untrusted(String),
}

impl UpstreamError {
    /// Tells the end of what is asked with from a mistake of the operator: the one concerns one person, and
    /// the other must lock out none.
    fn of_absent(self) -> Self {
        match self {
            Self::Refused(code)
                if ["invalid_grant", "bad_refresh_token", SUSPENDED].contains(&code.as_str()) =>
            {
                Self::Withdrawn(code)
            }
            Self::Status(StatusCode::UNAUTHORIZED) => {
                Self::Withdrawn("the token is not accepted".into())
            }
            other => other,
        }
    }
}

/// The identifier by which an upstream knows a person, if it can be kept.
fn subject(text: &str) -> Result<UpstreamSubject, UpstreamError> {
    UpstreamSubject::parse(text).ok_or_else(|| {
        let why = "its identifier of the person is empty, longer than 256 bytes, or holds a \
                   control character";
        UpstreamError::Untrusted(why.into())
    })
}

/// The beginning of a text that may hold what an upstream sent, at any length.
fn cut(text: &str) -> String {
    text.chars().take(MAX_LOGGED).collect()
}

/// What a browser is sent to an upstream with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) state: &'a str,
    /// The PKCE challenge, S256.
    pub(crate) code_challenge: &'a str,
    /// Comes back in the ID token.
    pub(crate) nonce: &'a str,
    /// Whether the person must sign in again, even with a session there.
    pub(crate) reauthenticate: bool,
    /// Who the client believes it is.
    pub(crate) login_hint: Option<&'a str>,
}

/// What a browser came back with, and what it was sent with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) code: &'a str,
    /// Who says that it answers (RFC 9207).
    pub(crate) iss: Option<&'a str>,
    pub(crate) code_verifier: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) now: i64,
}

/// One place where people can sign in.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// Its name in paths and in `identities`.
    pub(crate) name: String,
    pub(crate) label: String,
    /// Whether a stand-in for development answers.
    pub(crate) stand_in: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Github(Github),
    OpenId(OpenIdProvider),
}

/// All places where people can sign in, in the order shown.
#[derive(Clone, Debug)]
pub(crate) struct Upstreams(Arc<[Upstream]>);

impl Upstreams {
    /// Those that the settings describe: GitHub first, then the file's in its order. Each is asked the
    /// `questions` that concern it.
    pub(crate) fn new(
        config: &Config,
        providers: Vec<OpenIdSetting>,
        questions: &Questions,
    ) -> Result<Self, ConfigError> {
        let mut all = Vec::new();
        if let Some(github) = Github::new(config, questions)? {
            all.push(Upstream {
                name: GITHUB.into(),
                label: "GitHub".into(),
                stand_in: config.uses_stand_in(),
                kind: Kind::Github(github),
            });
        }
        for setting in providers {
            all.push(Upstream {
                name: setting.name.clone(),
                label: setting.label.clone(),
                stand_in: false,
                kind: Kind::OpenId(OpenIdProvider::new(setting, &config.issuer, questions)?),
            });
        }
        Ok(Self(all.into()))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Upstream> {
        self.iter().find(|upstream| upstream.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Upstream> {
        self.0.iter()
    }
}

impl Upstream {
    /// Where the browser goes to sign in.
    pub(crate) async fn authorize_url(
        &self,
        request: Request<'_>,
        now: i64,
    ) -> Result<String, UpstreamError> {
        match &self.kind {
            Kind::Github(github) => Ok(github.authorize_url(request)),
            Kind::OpenId(provider) => provider.authorize_url(request, now).await,
        }
    }

    /// Whether rules ask what may change while a person is away.
    pub(crate) fn is_asked_again(&self) -> bool {
        match &self.kind {
            Kind::Github(github) => github.is_asked_again(),
            Kind::OpenId(provider) => provider.is_asked_again(),
        }
    }

    /// Asks about a person who is away.
    pub(crate) async fn ask_again(
        &self,
        credential: &Credential,
        subject: &str,
        now: i64,
    ) -> Result<Person, UpstreamError> {
        let person = match &self.kind {
            Kind::Github(github) => github.ask_again(credential, now).await,
            Kind::OpenId(provider) => provider.ask_again(credential, subject, now).await,
        };
        let person = person.map_err(UpstreamError::of_absent)?.checked()?;
        if person.subject.as_str() == subject {
            Ok(person)
        } else {
            Err(UpstreamError::Untrusted("the answer is about another person".into()))
        }
    }

    /// Exchanges an answer for the person behind it.
    pub(crate) async fn person(&self, answer: Answer<'_>) -> Result<Person, UpstreamError> {
        let person = match &self.kind {
            Kind::Github(github) => github.person(answer).await,
            Kind::OpenId(provider) => provider.person(answer).await,
        };
        person?.checked()
    }
}

impl Person {
    /// Refuses a person whose names no account could hold.
    fn checked(self) -> Result<Self, UpstreamError> {
        let Profile { name, preferred_username, verified_email, .. } = &self.profile;
        let lengths = [name, preferred_username, verified_email]
            .map(|text| text.as_ref().map_or(0, String::len));
        if let Some(length) = lengths.into_iter().find(|length| *length > MAX_TEXT) {
            let why = format!("a name or e-mail address of {length} bytes");
            return Err(UpstreamError::Unusable(why));
        }
        Ok(self)
    }
}
