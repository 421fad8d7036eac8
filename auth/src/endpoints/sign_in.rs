//! `GET /sign-in`
//!
//! The page with one button for each place where people can prove who they are.

pub(crate) mod callback;
pub(super) mod continue_to;
pub(crate) mod link;
mod pending;
pub(crate) mod provider;

use axum::{extract::State, http::StatusCode, response::Html};
use web::{
    Frame,
    error::ErrorKind,
    sign_in::{ClientSummary, Provider, SignInNotice, SignInPage},
};

use self::continue_to::ContinueTo;
use super::authorize;
use crate::{
    error_response::PageError,
    extract::{Query, Visitor},
    oauth::{AuthorizationRequest, OAuthError, Parameters},
    presentation,
    state::AppState,
    upstream::{Upstream, UpstreamError},
};

/// Shows who asks, and where to sign in.
pub(crate) async fn get(
    State(state): State<AppState>,
    visitor: Visitor,
    frame: Frame,
    Query(parameters): Query,
) -> Result<Html<String>, PageError> {
    let continue_to = ContinueTo::parse(parameters.optional("continue")?)?;
    let client =
        waiting_request(&state, &continue_to, &visitor).await.map(|request| ClientSummary {
            name: request.client.metadata.client_name.clone(),
            client_host: presentation::client_details(&request.client).host,
            redirect_host: request.target.shown_host(),
        });
    let page = SignInPage {
        client,
        providers: state.upstreams.iter().map(button).collect(),
        notice: needs_fresh_sign_in(&continue_to).then_some(SignInNotice::Confirm),
        continue_to: continue_to.as_str().into(),
        another_account: wants_another_account(&parameters)?,
    };
    Ok(Html(page.render(&frame)))
}

/// Whether the person said that they are someone else than the upstream takes them for.
fn wants_another_account(parameters: &Parameters) -> Result<bool, OAuthError> {
    Ok(parameters.optional("account")? == Some("another"))
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

fn upstream<'a>(state: &'a AppState, name: &str) -> Result<&'a Upstream, PageError> {
    state.upstreams.find(name).ok_or_else(|| {
        PageError::new(
            ErrorKind::NotFound,
            "not_found",
            "There is no such way to sign in. Choose one from the list.",
        )
    })
}

/// Whether a status says that another try may succeed. A firewall in front of an upstream answers
/// 403 to what it takes for a robot.
fn is_outage(status: StatusCode) -> bool {
    matches!(status.as_u16(), 403 | 408 | 425 | 429 | 500..=599)
}

/// What an upstream's failure means for the person. Only `access_denied` is their own no; all else
/// that an upstream refuses is a matter of how this server is set up there.
fn upstream_error(upstream: &Upstream, error: UpstreamError) -> PageError {
    let label = &upstream.label;
    match &error {
        UpstreamError::Unreachable(_) => silent(label),
        UpstreamError::Status(status) if is_outage(*status) => silent(label),
        UpstreamError::Refused(code) if code == "access_denied" => PageError::new(
            ErrorKind::Declined,
            "upstream_denied",
            format!("{label} did not sign you in. If you declined there, start again and accept."),
        ),
        UpstreamError::Refused(_) | UpstreamError::Withdrawn(_) | UpstreamError::Status(_) => PageError::new(
            ErrorKind::ProviderFault,
            "upstream_refused",
            format!(
                "{label} did not accept what this server asked. Tell whoever runs this server; it \
                 is not your mistake."
            ),
        ),
        UpstreamError::Unusable(_) => PageError::new(
            ErrorKind::ProviderFault,
            "upstream_unusable",
            format!(
                "{label} sent an answer that this server cannot use. Tell whoever runs this server; \
                 it is not your mistake."
            ),
        ),
        // The page of a fault, but with the status of a refusal: this server could read the answer.
        UpstreamError::Untrusted(_) => PageError {
            kind: ErrorKind::ProviderFault,
            ..PageError::new(
                ErrorKind::Refused,
                "upstream_untrusted",
                format!(
                    "What {label} answered does not prove who you are. Tell whoever runs this \
                     server."
                ),
            )
        },
    }
    .because(error)
}

fn silent(label: &str) -> PageError {
    PageError::new(
        ErrorKind::ProviderSilent,
        "upstream_unreachable",
        format!("{label} does not answer. Wait a moment, then go back and try again."),
    )
}
