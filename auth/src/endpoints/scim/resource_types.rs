//! `GET /scim/v2/ResourceTypes`
//!
//! The kinds of resources: users and groups (RFC 7643 §6).

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{one_of, whole_list};
use crate::{
    extract::Query,
    scim::{
        ScimError,
        schemas::{GROUP, USER},
    },
    state::AppState,
};

pub(crate) async fn list(
    State(state): State<AppState>,
    Query(parameters): Query,
) -> Result<Response, ScimError> {
    whole_list(&parameters, &all(&state))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Response, ScimError> {
    one_of(&all(&state), &id)
}

fn all(state: &AppState) -> [Value; 2] {
    let kind = |name: &str, endpoint: &str, schema: &str| {
        let location = format!("{}/scim/v2/ResourceTypes/{name}", state.config.issuer);
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": endpoint,
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": location},
        })
    };
    [kind("User", "/Users", USER), kind("Group", "/Groups", GROUP)]
}
