//! `GET /scim/v2/Schemas`
//!
//! The attributes of users and groups that are kept (RFC 7643 §7).

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{one_of, whole_list};
use crate::{
    extract::Query,
    scim::{ScimError, schemas},
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
    schemas::all().map(|mut schema| {
        let id = schema["id"].as_str().unwrap_or_default();
        let location = format!("{}/scim/v2/Schemas/{id}", state.config.issuer);
        schema["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]);
        schema["meta"] = json!({"resourceType": "Schema", "location": location});
        schema
    })
}
