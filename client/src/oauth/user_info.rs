//! Aside: the name of the user who signed in, if the server tells it (OpenID Connect Core §5.3).
//!
//! The client never parses the access token, which is opaque to it (RFC 9068 §6).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{authorization_server_metadata::AuthorizationServerMetadata, dpop::AccessToken};
use crate::http::Fetch;

const USER_INFO_TIMEOUT: Duration = Duration::from_secs(5);

/// Who signed in (OpenID Connect Core §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preferred_username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
}

impl Person {
    /// The full name, or else the short name or the e-mail address.
    pub(crate) fn display_name(&self) -> Option<&str> {
        let Self { name, preferred_username, email } = self;
        name.as_deref().or(preferred_username.as_deref()).or(email.as_deref())
    }
}

/// The user whom the token is about. A failure is not an error: signing in does not depend on it.
pub(crate) async fn user_info(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    access_token: &AccessToken,
) -> Option<Person> {
    let endpoint = metadata.userinfo_endpoint()?;
    let headers = access_token.headers("GET", endpoint).ok()?;
    let request = fetch.get_with(endpoint, headers);
    let answer = tokio::time::timeout(USER_INFO_TIMEOUT, request).await.ok()?.ok()?;
    let person: Person = answer.status.is_success().then(|| answer.json().ok())??;
    person.display_name().is_some().then_some(person)
}
