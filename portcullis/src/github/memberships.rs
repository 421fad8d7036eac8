//! Organisations and teams of the stand-in. Every membership is private: only the user's own token shows it.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{StandIn, refusal};

/// What a user is in an organisation or team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Active,
    /// Invited, and the invitation was not accepted.
    Pending,
    None,
}

/// Why an organisation hides its members from this app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// It demands single sign-on, and the token was not authorized for it.
    SingleSignOn,
    /// Its owners have not approved the app.
    AppNotApproved,
}

impl StandIn {
    /// Puts a user into an organisation or, as `organisation/team`, into a team, or takes them out.
    pub fn set_membership(&self, login: &str, place: &str, membership: Membership) {
        let key = (login.to_owned(), place.to_owned());
        self.with(|inner| inner.memberships.insert(key, membership));
    }

    /// Makes an organisation hide its members from this app, or ends that.
    pub fn restrict(&self, organisation: &str, restriction: Option<Restriction>) {
        self.with(|inner| {
            inner.restrictions.remove(organisation);
            inner.restrictions.extend(restriction.map(|it| (organisation.to_owned(), it)));
        });
    }

    fn membership(&self, headers: &HeaderMap, place: &str, login: Option<&str>) -> Response {
        let authorized = match self.authorized(headers) {
            Ok(authorized) => authorized,
            Err((status, message)) => return refusal(status, message),
        };
        if !authorized.scope.split(' ').any(|scope| scope == "read:org") {
            let message =
                "You need at least read:org scope or user scope to list your organizations.";
            return refusal(StatusCode::FORBIDDEN, message);
        }
        let organisation = place.split('/').next().unwrap_or_default();
        match self.with(|inner| inner.restrictions.get(organisation).copied()) {
            Some(Restriction::SingleSignOn) => {
                let message = "Resource protected by organization SAML enforcement. You must grant \
                    your OAuth token access to this organization.";
                let header = format!("required; url=https://github.com/orgs/{organisation}/sso");
                let mut answer = refusal(StatusCode::FORBIDDEN, message);
                if let Ok(header) = header.parse() {
                    answer.headers_mut().insert("x-github-sso", header);
                }
                return answer;
            }
            Some(Restriction::AppNotApproved) => {
                let message = format!(
                    "Although you appear to have the correct authorization credentials, the \
                     `{organisation}` organization has enabled OAuth App access restrictions, meaning \
                     that data access to third-parties is limited."
                );
                return refusal(StatusCode::FORBIDDEN, &message);
            }
            None => {}
        }
        let key = (login.unwrap_or(&authorized.user.login).to_owned(), place.to_owned());
        let state = match self.with(|inner| inner.memberships.get(&key).copied()) {
            Some(Membership::Active) => "active",
            Some(Membership::Pending) => "pending",
            Some(Membership::None) | None => return refusal(StatusCode::NOT_FOUND, "Not Found"),
        };
        Json(json!({"state": state, "role": "member"})).into_response()
    }
}

/// `GET /user/memberships/orgs/{organisation}`
pub(super) async fn of_organisation(
    State(stand_in): State<StandIn>,
    Path(organisation): Path<String>,
    headers: HeaderMap,
) -> Response {
    stand_in.membership(&headers, &organisation.to_lowercase(), None)
}

/// `GET /orgs/{organisation}/teams/{team}/memberships/{login}`
pub(super) async fn of_team(
    State(stand_in): State<StandIn>,
    Path((organisation, team, login)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let place = format!("{organisation}/{team}").to_lowercase();
    stand_in.membership(&headers, &place, Some(&login))
}
