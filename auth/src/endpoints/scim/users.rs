//! `GET /scim/v2/Users`, `POST /scim/v2/Users` and `… /scim/v2/Users/{id}`
//!
//! Users of the provisioning system: listed, created, read, replaced, patched and deleted (RFC 7644 §3).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{Id, MAX_COUNT, Page, ScimBody, changed, created, if_match, projection, read};
use crate::{
    extract::{Query, Visitor},
    provisioning::{Act, users},
    scim::{Patch, ScimError, User, user_filter},
    state::AppState,
};

pub(crate) async fn list(
    State(state): State<AppState>,
    Query(parameters): Query,
) -> Result<Response, ScimError> {
    let filter = parameters.optional("filter")?.map(user_filter).transpose()?.unwrap_or_default();
    let page = Page::read(&parameters, MAX_COUNT)?;
    let found = users::list(&state, &filter, page.offset, page.count).await?;
    Ok(page.answer(found, &projection(&parameters)?))
}

pub(crate) async fn post(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(parameters): Query,
    ScimBody(body): ScimBody,
) -> Result<Response, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: None };
    let user = users::create(act, User::parse(&body)?).await?;
    Ok(created(user, &projection(&parameters)?))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Id(id): Id,
    Query(parameters): Query,
    headers: HeaderMap,
) -> Result<Response, ScimError> {
    let user = users::show(&state, id).await?;
    Ok(read(user, &projection(&parameters)?, &headers))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id,
    headers: HeaderMap,
    ScimBody(body): ScimBody,
) -> Result<Response, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: if_match(&headers) };
    let user = User::parse(&body)?;
    let user = users::change(act, id, |_| Ok(user)).await?;
    Ok(changed(user))
}

pub(crate) async fn patch(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id,
    headers: HeaderMap,
    ScimBody(body): ScimBody,
) -> Result<Response, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: if_match(&headers) };
    let patch = Patch::parse(&body)?;
    let user = users::change(act, id, |user| user.patched(patch)).await?;
    Ok(changed(user))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<StatusCode, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: if_match(&headers) };
    users::delete(act, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
