//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 §2.1): a trusted issuer
//! asserts that a person may use the client (Enterprise-Managed Authorization), or what workload
//! the client is (SEP-1933).
//!
//! There is no refresh token: a client that can get one assertion can get the next, and an issuer that
//! no longer vouches is obeyed at once.

mod account;

use self::account::Account;
use super::{
    TokenResponse,
    issue::{self, Issue, Person, TokenExtras},
};
use crate::{
    extract::{AccessRequest, FromParameters},
    issuers::{self, AssertedPerson},
    oauth::{
        Client, ErrorCode, OAuthError, Parameters, Resource, ScopeSet,
        assertion::{self, IdentityAssertion},
        resource,
        restrictions::Restrictions,
    },
    state::AppState,
};

pub(crate) struct Request {
    assertion: String,
    access: AccessRequest,
}

impl FromParameters for Request {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self {
            assertion: parameters.required("assertion")?.into(),
            access: AccessRequest::from_parameters(parameters)?,
        })
    }
}

/// Gives the client a token for the person or the workload that the assertion speaks of.
pub(super) async fn serve(
    state: &AppState,
    client: &Client,
    key_thumbprint: Option<&str>,
    request: Request,
) -> Result<TokenResponse, OAuthError> {
    let verified = issuers::verify(state, client, &request.assertion).await?;
    verified.restrictions.check_key(key_thumbprint)?;
    let restrictions = verified.restrictions;
    let issue = match verified.person {
        Some(person) => of_person(state, client, &request, &restrictions, person).await?,
        None => of_workload(state, client, &request, &restrictions)?,
    };
    issue::tokens(state, issue, key_thumbprint, TokenExtras::default()).await
}

/// The workload is the client; what an operator allowed the client and the assertion allows is what
/// it can have.
fn of_workload<'a>(
    state: &'a AppState,
    client: &'a Client,
    request: &Request,
    restrictions: &Restrictions,
) -> Result<Issue<'a>, OAuthError> {
    let resource = target(state, request, restrictions)?;
    let scope =
        resource.grantable_to_client(request.access.scope.as_deref(), client.max_scopes())?;
    let scope = resource.within(&scope, restrictions.scope()?.as_ref());
    if scope.is_empty() {
        return Err(scope_not_asserted());
    }
    Issue::new(client, None, resource, scope)
}

/// Judges everything, then spends the assertion: a request that is wrong consumes nothing.
async fn of_person<'a>(
    state: &'a AppState,
    client: &'a Client,
    request: &Request,
    restrictions: &Restrictions,
    person: AssertedPerson<'_>,
) -> Result<Issue<'a>, OAuthError> {
    if client.is_public() {
        return Err(ErrorCode::UnauthorizedClient.error(
            "assertion_public_client",
            "A client that cannot prove who it is cannot speak for a person.",
        ));
    }
    let resource = target(state, request, restrictions)?;
    let scope = narrowed(resource, client, request, restrictions)?;
    let account = Account::find(state, person).await?;
    spend(state, account.claims()).await?;
    let authenticated_at = account.claims().auth_time;
    let admitted = account.admit(state).await?;
    let person = Person { admitted, authenticated_at, acr: restrictions.acr.clone() };
    Issue::new(client, Some(person), resource, scope)
}

/// The resource that the assertion names. The request may repeat it, and nothing else.
fn target<'a>(
    state: &'a AppState,
    request: &Request,
    restrictions: &Restrictions,
) -> Result<&'a Resource, OAuthError> {
    use keys::Audience::{Many, One};
    let asserted = match &restrictions.resource {
        None => return resource::select(&state.resources, &request.access.resources),
        Some(One(one)) => std::slice::from_ref(one),
        Some(Many(many)) => many.as_slice(),
    };
    let asserted = resource::select(&state.resources, asserted)?;
    resource::check_granted(&state.resources, &request.access.resources, &asserted.resource)?;
    Ok(asserted)
}

/// What is asked for, asserted, known to the resource, and allowed to the client: all of these.
fn narrowed(
    resource: &Resource,
    client: &Client,
    request: &Request,
    restrictions: &Restrictions,
) -> Result<ScopeSet, OAuthError> {
    let requested = request.access.scope.as_deref().or(restrictions.scope.as_deref());
    let granted = resource.within(&resource.grantable(requested)?, restrictions.scope()?.as_ref());
    let granted = resource.within(&granted, client.max_scopes());
    if granted.is_empty() { Err(scope_not_asserted()) } else { Ok(granted) }
}

/// Spends the assertion: exactly one caller goes on, on any replica.
async fn spend(state: &AppState, claims: &IdentityAssertion) -> Result<(), OAuthError> {
    let value = format!("{} {}", claims.assertion.iss, claims.assertion.jti);
    state.spend("id-jag", &value, claims.remembered_until(), assertion::replayed).await
}

fn scope_not_asserted() -> OAuthError {
    ErrorCode::InvalidScope.error(
        "scope_not_asserted",
        "The assertion and the client's registration allow none of the requested scopes. Ask for \
         others.",
    )
}
