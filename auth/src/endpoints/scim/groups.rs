//! `GET /scim/v2/Groups`, `POST /scim/v2/Groups` and `… /scim/v2/Groups/{id}`
//!
//! Groups of the provisioning system and their members: listed, created, read, replaced, patched and deleted (RFC 7644 §3).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{Id, MAX_COUNT, Page, ScimBody, changed, created, if_match, projection, read};
use crate::{
    extract::{Query, Visitor},
    provisioning::{Act, groups},
    scim::{Group, Patch, ScimError, group_filter},
    state::AppState,
};

/// Groups to a page with their members, of whom each may have 5,000.
const MAX_WHOLE: u64 = 10;

pub(crate) async fn list(
    State(state): State<AppState>,
    Query(parameters): Query,
) -> Result<Response, ScimError> {
    let filter = parameters.optional("filter")?.map(group_filter).transpose()?.unwrap_or_default();
    let projection = projection(&parameters)?;
    let has_members = projection.has("members");
    let page = Page::read(&parameters, if has_members { MAX_WHOLE } else { MAX_COUNT })?;
    let found = groups::list(&state, &filter, (page.offset, page.count), has_members).await?;
    Ok(page.answer(found, &projection))
}

pub(crate) async fn post(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(parameters): Query,
    ScimBody(body): ScimBody,
) -> Result<Response, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: None };
    let group = groups::create(act, Group::parse(&body)?).await?;
    Ok(created(group, &projection(&parameters)?))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Id(id): Id,
    Query(parameters): Query,
    headers: HeaderMap,
) -> Result<Response, ScimError> {
    let group = groups::show(&state, id).await?;
    Ok(read(group, &projection(&parameters)?, &headers))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id,
    headers: HeaderMap,
    ScimBody(body): ScimBody,
) -> Result<Response, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: if_match(&headers) };
    let group = Group::parse(&body)?;
    let group = groups::change(act, id, |_| Ok(group)).await?;
    Ok(changed(group))
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
    let group = groups::change(act, id, |group| group.patched(patch)).await?;
    Ok(changed(group))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<StatusCode, ScimError> {
    let act = Act { state: &state, visitor: &visitor, if_match: if_match(&headers) };
    groups::delete(act, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
