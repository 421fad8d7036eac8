//! `GET /sign-in`
//!
//! The page with one button for each place where people can prove who they are.

pub mod callback;
pub mod link;
mod pending;
pub mod provider;

use axum::{
    extract::{RawQuery, State},
    response::Html,
};
use web::{
    Frame,
    sign_in::{ClientSummary, Provider, SignInNotice, SignInPage},
};

use super::authorize;
use crate::{
    error_response::PageError,
    oauth::{
        authorization_request::AuthorizationRequest,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    presentation,
    state::AppState,
    upstream::{Upstream, UpstreamError},
};

/// A place on this server to go on at, never another origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContinueTo(String);

impl ContinueTo {
    /// Accepts a path of this server; without one, it is the home page.
    pub fn parse(path: Option<&str>) -> Result<Self, OAuthError> {
        let path = path.unwrap_or("/");
        let safe = path.starts_with('/')
            && !path.starts_with("//")
            && !path.bytes().any(|b| b == b'\\' || b.is_ascii_control());
        match safe {
            true => Ok(Self(path.into())),
            false => Err(OAuthError::invalid_request(
                "continue_elsewhere",
                "The place to continue at is not on this server.",
            )),
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what comes next wants to know that it is still the same person.
    fn needs_fresh_sign_in(&self) -> bool {
        self.0 == "/account/delete"
    }

    /// The authorization request that goes on there, if it is one.
    async fn request(&self, state: &AppState) -> Option<AuthorizationRequest> {
        let query = self.0.strip_prefix("/authorize?")?;
        authorize::read(state, query).await.ok()
    }
}

/// Shows who asks, and where to sign in.
pub async fn get(
    State(state): State<AppState>,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Html<String>, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let continue_to = ContinueTo::parse(parameters.optional("continue")?)?;
    let client = continue_to.request(&state).await.map(|request| ClientSummary {
        name: request.client.name.clone(),
        client_host: presentation::asker(&request.client).host,
        redirect_host: request.target.shown_host(),
    });
    let page = SignInPage {
        client,
        providers: state.upstreams.iter().map(button).collect(),
        notice: continue_to.needs_fresh_sign_in().then_some(SignInNotice::Confirm),
        continue_to: continue_to.0,
        csrf: String::new(),
    };
    Ok(Html(page.render(&frame)))
}

fn button(upstream: &Upstream) -> Provider {
    Provider {
        label: upstream.label.clone(),
        action: format!("/sign-in/{}", upstream.name),
        stand_in: upstream.stand_in,
    }
}

/// The upstream that a path names.
fn upstream<'a>(state: &'a AppState, name: &str) -> Result<&'a Upstream, OAuthError> {
    state.upstreams.find(name).ok_or_else(|| {
        let description = "Nobody can sign in there. Choose a way to sign in from the list.";
        OAuthError::invalid_request("not_found", description)
    })
}

/// What an upstream's failure means for the person.
fn upstream_error(upstream: &Upstream, error: UpstreamError) -> OAuthError {
    let label = &upstream.label;
    match &error {
        UpstreamError::Unreachable(_) => OAuthError::new(
            ErrorCode::TemporarilyUnavailable,
            "upstream_unreachable",
            format!("{label} does not answer. Wait a moment, then go back and try again."),
        ),
        UpstreamError::Refused(_) => OAuthError::new(
            ErrorCode::AccessDenied,
            "upstream_refused",
            format!(
                "{label} did not accept the sign-in. Start again from the program that sent you \
                 here."
            ),
        ),
        UpstreamError::Untrusted(_) => OAuthError::new(
            ErrorCode::AccessDenied,
            "upstream_untrusted",
            format!(
                "What {label} answered does not prove who you are. Tell whoever runs this server."
            ),
        ),
    }
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::ContinueTo;

    #[test]
    fn only_a_path_of_this_server_is_continued_at() {
        assert!(ContinueTo::parse(Some("/authorize?a=b")).is_ok());
        assert!(ContinueTo::parse(None).is_ok());
        for path in ["//evil.test", "/\\evil.test", "https://evil.test", "evil", "/a\r\nb"] {
            assert_eq!(ContinueTo::parse(Some(path)).unwrap_err().reason, "continue_elsewhere");
        }
    }
}
