//! The second step: the person sees who asks, for what, and from where.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use web::{Frame, Place, device::DeviceConsentPage};

use super::stale;
use crate::{
    admission::nothing_permitted,
    error_response::PageError,
    extract::SignedIn,
    oauth::{ErrorCode, OAuthError, ScopeSet, UserCode, resource},
    presentation,
    state::AppState,
    storage::device_codes,
};

/// What the form carries from the page that asks to the answer, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingDevice {
    pub(super) user_code: String,
    /// The scopes that the page shows. Others may become permitted before it is answered.
    pub(super) scope: ScopeSet,
    session: String,
}

impl PendingDevice {
    /// Opens what this very session was asked.
    pub(super) fn open(
        state: &AppState,
        person: &SignedIn,
        sealed: &str,
    ) -> Result<Self, PageError> {
        let pending: Self =
            state.seals.device.open(sealed).map_err(|error| stale().because(error))?;
        if pending.session == person.session.token_hash { Ok(pending) } else { Err(stale()) }
    }
}

/// Of `asked`, the scopes that the person may have.
pub(super) fn permitted(
    state: &AppState,
    person: &SignedIn,
    waiting: &device_codes::Model,
    asked: &ScopeSet,
) -> Result<ScopeSet, OAuthError> {
    let resource = resource::of_grant(&state.resources, &waiting.resource)?;
    let permitted = person.person.permitted(resource, asked);
    permitted.ok_or_else(|| nothing_permitted(ErrorCode::AccessDenied))
}

/// The page that asks; once more, if the person allowed without the tick.
pub(super) async fn ask(
    state: &AppState,
    person: &SignedIn,
    frame: &Frame,
    waiting: device_codes::Model,
    not_ticked: bool,
) -> Result<Response, PageError> {
    let client = state.clients.find(&waiting.client_id).await?;
    let resource = resource::of_grant(&state.resources, &waiting.resource)?;
    let scopes = permitted(state, person, &waiting, &ScopeSet::parse(&waiting.scope)?)?;
    let pending = PendingDevice {
        user_code: waiting.user_code.clone(),
        scope: scopes.clone(),
        session: person.session.token_hash.clone(),
    };
    let shown = UserCode::parse(&waiting.user_code).map(|code| code.shown());
    let place = Place { device: String::new(), network: waiting.network.clone() };
    let page = DeviceConsentPage {
        user_code: shown.unwrap_or_default(),
        client: presentation::client_details(&client),
        resource_name: resource.name.clone(),
        scopes: presentation::scope_lines(Some(resource), &scopes, frame.language()),
        asked_from: Some(place).filter(|place| !place.network.is_empty()),
        asked_at: waiting.created_at,
        person: presentation::person(person),
        not_ticked,
        request: state.seals.device.seal(&pending)?,
        csrf: person.csrf(state),
    };
    Ok(presentation::html(page.render(frame)))
}
