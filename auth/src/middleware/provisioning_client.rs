//! Lets only the provisioning system through, at the rate that is allowed.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};

use crate::{
    config::ScimSetting, extract::Visitor, oauth::secret, scim::ScimError, state::AppState,
};

/// Whom wrong secrets are counted for.
const CLIENT: &str = "scim";

/// A layer around the endpoints of SCIM.
pub(crate) async fn require(
    State(state): State<AppState>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Result<Response, ScimError> {
    let now = state.clock.now();
    let hashes = state.scim.as_ref().map(|ScimSetting { secret_hashes, .. }| &**secret_hashes);
    state.limits.compare_secret(CLIENT, &visitor.limited_address(), now, || {
        let is_right = bearer(request.headers())
            .is_some_and(|presented| secret::has_one_of(presented, hashes.unwrap_or_default()));
        if is_right { Ok(()) } else { Err(ScimError::unauthorized()) }
    })?;
    state.limits.provision(now)?;
    Ok(next.run(request).await)
}

/// The secret that a request carries, if it carries one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}
