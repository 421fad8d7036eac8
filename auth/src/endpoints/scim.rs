//! `GET /scim/v2/…`
//!
//! What all endpoints of SCIM 2.0 have in common (RFC 7644): bodies, answers, pages and conditions. The
//! provisioning system of a company tells by them who works there, and in which groups.

pub(crate) mod groups;
pub(crate) mod resource_types;
pub(crate) mod schemas;
pub(crate) mod service_provider_config;
pub(crate) mod users;

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use keys::unique_json;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    error_response::{SCIM_JSON, ScimResponse},
    oauth::Parameters,
    provisioning::has_tag,
    scim::{Members, Projection, ScimError, etag},
    state::AppState,
};

/// In bytes: the ids of 5,000 members with room to spare.
const MAX_BODY: usize = 1024 * 1024;
/// Resources to a page, unless `count` says otherwise, and at most.
const DEFAULT_COUNT: u64 = 100;
pub(super) const MAX_COUNT: u64 = 200;

/// What has no route.
pub(crate) async fn nothing_here() -> ScimError {
    ScimError::not_found("There is nothing at this address.")
}

/// What a route does not take.
pub(crate) async fn wrong_method() -> ScimError {
    ScimError::wrong_method()
}

/// The body of a request, one JSON object.
pub(crate) struct ScimBody(pub(super) Members);

impl FromRequest<AppState> for ScimBody {
    type Rejection = ScimError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ScimError> {
        check_content_type(request.headers())?;
        let body = to_bytes(request.into_body(), MAX_BODY)
            .await
            .map_err(|_| ScimError::too_large("Send a body of at most 1 MiB."))?;
        let members = unique_json::from_slice(&body);
        Ok(Self(members.map_err(|_| ScimError::syntax("Send the body as one JSON object."))?))
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ScimError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_json = ["application/json", SCIM_JSON].iter().any(|it| essence.eq_ignore_ascii_case(it));
    if is_json { Ok(()) } else { Err(ScimError::syntax("Send the body as application/scim+json.")) }
}

/// The id in a path.
pub(crate) struct Id(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ScimError> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        let unknown = || ScimError::not_found("No resource has this id.");
        id.map(|Path(id)| Self(id)).map_err(|_| unknown())
    }
}

/// The entity tags that a change expects.
pub(super) fn if_match(headers: &HeaderMap) -> Option<&str> {
    headers.get(IF_MATCH).map(|tags| tags.to_str().unwrap_or_default())
}

/// The attributes that a request asks for.
pub(super) fn projection(parameters: &Parameters) -> Result<Projection, ScimError> {
    let list = |name| parameters.optional(name);
    Ok(Projection::new(list("attributes")?, list("excludedAttributes")?))
}

/// A resource that was read; nothing but its tag if the client has it already.
pub(super) fn read(resource: Value, projection: &Projection, headers: &HeaderMap) -> Response {
    let tag = etag(&resource);
    let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| has_tag(tags, &tag)) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    ([(ETAG, tag)], ScimResponse(projection.apply(resource))).into_response()
}

/// A resource that was changed.
pub(super) fn changed(resource: Value) -> Response {
    read(resource, &Projection::default(), &HeaderMap::new())
}

/// A resource that was created.
pub(super) fn created(resource: Value, projection: &Projection) -> Response {
    let location = resource.pointer("/meta/location").and_then(Value::as_str).unwrap_or_default();
    let headers = [(LOCATION, location.to_owned()), (ETAG, etag(&resource))];
    (StatusCode::CREATED, headers, ScimResponse(projection.apply(resource))).into_response()
}

/// Where a page of a list begins, and how many resources it holds (RFC 7644 §3.4.2.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) offset: u64,
    pub(super) count: u64,
}

impl Page {
    pub(super) fn read(parameters: &Parameters, most: u64) -> Result<Self, ScimError> {
        let number = |name: &'static str| {
            let text = parameters.optional(name)?;
            text.map(|text| text.parse::<i64>())
                .transpose()
                .map_err(|_| ScimError::value(format!("Send {name} as a whole number.")))
        };
        let start = number("startIndex")?.unwrap_or(1).max(1);
        let count = number("count")?.map_or(DEFAULT_COUNT, |count| count.max(0).unsigned_abs());
        Ok(Self { offset: start.unsigned_abs() - 1, count: count.min(most) })
    }

    pub(super) fn answer(
        self,
        (resources, total): (Vec<Value>, u64),
        projection: &Projection,
    ) -> Response {
        let resources: Vec<_> = resources.into_iter().map(|it| projection.apply(it)).collect();
        list_response(&resources, total, self.offset + 1)
    }
}

fn list_response(resources: &[Value], total: u64, start: u64) -> Response {
    let list = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    ScimResponse(list).into_response()
}

/// A list of discovery, which is always returned whole (RFC 7644 §4).
fn whole_list(parameters: &Parameters, resources: &[Value]) -> Result<Response, ScimError> {
    if parameters.optional("filter")?.is_some() {
        return Err(ScimError::not_filtered());
    }
    Ok(list_response(resources, resources.len() as u64, 1))
}

/// The one of a list of discovery with this id.
fn one_of(resources: &[Value], id: &str) -> Result<Response, ScimError> {
    let found = resources.iter().find(|resource| resource["id"] == id);
    let found = found.ok_or_else(|| ScimError::not_found("There is nothing with this id."))?;
    Ok(ScimResponse(found.clone()).into_response())
}
