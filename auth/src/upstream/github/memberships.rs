//! The organisations and teams that a person belongs to, asked with the person's own token, so that private
//! memberships count too.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde::Deserialize;

use super::{
    super::{
        UpstreamError, cut,
        http::{self, Reply},
    },
    Github,
};

/// Requests under way at once for one person.
const MAX_CONCURRENT_REQUESTS: usize = 8;
/// What GitHub answers where the owners of an organisation have not approved this app.
const APP_RESTRICTIONS: &str = "OAuth App access restrictions";

#[derive(Deserialize)]
struct Membership {
    /// `active`, or `pending` for an invitation that was not accepted.
    state: String,
}

impl Github {
    /// The organisations and teams asked about that the person is an active member of.
    pub(super) async fn memberships(
        &self,
        token: &str,
        login: &str,
    ) -> Result<BTreeSet<String>, UpstreamError> {
        // No closure makes the requests: the compiler could not tell that such a future is `Send`.
        let mut asked = Vec::new();
        for place in self.asked.iter() {
            asked.push(self.membership(place, token, login));
        }
        let answers = stream::iter(asked).buffer_unordered(MAX_CONCURRENT_REQUESTS);
        let answers: Vec<Option<String>> = answers.try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// `place`, an organisation or `organisation/team`, if the person is an active member of it.
    async fn membership(
        &self,
        place: &str,
        token: &str,
        login: &str,
    ) -> Result<Option<String>, UpstreamError> {
        Ok(self.is_member(place, token, login).await?.then(|| place.into()))
    }

    /// Whether the person is an active member of `place`.
    async fn is_member(
        &self,
        place: &str,
        token: &str,
        login: &str,
    ) -> Result<bool, UpstreamError> {
        let request = match place.split_once('/') {
            None => self.get(&["user", "memberships", "orgs", place], token),
            Some((organisation, team)) => {
                self.get(&["orgs", organisation, "teams", team, "memberships", login], token)
            }
        };
        let reply = http::send(request).await?;
        reply.check_limits()?;
        match reply.status {
            status if status.is_success() => {
                Ok(reply.into_object::<Membership>()?.state == "active")
            }
            StatusCode::NOT_FOUND => Ok(false),
            StatusCode::FORBIDDEN if is_hidden(place, &reply) => Ok(false),
            status => {
                let why = cut(reply.message());
                tracing::error!(
                    place, %status, why,
                    "GitHub does not say whether a person is a member; a GitHub App needs the organisation \
                     permission \"Members: read-only\""
                );
                Err(UpstreamError::Status(status))
            }
        }
    }
}

/// Whether the organisation hides its members from this app. Then none of them counts as one, until its
/// owner does what the log says.
fn is_hidden(place: &str, reply: &Reply) -> bool {
    let todo = if reply.headers.contains_key("x-github-sso") {
        "it demands single sign-on: members must sign in at it by SAML before they sign in here, and \
         authorize this app there"
    } else if reply.message().contains(APP_RESTRICTIONS) {
        "an owner of it must approve this app under Settings, Third-party Access, OAuth app policy"
    } else {
        return false;
    };
    tracing::error!(
        place,
        todo,
        "the organisation hides its members, so a person is not taken for one"
    );
    true
}
