//! `GET /scim/v2/ServiceProviderConfig`
//!
//! What of SCIM this server can do (RFC 7643 §5).

use axum::extract::State;
use serde_json::json;

use super::MAX_COUNT;
use crate::{error_response::ScimResponse, state::AppState};

pub(crate) async fn get(State(state): State<AppState>) -> ScimResponse {
    let location = format!("{}/scim/v2/ServiceProviderConfig", state.config.issuer);
    ScimResponse(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MAX_COUNT},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer secret",
            "description": "The secret of the provisioning system, in the Authorization header",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": location},
    }))
}
