//! `GET /sign-in`
//!
//! The page with one button for each place where people can prove who they are.

pub mod callback;
pub mod link;
mod pending;
pub mod provider;

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Html,
};
use web::{
    Frame,
    sign_in::{ClientSummary, Provider, SignInNotice, SignInPage},
};

use super::authorize;
use crate::{
    error_response::PageError,
    extract::{continue_to::ContinueTo, visitor::Visitor},
    oauth::{
        authorization_request::AuthorizationRequest,
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
    },
    presentation,
    state::AppState,
    upstream::{Upstream, UpstreamError},
};

/// Shows who asks, and where to sign in.
pub async fn get(
    State(state): State<AppState>,
    (visitor, frame): (Visitor, Frame),
    RawQuery(query): RawQuery,
) -> Result<Html<String>, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let continue_to = ContinueTo::parse(parameters.optional("continue")?)?;
    let client =
        waiting_request(&state, &continue_to, &visitor).await.map(|request| ClientSummary {
            name: request.client.metadata.client_name.clone(),
            client_host: presentation::asker(&request.client).host,
            redirect_host: request.target.shown_host(),
        });
    let page = SignInPage {
        client,
        providers: state.upstreams.iter().map(button).collect(),
        notice: needs_fresh_sign_in(&continue_to).then_some(SignInNotice::Confirm),
        continue_to: continue_to.into(),
        csrf: String::new(),
    };
    Ok(Html(page.render(&frame)))
}

/// Whether what comes next wants to know that it is still the same person.
fn needs_fresh_sign_in(continue_to: &ContinueTo) -> bool {
    ["/account/delete", "/account#identities"].contains(&continue_to.as_str())
}

/// The authorization request that waits for the sign-in, if one does.
async fn waiting_request(
    state: &AppState,
    continue_to: &ContinueTo,
    visitor: &Visitor,
) -> Option<AuthorizationRequest> {
    let query = continue_to.as_str().strip_prefix("/authorize?")?;
    authorize::read(state, query, visitor).await.ok()
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
        OAuthError::invalid_request("not_found", description).kind(RefusalKind::NotFound)
    })
}

fn silent(label: &str) -> OAuthError {
    OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "upstream_unreachable",
        format!("{label} does not answer. Wait a moment, then go back and try again."),
    )
    .kind(RefusalKind::UpstreamSilent)
}

fn declined(label: &str) -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "upstream_denied",
        format!("{label} did not sign you in. If you declined there, start again and accept."),
    )
    .kind(RefusalKind::Declined)
}

/// Whether a status says that another try may succeed. A wall before an upstream answers 403 to what
/// it takes for a robot.
fn is_outage(status: StatusCode) -> bool {
    matches!(status.as_u16(), 403 | 408 | 425 | 429 | 500..=599)
}

/// What an upstream's failure means for the person. Only `access_denied` is their own no; all else
/// that an upstream refuses is a matter of how this server is set up there.
fn upstream_error(upstream: &Upstream, error: UpstreamError) -> OAuthError {
    let label = &upstream.label;
    match &error {
        UpstreamError::Unreachable(_) => silent(label),
        UpstreamError::Status(status) if is_outage(*status) => silent(label),
        UpstreamError::Refused(code) if code == "access_denied" => declined(label),
        UpstreamError::Refused(_) | UpstreamError::Status(_) => OAuthError::new(
            ErrorCode::ServerError,
            "upstream_refused",
            format!(
                "{label} did not accept what this server asked. Tell whoever runs this server; it \
                 is not your mistake."
            ),
        )
        .kind(RefusalKind::UpstreamFault),
        UpstreamError::Unusable(_) => OAuthError::new(
            ErrorCode::ServerError,
            "upstream_unusable",
            format!(
                "{label} sent an answer that this server cannot use. Tell whoever runs this server; \
                 it is not your mistake."
            ),
        )
        .kind(RefusalKind::UpstreamFault),
        UpstreamError::Untrusted(_) => OAuthError::new(
            ErrorCode::AccessDenied,
            "upstream_untrusted",
            format!(
                "What {label} answered does not prove who you are. Tell whoever runs this server."
            ),
        )
        .kind(RefusalKind::UpstreamFault),
    }
    .because(error)
}
