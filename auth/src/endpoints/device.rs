//! `GET /device` and `POST /device`
//!
//! A person connects a device without a browser: they type the code that it shows, see who asks
//! and from where, and allow or deny it (RFC 8628 §3.3). Opening the address changes nothing, even
//! where it carries the code; a code is claimed by a form of ours alone.

mod answer;
mod attempts;

use axum::{
    extract::{RawQuery, Request, State},
    response::{Html, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use web::{
    Frame, Place,
    device::{DeviceCodePage, DeviceConsentPage, DeviceDonePage, DeviceNotice},
};

use crate::{
    clients,
    error_response::{PageError, answered_with, see_other},
    extract::{
        form,
        signed_in::{MaybeSignedIn, SignedIn},
        visitor::Visitor,
    },
    oauth::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        scope::ScopeSet,
        user_code::UserCode,
    },
    presentation,
    state::AppState,
    storage::device_codes,
};

/// What the form carries from the page that asks to the answer.
#[derive(Serialize, Deserialize)]
struct PendingDevice {
    user_code: String,
    session: String,
}

/// Asks for the code. One in the address is put into the field, and still has to be sent.
pub async fn get(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let given = parameters.optional("user_code")?.and_then(UserCode::parse);
    let user_code = given.map(|code| code.shown()).unwrap_or_default();
    match signed_in? {
        Some(person) => Ok(ask_for_code(&state, &person, &frame, (user_code, None))),
        None if user_code.is_empty() => Ok(see_other("/sign-in?continue=/device")),
        None => Ok(see_other(&format!("/sign-in?continue=/device?user_code={user_code}"))),
    }
}

/// Takes a code, and then the answer.
pub async fn post(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    visitor: Visitor,
    frame: Frame,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let person = signed_in?.ok_or_else(stale)?;
    match form.optional("request")? {
        None => claim(&state, (&person, &visitor), &frame, &form).await,
        Some(sealed) => {
            let pending: PendingDevice =
                state.seals.device.open(sealed).map_err(|error| stale().because(error))?;
            if pending.session != person.session.token_hash {
                return Err(stale().into());
            }
            decide(&state, (&person, &visitor), &frame, (&form, &pending.user_code)).await
        }
    }
}

/// Looks the typed code up, so many times a person, and asks what to answer.
async fn claim(
    state: &AppState,
    (person, visitor): (&SignedIn, &Visitor),
    frame: &Frame,
    form: &Parameters,
) -> Result<Response, PageError> {
    if !person.made(state, form.optional("csrf")?.unwrap_or_default()) {
        return Err(stale().into());
    }
    let typed = form.required("user_code")?;
    if let Some(wait) = attempts::count(state, person, visitor).await? {
        let again = (String::new(), Some(DeviceNotice::TooMany));
        let page = ask_for_code(state, person, frame, again);
        return Ok(answered_with(page, too_many().retry_after(wait)));
    }
    let waiting = match UserCode::parse(typed) {
        Some(code) => find(state, code.as_str()).await?,
        None => None,
    };
    match waiting {
        Some(waiting) => ask(state, person, frame, (waiting, false)).await,
        None => {
            attempts::count_wrong(state).await?;
            let again = (typed.chars().take(32).collect(), Some(DeviceNotice::Unknown));
            Ok(answered_with(ask_for_code(state, person, frame, again), unknown()))
        }
    }
}

/// Takes the answer. Allowing takes the tick as well: only the person knows who began this.
async fn decide(
    state: &AppState,
    (person, visitor): (&SignedIn, &Visitor),
    frame: &Frame,
    (form, user_code): (&Parameters, &str),
) -> Result<Response, PageError> {
    let waiting = find(state, user_code).await?.ok_or_else(stale)?;
    let allowed = match form.required("decision")? {
        "allow" if form.optional("started")? != Some("yes") => {
            return ask(state, person, frame, (waiting, true)).await;
        }
        "allow" => true,
        "deny" => false,
        _ => {
            return Err(OAuthError::invalid_request("decision", "Choose Allow or Deny.").into());
        }
    };
    let client = clients::find(state, &waiting.client_id).await?;
    match answer::answer(state, (person, visitor), (&waiting, &client), allowed).await? {
        true => Ok(Html(DeviceDonePage { allowed }.render(frame)).into_response()),
        false => Err(stale().into()),
    }
}

fn ask_for_code(
    state: &AppState,
    person: &SignedIn,
    frame: &Frame,
    (user_code, notice): (String, Option<DeviceNotice>),
) -> Response {
    let page = DeviceCodePage { user_code, notice, csrf: person.csrf(state) };
    Html(page.render(frame)).into_response()
}

async fn ask(
    state: &AppState,
    person: &SignedIn,
    frame: &Frame,
    (waiting, not_ticked): (device_codes::Model, bool),
) -> Result<Response, PageError> {
    let client = clients::find(state, &waiting.client_id).await?;
    let resource = state.resources.iter().find(|one| one.resource == waiting.resource);
    let pending = PendingDevice {
        user_code: waiting.user_code.clone(),
        session: person.session.token_hash.clone(),
    };
    let shown = UserCode::parse(&waiting.user_code).map(|code| code.shown());
    let place = Place { device: String::new(), network: waiting.network.clone() };
    let page = DeviceConsentPage {
        user_code: shown.unwrap_or_default(),
        asker: presentation::asker(&client),
        resource_name: resource.map_or(&waiting.resource, |one| &one.name).clone(),
        scopes: presentation::scope_lines(
            resource,
            &ScopeSet::parse(&waiting.scope)?,
            frame.language(),
        ),
        asked_from: Some(place).filter(|place| !place.network.is_empty()),
        asked_at: waiting.created_at,
        person: presentation::person(person),
        not_ticked,
        request: state.seals.device.seal(&pending).map_err(OAuthError::from)?,
        csrf: person.csrf(state),
    };
    Ok(Html(page.render(frame)).into_response())
}

async fn find(
    state: &AppState,
    user_code: &str,
) -> Result<Option<device_codes::Model>, OAuthError> {
    let (db, now) = (state.db.connection(), state.clock.now());
    device_codes::find_waiting(db, user_code, now)
        .await
        .map_err(|error| OAuthError::server_error("device_code_lookup_failed", error))
}

fn unknown() -> OAuthError {
    OAuthError::invalid_request(
        "device_code_unknown",
        "No device waits for this code. Check it, or get a new one.",
    )
}

fn too_many() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "too_many_attempts",
        "Too many codes were typed in a short time. Wait, then try again.",
    )
}

fn stale() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "device_stale",
        "This page is too old, or the code was answered already. Enter the code again.",
    )
}
